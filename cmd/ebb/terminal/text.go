package terminal

import (
	"strconv"
	"strings"
)

// FullName is a customer as a person is shown it: behind its tenant, if it has one.
func FullName(tenant, customer string) string {
	if tenant != "" {
		customer = tenant + "/" + customer
	}
	return Printable(customer)
}

// Printable keeps text from moving the cursor or worse: what cannot be printed is shown escaped.
func Printable(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) {
		quoted := strconv.Quote(s)
		return quoted[1 : len(quoted)-1]
	}
	return s
}
