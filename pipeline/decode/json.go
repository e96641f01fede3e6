package decode

import (
	"ebb/pipeline"
)

// A validating scanner for JSON (RFC 8259) that allocates nothing and copies nothing. It reports where values are; the
// envelopes interpret them. Benchmark: BenchmarkDecode. Oracle: encoding/json, in the tests.

// jsonKind is the kind of a token's value, as far as envelopes distinguish kinds.
type jsonKind uint8

const (
	jsonAbsent   jsonKind = iota
	jsonNull              // null
	jsonPlain             // a string without escapes: its text is its value
	jsonEscaped           // a string with escapes: see appendUnescaped
	jsonInteger           // a number without fraction and exponent
	jsonFraction          // a number with a fraction
	jsonExponent          // a number with an exponent
	jsonObject            // an object, brackets included
	jsonTrue
	jsonFalse
	jsonOther // an array, brackets included
)

// jsonToken is a value's place in the text.
type jsonToken struct {
	from, to int // for strings without the quotes
	kind     jsonKind
}

// absent reports whether a member counts as missing: null and the empty string do.
func (t jsonToken) absent() bool { return t.kind <= jsonNull || t.kind == jsonPlain && t.from == t.to }

// isText reports whether it is a string that is not empty.
func (t jsonToken) isText() bool {
	return t.kind == jsonEscaped || t.kind == jsonPlain && t.from < t.to
}

// scanName reads a member's name and the colon after it. It returns the place of the member's value, or -1.
func scanName(b []byte, i int) (name jsonToken, next int) {
	if i >= len(b) || b[i] != '"' {
		return name, -1
	}
	name, i = scanString(b, i+1)
	if i < 0 {
		return name, -1
	}
	if i = skipSpace(b, i); i >= len(b) || b[i] != ':' {
		return name, -1
	}
	return name, skipSpace(b, i+1)
}

// scanValue reads the value at i, which is at the given level of nesting. It returns the place after it, or the fault's
// Code negated.
func scanValue(b []byte, i, depth int) (value jsonToken, next int) {
	if i >= len(b) {
		return value, -int(pipeline.NotJSON)
	}
	switch c := b[i]; {
	case c == '"':
		return scanString(b, i+1)
	case c == '-' || c-'0' < 10:
		return scanNumber(b, i)
	case c == '{' || c == '[':
		if next = scanNested(b, i, depth); c == '{' {
			return jsonToken{i, next, jsonObject}, next
		}
		return jsonToken{i, next, jsonOther}, next
	case c == 't':
		return scanWord(b, i, "true", jsonTrue)
	case c == 'f':
		return scanWord(b, i, "false", jsonFalse)
	case c == 'n':
		return scanWord(b, i, "null", jsonNull)
	}
	return value, -int(pipeline.NotJSON)
}

// scanNested validates the object or array at i without recursion: one bit per open level holds its kind, so that
// hostile nesting costs neither stack nor memory. It returns the place after it, or the fault's Code negated.
func scanNested(b []byte, i, depth int) (next int) {
	var objects uint64 // the lowest bit: the innermost open level is an object
	base := depth
	for {
		// A value begins at i.
		if i < len(b) && (b[i] == '{' || b[i] == '[') {
			if depth == pipeline.MaxDepth {
				return -int(pipeline.NestedTooDeep)
			}
			depth++
			objects = objects<<1 | uint64(b[i]>>5&1) // '{' is 0x7b, '[' is 0x5b
			if i = skipSpace(b, i+1); i >= len(b) {
				return -int(pipeline.NotJSON)
			}
			if b[i] != closing(objects) {
				if objects&1 != 0 {
					if _, i = scanName(b, i); i < 0 {
						return -int(pipeline.NotJSON)
					}
				}
				continue
			}
		} else if _, i = scanValue(b, i, depth); i < 0 {
			return i
		} else if i = skipSpace(b, i); i >= len(b) {
			return -int(pipeline.NotJSON)
		}
		// A value has ended, or a level is empty: close levels until one goes on.
		for b[i] == closing(objects) {
			depth--
			objects >>= 1
			i++
			if depth == base {
				return i
			}
			if i = skipSpace(b, i); i >= len(b) {
				return -int(pipeline.NotJSON)
			}
		}
		if b[i] != ',' {
			return -int(pipeline.NotJSON)
		}
		if i = skipSpace(b, i+1); objects&1 != 0 {
			if _, i = scanName(b, i); i < 0 {
				return -int(pipeline.NotJSON)
			}
		}
	}
}

// closing is the bracket that ends the innermost level.
func closing(objects uint64) byte {
	if objects&1 != 0 {
		return '}'
	}
	return ']'
}

// scanNumber reads the number at i, which begins with a digit or a minus sign.
func scanNumber(b []byte, i int) (value jsonToken, next int) {
	value = jsonToken{from: i, kind: jsonInteger}
	if b[i] == '-' {
		i++
	}
	switch {
	case i < len(b) && b[i] == '0':
		i++
	default:
		if i = skipDigits(b, i); i < 0 {
			return value, -int(pipeline.NotJSON)
		}
	}
	if i < len(b) && b[i] == '.' {
		value.kind = jsonFraction
		if i = skipDigits(b, i+1); i < 0 {
			return value, -int(pipeline.NotJSON)
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		value.kind = jsonExponent
		if i++; i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if i = skipDigits(b, i); i < 0 {
			return value, -int(pipeline.NotJSON)
		}
	}
	value.to = i
	return value, i
}

// skipDigits skips one digit or more; -1 where there is none.
func skipDigits(b []byte, i int) int {
	from := i
	for i < len(b) && b[i]-'0' < 10 {
		i++
	}
	if i == from {
		return -1
	}
	return i
}

func scanWord(b []byte, i int, word string, kind jsonKind) (value jsonToken, next int) {
	if len(b)-i < len(word) || string(b[i:i+len(word)]) != word {
		return value, -int(pipeline.NotJSON)
	}
	return jsonToken{kind: kind}, i + len(word)
}

// skipSpace skips white space. Compact JSON has none, so the first comparison decides.
func skipSpace(b []byte, i int) int {
	for i < len(b) && b[i] <= ' ' && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// byteOrderMark may stand before a text in UTF-8. Programs of Windows put it there, and it means nothing.
const byteOrderMark = "\xef\xbb\xbf"

// unmarked is b without a byte order mark.
func unmarked(b []byte) []byte {
	if len(b) >= len(byteOrderMark) && string(b[:len(byteOrderMark)]) == byteOrderMark {
		return b[len(byteOrderMark):]
	}
	return b
}

// beginsObject reports whether b begins as an object does.
func beginsObject(b []byte) bool {
	i := skipSpace(b, 0)
	return i < len(b) && b[i] == '{'
}
