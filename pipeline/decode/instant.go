package decode

import (
	"math"
	"time"

	"ebb/pipeline"
)

const (

	// An event time outside these years counts as a producer's mistake: a zero, a wrong unit, an overflow.
	firstInstant = 31_536_000_000    // 1971-01-01T00:00:00Z, ms since the epoch
	pastInstant  = 7_289_654_400_000 // 2201-01-01T00:00:00Z

	// Numbers from here on are milliseconds, smaller ones seconds. Within the years above no number can be both: as
	// seconds they end at 7.3e9, as milliseconds they begin at 3.1e10.
	firstMillis = 10_000_000_000
)

// parseInstant reads an event time: a date and time with its offset, or seconds or milliseconds since the epoch as a
// decimal number. What is finer than a millisecond is cut off. The code is Usable, TimeUnreadable or TimeOutOfRange.
func parseInstant(s []byte) (ms int64, code pipeline.Code) {
	var ok bool
	if len(s) > 4 && s[4] == '-' {
		ms, ok = parseRFC3339(s)
	} else {
		ms, ok = parseEpoch(s)
	}
	if !ok {
		return parseRarer(s, nil)
	}
	return ms, instantCode(ms)
}

// parseRarer is parseInstant for what only parseISO reads. A time without an offset is of zone; nil: it is unreadable.
func parseRarer(s []byte, zone *time.Location) (ms int64, code pipeline.Code) {
	ms, ok := parseISO(s, zone)
	if !ok {
		return 0, pipeline.TimeUnreadable
	}
	return ms, instantCode(ms)
}

// timeForm is the form of a time: an index of TimeForms.
type timeForm uint8

const (
	formAuto timeForm = iota
	formRFC3339
	formSeconds
	formMilliseconds
	formMicroseconds
	formNanoseconds
)

// parseInstantAs is parseInstant for times of one form only. One without an offset is of zone; nil: it is unreadable.
func parseInstantAs(s []byte, form timeForm, zone *time.Location) (ms int64, code pipeline.Code) {
	var ok bool
	switch form {
	case formAuto:
		if ms, code = parseInstant(s); code == pipeline.TimeUnreadable && zone != nil {
			return parseRarer(s, zone)
		}
		return ms, code
	case formRFC3339:
		if ms, ok = parseRFC3339(s); !ok {
			return parseRarer(s, zone)
		}
	case formSeconds:
		ms, ok = parseUnits(s, 1000, 1, 3)
	case formMilliseconds:
		ms, ok = parseUnits(s, 1, 1, 0)
	case formMicroseconds:
		ms, ok = parseUnits(s, 1, 1000, -3)
	case formNanoseconds:
		ms, ok = parseUnits(s, 1, 1_000_000, -6)
	}
	if !ok {
		return 0, pipeline.TimeUnreadable
	}
	return ms, instantCode(ms)
}

// parseUnits reads a number of units since the epoch, times/per ms each, which is 10 to the power of shift. What is
// negative or too large comes back as an extreme value: out of range, not unreadable.
func parseUnits(s []byte, times int64, per uint64, shift int) (ms int64, ok bool) {
	const most = 19 // digits: nanoseconds of our days have as many, and a uint64 holds them
	d, ok := parseDecimal(s)
	switch {
	case !ok:
		return parseScientificUnits(s, shift)
	case d.negative:
		return math.MinInt64, true
	case len(d.whole) > most:
		return math.MaxInt64, true
	}
	var units uint64
	for _, c := range d.whole {
		units = units*10 + uint64(c-'0')
	}
	if units /= per; units >= pastInstant {
		return math.MaxInt64, true
	}
	if ms = int64(units) * times; times == 1000 {
		ms += millis(d.fraction)
	}
	return ms, true
}

// instantCode is TimeOutOfRange where ms is no possible time of an event.
func instantCode(ms int64) pipeline.Code {
	if ms < firstInstant || ms >= pastInstant {
		return pipeline.TimeOutOfRange
	}
	return pipeline.Usable
}

// parseEpoch reads seconds or milliseconds since the epoch. It returns an extreme value for a negative one or one
// beyond int64: out of range, not unreadable.
func parseEpoch(s []byte) (ms int64, ok bool) {
	d, ok := parseDecimal(s)
	switch {
	case !ok:
		return parseScientificEpoch(s)
	case d.negative:
		return math.MinInt64, true
	case len(d.whole) > 18:
		return math.MaxInt64, true
	}
	for _, c := range d.whole {
		ms = ms*10 + int64(c-'0')
	}
	if ms >= firstMillis {
		return ms, true
	}
	return ms*1000 + millis(d.fraction), true
}

// millis is the first three digits of a fraction of a second.
func millis(fraction []byte) int64 {
	var ms int64
	for i := range 3 {
		ms *= 10
		if i < len(fraction) {
			ms += int64(fraction[i] - '0')
		}
	}
	return ms
}

// parseRFC3339 reads a date and time with offset, such as 2026-01-31T09:30:00.125+02:00. As RFC 3339 allows, T and Z
// may be lower case and T a space. All else that ISO 8601 and its users write is for parseISO.
func parseRFC3339(s []byte) (ms int64, ok bool) {
	const least = len("2006-01-02T15:04:05Z")
	if len(s) < least {
		return 0, false
	}
	p, rest := (*[least - 1]byte)(s), s[least-1:]
	if p[4] != '-' || p[7] != '-' || (p[10]|0x20 != 't' && p[10] != ' ') || p[13] != ':' || p[16] != ':' {
		return 0, false
	}
	century, year := twoDigits(p[0], p[1]), twoDigits(p[2], p[3])
	month, day := twoDigits(p[5], p[6]), twoDigits(p[8], p[9])
	hour, minute, second := twoDigits(p[11], p[12]), twoDigits(p[14], p[15]), twoDigits(p[17], p[18])
	bad := century|year|month|day|hour|minute|second < 0
	year += 100 * century
	if bad || month < 1 || month > 12 || day < 1 || day > monthDays(year, month) || hour > 23 || minute > 59 ||
		second > 59 {
		return 0, false
	}
	ms = int64(epochDays(year, month, day))*pipeline.DayMillis + int64(hour*3600+minute*60+second)*1000
	if rest[0] == '.' {
		end := skipDigits(rest, 1)
		if end < 0 {
			return 0, false
		}
		ms += millis(rest[1:end])
		rest = rest[end:]
	}
	offset, ok := parseOffset(rest)
	return ms - offset, ok
}

// parseOffset reads Z or ±hh:mm, in ms east of Greenwich.
func parseOffset(s []byte) (ms int64, ok bool) {
	if len(s) == 1 {
		return 0, s[0]|0x20 == 'z'
	}
	if len(s) != 6 || s[3] != ':' || (s[0] != '+' && s[0] != '-') {
		return 0, false
	}
	hours, minutes := twoDigits(s[1], s[2]), twoDigits(s[4], s[5])
	if hours|minutes < 0 || hours > 23 || minutes > 59 {
		return 0, false
	}
	ms = int64(hours*60+minutes) * pipeline.MinuteMillis
	if s[0] == '-' {
		ms = -ms
	}
	return ms, true
}

// twoDigits reads a number of two digits; -1 if b does not begin with two digits.
func twoDigits(a, b byte) int {
	if a -= '0'; a > 9 {
		return -1
	}
	if b -= '0'; b > 9 {
		return -1
	}
	return int(a)*10 + int(b)
}

func monthDays(year, month int) int {
	if month == 2 {
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 30 + (month+month>>3)&1
}

// epochDays counts days from 1970-01-01 to a date of the Gregorian calendar, year 0 or later. Years begin in March
// here, so that the leap day is the last of a year. Then the first day of each month is a linear function, rounded
// down.
func epochDays(year, month, day int) int {
	const marchZero = 719_468 // days from 0000-03-01 to 1970-01-01
	if month -= 3; month < 0 {
		month += 12
		year--
	}
	return year*365 + leapDays(year) + (306*month+5)/10 + day - 1 - marchZero
}

// leapDays is the number of leap days up to the end of a year, -1 or later.
func leapDays(year int) int {
	return year>>2 - int(pipeline.FloorDiv(int64(year), 100)) + int(pipeline.FloorDiv(int64(year), 400))
}

func (d *Decoder) readTime(b []byte, t jsonToken, e *pipeline.Event) (c pipeline.Code) {
	text, fault := d.number(b, t)
	switch fault {
	case textMissing:
		return pipeline.TimeMissing
	case textFine:
		e.Time, c = parseInstant(text)
		return c
	default:
		return pipeline.TimeUnreadable
	}
}
