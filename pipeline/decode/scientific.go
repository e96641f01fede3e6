package decode

import (
	"bytes"
	"math"
)

// Numbers with an exponent, as JavaScript, Java and Python print what is very small or very large: 5e-7, 1.7723E9. They
// are read digit by digit, so that nothing is rounded but what the reader of a plain number would round.

// parseScientific takes s apart, which is d times 10 to the power of exponent.
func parseScientific(s []byte) (d decimal, exponent int, ok bool) {
	e := bytes.IndexAny(s, "eE")
	if e < 0 {
		return d, 0, false
	}
	if d, ok = parseDecimal(s[:e]); !ok {
		return d, 0, false
	}
	exponent, ok = parseExponent(s[e+1:])
	return d, exponent, ok
}

// parseExponent reads digits with or without a sign, up to what is as good as infinite.
func parseExponent(s []byte) (n int, ok bool) {
	const infinite = 1_000_000
	negative := len(s) > 0 && s[0] == '-'
	if negative || len(s) > 0 && s[0] == '+' {
		s = s[1:]
	}
	if skipDigits(s, 0) != len(s) {
		return 0, false
	}
	for _, c := range s {
		n = min(10*n+int(c-'0'), infinite)
	}
	if negative {
		n = -n
	}
	return n, true
}

// shifted is d, without its sign, times 10 to the power of shift. What is left of the point is whole; what is right of
// it is cut off: cut, if that was not zero, and half, if it was a half or more. ok is false where a uint64 is too
// small.
func (d *decimal) shifted(shift int) (whole uint64, cut, half, ok bool) {
	kept := len(d.whole) + shift // digits left of the point, the leading zeros among them
	digits := len(d.whole) + len(d.fraction)
	for i := range digits {
		c := d.digit(i)
		switch {
		case i < kept && whole > (math.MaxUint64-9)/10:
			return 0, false, false, false
		case i < kept:
			whole = 10*whole + uint64(c-'0')
		case c != '0':
			cut = true
		}
		half = half || i == kept && c >= '5'
	}
	for i := digits; i < kept && whole > 0; i++ {
		if whole > (math.MaxUint64-9)/10 {
			return 0, false, false, false
		}
		whole *= 10
	}
	return whole, cut, half, true
}

// digit is d's i-th digit.
func (d *decimal) digit(i int) byte {
	if i < len(d.whole) {
		return d.whole[i]
	}
	return d.fraction[i-len(d.whole)]
}

// parseScientificMoney is parseMoney for numbers with an exponent.
func parseScientificMoney(s []byte, decimals int, rounded bool) (minor int64, ok bool) {
	d, exponent, ok := parseScientific(s)
	if !ok {
		return 0, false
	}
	sum, cut, half, ok := d.shifted(exponent + decimals)
	if !ok || cut && !rounded || sum > -math.MinInt64 {
		return 0, false
	}
	if half {
		sum++
	}
	if d.negative {
		return -int64(sum), sum <= -math.MinInt64
	}
	return int64(sum), sum <= math.MaxInt64
}

// parseScientificUnits is parseUnits for numbers with an exponent: s times 10 to the power of shift is ms.
func parseScientificUnits(s []byte, shift int) (ms int64, ok bool) {
	d, exponent, ok := parseScientific(s)
	switch {
	case !ok:
		return 0, false
	case d.negative:
		return math.MinInt64, true
	}
	n, _, _, ok := d.shifted(exponent + shift)
	if !ok || n >= pastInstant {
		return math.MaxInt64, true
	}
	return int64(n), true
}

// parseScientificEpoch is parseEpoch for numbers with an exponent.
func parseScientificEpoch(s []byte) (ms int64, ok bool) {
	if ms, ok = parseScientificUnits(s, 0); !ok || ms < 0 || ms >= firstMillis {
		return ms, ok
	}
	return parseScientificUnits(s, 3)
}
