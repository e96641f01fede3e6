package pack

import (
	"bytes"
	"unicode/utf8"

	"ebb/scoring/profile"
)

// AppendFact appends what is carried of a property's text: without characters that show nothing (controls, line breaks,
// marks of direction) and without spaces at its ends, cut to profile.MaxFactSize bytes between two characters. It
// appends nothing of a text that looks like an address: a fact goes to whoever reads the alerts.
func AppendFact(dst, text []byte) []byte {
	from := len(dst)
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		if !isHidden(r) && (r != utf8.RuneError || n > 1) {
			dst = append(dst, text[:n]...)
		}
		text = text[n:]
	}
	whole := bytes.TrimFunc(dst[from:], isBlank)
	fact := whole
	if n := profile.MaxFactSize; len(fact) > n {
		for !utf8.RuneStart(fact[n]) {
			n--
		}
		fact = bytes.TrimFunc(fact[:n], isBlank)
	}
	if isReachable(whole) || isReachable(fact) { // a letter that is cut off may have made an identifier of a number
		return dst[:from]
	}
	return append(dst[:from], fact...)
}

// isReachable reports whether somebody could be reached by a text, or logged in or paid with it: whether it looks as if
// it held an e-mail address, a URL with a user, or a number of a phone, a card or an account. It rather refuses too
// much.
func isReachable(text []byte) bool { return holdsAt(text) || holdsNumber(text) }

// holdsAt reports whether an @ stands between two characters that are no spaces, as in an e-mail address and in a URL
// with a user.
func holdsAt(text []byte) bool {
	for i := range text {
		n := 0
		for _, at := range [...]string{"@", "%40", "＠", "﹫"} {
			if bytes.HasPrefix(text[i:], []byte(at)) {
				n = len(at)
			}
		}
		if n == 0 || i == 0 || i+n == len(text) {
			continue
		}
		before, _ := utf8.DecodeLastRune(text[:i])
		after, _ := utf8.DecodeRune(text[i+n:])
		if !isBlank(before) && !isBlank(after) {
			return true
		}
	}
	return false
}

// holdsNumber reports whether digits, with what people put between them, look like a number that one dials or pays to:
// of ten digits or more, of seven where they begin with + or 0. Digits that a letter follows, or precedes with nothing
// but hyphens and slashes between, belong to an identifier, such as INV-2026-0012345.
func holdsNumber(text []byte) bool {
	var n digitRun
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if n.next(r) {
			return true
		}
		i += size
	}
	return n.dialled()
}

// digitRun is a run of digits and of what stands between them.
type digitRun struct {
	digits  int
	leading bool // a + or a 0 begins it
	plus    bool // a + comes before the first digit
	word    bool // a letter comes before it, and nothing but hyphens and slashes between
	joined  bool // it is part of an identifier
	last    bool // the last character was a digit
}

func (n *digitRun) dialled() bool {
	return !n.joined && (n.digits >= 10 || n.digits >= 7 && n.leading)
}

// next takes the next character, and reports whether a number that one dials ends with it.
func (n *digitRun) next(r rune) (dialled bool) {
	digit := isDigit(r)
	switch {
	case digit:
		if n.digits == 0 {
			n.leading, n.joined = n.plus || r == '0', n.word
		}
		n.digits++
	case isLetter(r):
		dialled = n.dialled() && !n.last
		*n = digitRun{word: true}
	case r == '+':
		dialled = n.dialled()
		*n = digitRun{plus: true}
	case r == '-' || r == '/' || r >= 0x2010 && r <= 0x2015: // hyphens and dashes
	case isBlank(r) || r == '.' || r == '(' || r == ')':
		if n.word = false; n.joined {
			*n = digitRun{}
		}
	default:
		dialled = n.dialled()
		*n = digitRun{}
	}
	n.last = digit
	return dialled
}

// What a character is follows from ranges that stand here, for the tables of a library change with its version, and an
// alert is to be proved by any build.

// isHidden reports whether a character shows nothing: controls, line breaks, joiners, marks of direction, tags.
func isHidden(r rune) bool {
	return r < ' ' || r >= 0x7f && r < 0xa0 || r == 0xad || r == 0x61c || r == 0x180e || r >= 0x200b && r <= 0x200f ||
		r >= 0x2028 && r <= 0x202e || r >= 0x2060 && r <= 0x206f || r == 0xfeff || r >= 0xfff9 && r <= 0xfffb ||
		r >= 0xe0000 && r <= 0xe0fff
}

// isBlank reports whether a character is a space.
func isBlank(r rune) bool {
	return r == ' ' || r == 0xa0 || r == 0x1680 || r >= 0x2000 && r <= 0x200a || r == 0x202f || r == 0x205f || r == 0x3000
}

// isDigit reports whether a character is a digit: of ours, Arabic or Persian, Indian, or wide.
func isDigit(r rune) bool {
	return r >= '0' && r <= '9' || r >= 0x660 && r <= 0x669 || r >= 0x6f0 && r <= 0x6f9 || r >= 0x966 && r <= 0x96f ||
		r >= 0xff10 && r <= 0xff19
}

// isLetter reports whether a character, which is no digit, is a letter, or of a script that hardly has anything else.
func isLetter(r rune) bool {
	return r|0x20 >= 'a' && r|0x20 <= 'z' || r >= 0xc0 && r < 0x2000 || r >= 0x3040 && r < 0xff00 || r >= 0xff21
}
