package alert

import (
	"strconv"
	"time"
)

// appendString appends s, which is UTF-8, as a JSON string.
func appendString(dst, s []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	from := 0
	for i, c := range s {
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	dst = append(dst, s[from:]...)
	return append(dst, '"')
}

// appendFloat appends v, which is finite, as the shortest number that reads back to the same bits.
func appendFloat(dst []byte, v float64) []byte { return strconv.AppendFloat(dst, v, 'g', -1, 64) }

// AppendTime appends ms since the epoch, of a year of four digits, in RFC 3339 in UTC, with milliseconds where there
// are any. The result is that of [time.Time.AppendFormat], in a tenth of the time.
func AppendTime(dst []byte, ms int64) []byte {
	t := time.UnixMilli(ms).UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	dst = appendDigits(appendDigits(dst, year/100), year%100)
	dst = appendDigits(append(dst, '-'), int(month))
	dst = appendDigits(append(dst, '-'), day)
	dst = appendDigits(append(dst, 'T'), hour)
	dst = appendDigits(append(dst, ':'), minute)
	dst = appendDigits(append(dst, ':'), second)
	milli := t.Nanosecond() / 1e6
	if milli == 0 {
		return append(dst, 'Z')
	}
	return append(dst, '.', byte('0'+milli/100), byte('0'+milli/10%10), byte('0'+milli%10), 'Z')
}

// appendDigits appends n, below 100, as two digits.
func appendDigits(dst []byte, n int) []byte { return append(dst, byte('0'+n/10), byte('0'+n%10)) }

// appendMillionths appends v, of less than 1e12, to six decimals, rounded half away from zero. Zeros at the end are
// left out.
func appendMillionths(dst []byte, v float64) []byte {
	if v < 0 {
		if n := int64(float64(-v*1e6) + 0.5); n > 0 {
			return appendDecimals(append(dst, '-'), n, 6)
		}
		v = 0
	}
	return appendDecimals(dst, int64(float64(v*1e6)+0.5), 6)
}

// appendDecimals appends n, not negative, divided by a power of ten, without zeros at its end.
func appendDecimals(dst []byte, n int64, places int) []byte {
	for ; places > 0 && n%10 == 0; places-- {
		n /= 10
	}
	if places == 0 {
		return strconv.AppendInt(dst, n, 10)
	}
	unit := int64(1)
	for range places {
		unit *= 10
	}
	dst = append(strconv.AppendInt(dst, n/unit, 10), '.')
	for n %= unit; places > 0; places-- {
		unit /= 10
		dst = append(dst, byte('0'+n/unit))
		n %= unit
	}
	return dst
}
