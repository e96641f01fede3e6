package advice

import (
	"fmt"
	"strconv"
	"time"

	"ebb/scoring/spelling"
)

// Plural counts things in words: 1 problem, 2 problems.
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Stamp is a time in ms since the epoch as RFC 3339. A record's timestamp may be any number.
func Stamp(millis int64) string {
	return time.UnixMilli(millis).UTC().Format("2006-01-02T15:04:05.000Z")
}

// Clip shortens text for a message.
func Clip(b []byte, n int) string {
	if len(b) <= n {
		return string(b)
	}
	return string(b[:n]) + "…"
}

// Grouped writes a count with its thousands apart: 1,234,567.
func Grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

func Count(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Grouped(n) + " " + noun + "s"
}

// DidYouMean suggests the nearest of the choices, or nothing where none is near.
func DidYouMean(word string, choices []string) string {
	if near := spelling.Nearest(word, choices); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}
