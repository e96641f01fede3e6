package webhook

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/rs/zerolog"
)

// Headers are sent with each alert, such as a token that the endpoint asks for.
type Headers struct{ file *followed[http.Header] }

// OpenHeaders reads a file of headers, Name: value, one a line. It is read again when it changes.
func OpenHeaders(path string, log zerolog.Logger) (*Headers, error) {
	f, err := follow(path, log, parseHeaders)
	if err != nil {
		return nil, err
	}
	return &Headers{f}, nil
}

// current is a copy, which may be added to.
func (h *Headers) current() http.Header { return h.file.current().Clone() }

// reserved are headers that the request has in any case.
func reserved() []string {
	return []string{
		"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature", "Content-Type", "Content-Length", "Transfer-Encoding",
		"Connection", "Host", "User-Agent",
	}
}

// parseHeaders reads the headers. No error holds a value.
func parseHeaders(text string) (http.Header, error) {
	found := http.Header{}
	for number, line := range entries(text) {
		name, value, ok := strings.Cut(line, ":")
		if !ok || !isToken(name) || strings.ContainsFunc(value, unicode.IsControl) {
			return nil, fmt.Errorf("line %d: want one header a line, Name: value", number)
		}
		if name = http.CanonicalHeaderKey(name); slices.Contains(reserved(), name) {
			return nil, fmt.Errorf("line %d: %s is set by ebb", number, name)
		}
		found.Add(name, strings.TrimSpace(value))
	}
	return found, nil
}

// isToken reports whether text may be the name of a header.
func isToken(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}
