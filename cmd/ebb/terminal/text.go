package terminal

import (
	"strconv"
	"strings"
)

// FullName is a customer's name for people: with its tenant in front, if it has one.
func FullName(tenant, customer string) string {
	if tenant != "" {
		customer = tenant + "/" + customer
	}
	return Printable(customer)
}

// Printable makes text harmless to the terminal: characters that cannot be printed, or would move the cursor, are
// escaped.
func Printable(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) {
		quoted := strconv.Quote(s)
		return quoted[1 : len(quoted)-1]
	}
	return s
}
