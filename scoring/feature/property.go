package feature

import (
	"bytes"

	"github.com/cespare/xxhash/v2"
)

// PropertyKind is the type of an event's property.
type PropertyKind uint8

// The types of properties.
const (
	PropertyNone PropertyKind = iota // missing
	PropertyNumber
	PropertyText
	PropertyBool
	PropertyOther // neither: only its existence counts
)

// MaxText bounds the text of a property that is compared or carried, in bytes. A longer one is there, and no text.
const MaxText = 1024

// Property is one property of an event.
type Property struct {
	Kind   PropertyKind
	Number int64  // of a number in thousandths; of a bool 0 or 1
	Hash   uint64 // of a text
}

// fingerprint distinguishes values, also a text from a number: two of 16 values have the same one once in 36 million
// times.
func (v Property) fingerprint() uint32 {
	h := v.Hash
	if v.Kind != PropertyText {
		h = uint64(v.Number)
	}
	h = (h ^ uint64(v.Kind)<<56) * 0x9e3779b97f4a7c15
	h = (h ^ h>>32) * 0xd6e8feb86659fd93
	return uint32(h >> 32)
}

// TextProperty is a text property. A text that is a decimal number is that number, since senders differ about the
// quotes.
func TextProperty(text []byte) Property {
	if n, ok := thousandthsOf(text); ok {
		return Property{Kind: PropertyNumber, Number: n}
	}
	return Property{Kind: PropertyText, Hash: xxhash.Sum64(text)}
}

// thousandthsOf reads a decimal number of up to twelve digits before the point, of which three after it count.
func thousandthsOf(text []byte) (n int64, ok bool) {
	const whole = 12
	digits, negative := text, false
	if len(digits) > 0 && digits[0] == '-' {
		digits, negative = digits[1:], true
	}
	before, after, point := bytes.Cut(digits, []byte("."))
	if len(before) == 0 || len(before) > whole || point && len(after) == 0 {
		return 0, false
	}
	for i := range len(before) + 3 {
		digit := byte('0')
		if i < len(before) {
			digit = before[i]
		} else if i-len(before) < len(after) {
			digit = after[i-len(before)]
		}
		if digit-'0' > 9 {
			return 0, false
		}
		n = 10*n + int64(digit-'0')
	}
	for _, digit := range after[min(3, len(after)):] {
		if digit-'0' > 9 {
			return 0, false
		}
	}
	if negative {
		n = -n
	}
	return n, true
}
