package decode

import (
	"math"
	"strconv"

	"ebb/pipeline"
	"ebb/scoring/profile"
)

// decimal is the parts of a number in JSON's grammar without an exponent.
type decimal struct {
	negative bool
	whole    []byte // digits, no leading zero unless it is the only one
	fraction []byte // digits, may be empty
}

// parseDecimal takes s apart. It knows no exponent: see parseScientific.
func parseDecimal(s []byte) (d decimal, ok bool) {
	if len(s) > 0 && s[0] == '-' {
		d.negative, s = true, s[1:]
	}
	i := skipDigits(s, 0)
	if i < 0 || (i > 1 && s[0] == '0') {
		return d, false
	}
	d.whole = s[:i]
	if i == len(s) {
		return d, true
	}
	if s[i] != '.' || skipDigits(s, i+1) != len(s) {
		return d, false
	}
	d.fraction = s[i+1:]
	return d, true
}

// parseMoney reads s as minor units of a currency with the given number of decimals. Digits beyond those must be zeros
// (12.340 is 12.34, 12.345 is refused) unless rounding is on, half away from zero: 19.989999999999998, the result of a
// float, is 19.99. ok is false also where int64 is too small.
func parseMoney(s []byte, decimals int, rounded bool) (minor int64, ok bool) {
	d, ok := parseDecimal(s)
	if !ok {
		return parseScientificMoney(s, decimals, rounded)
	}
	var carry uint64
	if len(d.fraction) > decimals {
		switch rest := d.fraction[decimals:]; {
		case !rounded:
			if !allZeros(rest) {
				return 0, false
			}
		case rest[0] >= '5':
			carry = 1
		}
		d.fraction = d.fraction[:decimals]
	}
	const most = 19 // any number of so many digits fits a uint64, and at best an int64
	if len(d.whole)+decimals > most {
		return 0, false
	}
	var sum uint64
	for _, c := range d.whole {
		sum = sum*10 + uint64(c-'0')
	}
	for i := range decimals {
		sum *= 10
		if i < len(d.fraction) {
			sum += uint64(d.fraction[i] - '0')
		}
	}
	sum += carry
	if d.negative {
		return -int64(sum), sum <= -math.MinInt64
	}
	return int64(sum), sum <= math.MaxInt64
}

func allZeros(digits []byte) bool {
	for _, c := range digits {
		if c != '0' {
			return false
		}
	}
	return true
}

// AppendMoney writes minor units of a currency as a decimal number: 12.90.
func AppendMoney(dst []byte, minor int64, currency profile.Currency) []byte {
	amount := uint64(minor)
	if minor < 0 {
		dst, amount = append(dst, '-'), -amount
	}
	decimals := currency.Decimals()
	if decimals == 0 {
		return strconv.AppendUint(dst, amount, 10)
	}
	unit := uint64(math.Pow10(decimals))
	dst = append(strconv.AppendUint(dst, amount/unit, 10), '.')
	for unit /= 10; unit > 0; unit /= 10 {
		dst = append(dst, byte('0'+amount/unit%10))
	}
	return dst
}

// parseCurrency reads three letters, of either case, as an ISO 4217 code.
func parseCurrency(s []byte) (code profile.Currency, ok bool) {
	if len(s) != len(code) {
		return code, false
	}
	for i, c := range s {
		c &^= 'a' - 'A'
		if c < 'A' || c > 'Z' {
			return code, false
		}
		code[i] = c
	}
	return code, true
}

// readMoney reads an amount and its currency, both optional. rounded is whether digits beyond the currency's minor unit
// are rounded; see parseMoney.
func (d *Decoder) readMoney(b []byte, value, currency jsonToken, rounded bool, e *pipeline.Event) pipeline.Code {
	if !d.readCurrency(b, currency, e) {
		return d.noMoney(e, pipeline.CurrencyUnreadable)
	}
	switch text, fault := d.number(b, value); fault {
	case textMissing:
		return pipeline.Usable
	case textFine:
		e.Value, e.HasValue = parseMoney(text, e.Currency.Decimals(), rounded)
	default:
	}
	if !e.HasValue {
		return d.noMoney(e, pipeline.ValueUnreadable)
	}
	return pipeline.Usable
}

// noMoney says what becomes of an event whose amount or currency is none. Where the pack takes money from events of its
// type, the event cannot be used, for the reason c. Of all others the amount is something else that bears the name,
// such as the colour that a filter was set to: the event counts without it.
func (d *Decoder) noMoney(e *pipeline.Event, c pipeline.Code) pipeline.Code {
	if d.pack == nil || !e.Control && d.pack.TakesMoney(e.Type) {
		return c
	}
	e.Value, e.Currency, e.NoMoney = 0, [3]byte{}, true
	return pipeline.Usable
}

// readCurrency reads a currency, which may be missing.
func (d *Decoder) readCurrency(b []byte, t jsonToken, e *pipeline.Event) (ok bool) {
	text, fault := d.text(b, t, len(e.Currency), false)
	if fault == textFine {
		e.Currency, ok = parseCurrency(text)
		return ok
	}
	return fault == textMissing
}
