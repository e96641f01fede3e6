package decode

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"

	"ebb/pipeline"
)

// Masks for tests of eight bytes at once.
const (
	eachByte  = 0x0101010101010101
	highBits  = 0x80 * eachByte
	spaces    = ' ' * eachByte
	quotes    = '"' * eachByte
	backslash = '\\' * eachByte
)

// scanString reads the string whose first character is at i, after the opening quote. It returns the place after the
// closing quote, or the fault's Code negated: a control character, a wrong escape, bytes that are not UTF-8, no end. A
// lone surrogate in an escape is grammatical JSON and passes here; appendUnescaped refuses it.
func scanString(b []byte, i int) (value jsonToken, next int) {
	from := i
	for ; i <= len(b)-8; i += 8 {
		if stop := stops(binary.LittleEndian.Uint64(b[i:])); stop != 0 {
			i += bits.TrailingZeros64(stop) >> 3
			if b[i] == '"' {
				return jsonToken{from, i, jsonPlain}, i + 1
			}
			break
		}
	}
	return scanRarer(b, from, i)
}

// stops marks, by its highest bit, the first of eight bytes that is not printable ASCII, or is a quote or a backslash.
// Its marks after the first are meaningless, since the differences borrow.
func stops(w uint64) uint64 {
	return (w | (w - spaces) | ((w ^ quotes) - eachByte) | ((w ^ backslash) - eachByte)) & highBits
}

// scanRarer is scanString for everything that a string can contain, from i on; the string began at from.
func scanRarer(b []byte, from, i int) (value jsonToken, next int) {
	value = jsonToken{from: from, kind: jsonPlain}
	for i < len(b) {
		switch c := b[i]; {
		case c == '"':
			value.to = i
			return value, i + 1
		case c == '\\':
			value.kind = jsonEscaped
			n := escapeLength(b[i:])
			if n == 0 {
				return value, -int(pipeline.NotJSON)
			}
			i += n
		case c < ' ':
			return value, -int(pipeline.NotJSON)
		case c < utf8.RuneSelf:
			i = skipPlain(b, i+1)
		default:
			r, n := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && n == 1 {
				return value, -int(pipeline.NotJSON)
			}
			i += n
		}
	}
	return value, -int(pipeline.NotJSON)
}

// skipPlain skips printable ASCII other than quote and backslash.
func skipPlain(b []byte, i int) int {
	for ; i <= len(b)-8; i += 8 {
		if stop := stops(binary.LittleEndian.Uint64(b[i:])); stop != 0 {
			return i + bits.TrailingZeros64(stop)>>3
		}
	}
	return i
}

// escapeLength is the length of the escape sequence at the start of b; 0 where there is none.
func escapeLength(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := hex4(b[2:]); ok {
			return 6
		}
	}
	return 0
}

// hex4 reads the four hexadecimal digits at the start of b.
func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		switch {
		case c-'0' < 10:
			c -= '0'
		case c|0x20-'a' < 6:
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// appendUnescaped appends the value of a string that scanString has accepted, cut off once it is longer than limit
// bytes. ok is false where an escape is a lone surrogate: it has no UTF-8 form, and a replacement character would make
// one customer of many.
func appendUnescaped(dst, text []byte, limit int) (out []byte, ok bool) {
	limit += len(dst)
	for i := 0; i < len(text); {
		from := i
		if text[i] != '\\' {
			for i < len(text) && text[i] != '\\' {
				i++
			}
			dst = appendUpTo(dst, text[from:i], limit)
			continue
		}
		r, n := unescape(text[i:])
		if r < 0 {
			return dst, false
		}
		var char [utf8.UTFMax]byte
		dst = appendUpTo(dst, char[:utf8.EncodeRune(char[:], r)], limit)
		i += n
	}
	return dst, true
}

// appendUpTo appends b unless dst is longer than limit already. It appends no more than what shows that dst is too
// long.
func appendUpTo(dst, b []byte, limit int) []byte {
	return append(dst, b[:min(len(b), limit+1-min(len(dst), limit+1))]...)
}

// unescape reads the valid escape sequence at the start of b, both halves of a surrogate pair at once. A lone surrogate
// is -1.
func unescape(b []byte) (r rune, n int) {
	switch b[1] {
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		r, _ = hex4(b[2:])
		if !utf16.IsSurrogate(r) {
			return r, 6
		}
		if len(b) >= 12 && b[6] == '\\' && b[7] == 'u' {
			low, _ := hex4(b[8:])
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return pair, 12
			}
		}
		return -1, 6
	}
	return rune(b[1]), 2
}
