package oracle

import (
	"bytes"
	"encoding/json"
	"io"
	"math/big"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// event is the content of the flat envelope, as far as the fold needs it.
type event struct {
	id, customer, kind, tenant string
	time                       int64
}

// decode reads the flat envelope, or gives the code by which the record is quarantined. It is written for records with
// at most one fault: which of several is named is not specified. paid has the types that money is taken from: in events
// of others what is no money is overlooked.
func decode(value []byte, paid map[string]bool) (event, string) {
	var e event
	switch {
	case len(value) == 0:
		return e, "record_empty"
	case value[0] == 0:
		return e, "registry_framed"
	case !utf8.Valid(value):
		return e, "not_json"
	case depth(value) > 64:
		return e, "nested_too_deep"
	}
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(value, []byte("\ufeff"))))
	d.UseNumber()
	var fields map[string]any
	if err := d.Decode(&fields); err != nil || fields == nil {
		return e, "not_json"
	}
	if _, err := d.Token(); err != io.EOF {
		return e, "not_json"
	}
	return flat(fields, paid)
}

func flat(fields map[string]any, paid map[string]bool) (e event, code string) {
	if e.customer, code = name(fields["customer"], "customer_unreadable"); code != "" {
		return e, code
	}
	if e.id, code = name(fields["id"], "id_unreadable"); code != "" {
		return e, code
	}
	kind, isString := text(fields["type"])
	tenant, isTenant := text(fields["tenant"])
	e.kind, e.tenant = kind, tenant
	switch {
	case e.customer == "":
		return e, "customer_missing"
	case len(e.customer) > 256:
		return e, "customer_too_long"
	case len(e.id) > 256:
		return e, "id_unreadable"
	case !isString || len(kind) > 256:
		return e, "type_unreadable"
	case kind == "":
		return e, "type_missing"
	case !isTenant || len(tenant) > 64:
		return e, "tenant_unreadable"
	}
	if e.time, code = moment(fields["time"]); code != "" {
		return e, code
	}
	if code = money(fields); !paid[e.kind] {
		code = ""
	}
	return e, code
}

// name reads a string or an integer; null counts as absent.
func name(v any, unreadable string) (string, string) {
	switch v := v.(type) {
	case nil:
		return "", ""
	case string:
		return v, ""
	case json.Number:
		if regexp.MustCompile(`^-?[0-9]+$`).MatchString(v.String()) {
			return v.String(), ""
		}
	}
	return "", unreadable
}

func text(v any) (string, bool) {
	if v == nil {
		return "", true
	}
	s, ok := v.(string)
	return s, ok
}

// forms are how a time may be written: with any of ISO 8601's offsets, and a blank before it or none.
func forms() (all []string) {
	for _, date := range []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "20060102T150405"} {
		for _, blank := range []string{"", " "} {
			for _, offset := range []string{"Z07:00", "-0700", "-07"} {
				all = append(all, date+blank+offset)
			}
		}
	}
	return all
}

// moment reads a time as a text, or as seconds or milliseconds since 1970.
func moment(v any) (ms int64, code string) {
	written, ok := v.(string)
	if number, isNumber := v.(json.Number); isNumber {
		written, ok = number.String(), true
	}
	switch {
	case v == nil || ok && written == "":
		return 0, "time_missing"
	case !ok:
		return 0, "time_unreadable"
	}
	if ms, ok = epoch(written); !ok {
		if ms, ok = calendar(written); !ok {
			return 0, "time_unreadable"
		}
	}
	if y := time.UnixMilli(ms).UTC().Year(); y < 1971 || y > 2200 {
		return 0, "time_out_of_range"
	}
	return ms, ""
}

// epoch reads a decimal number, exactly: seconds below 10^10, from there on milliseconds.
func epoch(s string) (ms int64, ok bool) {
	v, ok := decimal(s)
	if !ok {
		return 0, false
	}
	if v.Cmp(big.NewRat(10_000_000_000, 1)) < 0 {
		v.Mul(v, big.NewRat(1000, 1))
	}
	whole := new(big.Int).Div(v.Num(), v.Denom())
	if !whole.IsInt64() {
		return -1, true // out of range
	}
	return whole.Int64(), true
}

// calendar reads a date and time. Second 60 is the first of the next minute.
func calendar(s string) (ms int64, ok bool) {
	var leap time.Duration
	if regexp.MustCompile(`:60([.,Z+\- ]|$)`).MatchString(s) {
		leap = time.Second
		s = regexp.MustCompile(`:60([.,Z+\- ]|$)`).ReplaceAllString(s, ":59$1")
	}
	for _, form := range forms() {
		if t, err := time.Parse(form, strings.ToUpper(s)); err == nil {
			return t.Add(leap).UnixMilli(), true
		}
	}
	return 0, false
}

// decimal reads a number as JSON writes it. Exponents of more than three digits are beyond these tests.
func decimal(s string) (*big.Rat, bool) {
	if !regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?$`).MatchString(s) {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}

// money says what is wrong with the amount, which is exact to the hundredth.
func money(fields map[string]any) string {
	currency, ok := text(fields["currency"])
	if !ok || currency != "" && !regexp.MustCompile(`^[A-Za-z]{3}$`).MatchString(currency) {
		return "currency_unreadable"
	}
	amount := ""
	switch v := fields["value"].(type) {
	case nil:
		return ""
	case string:
		if amount = v; v == "" {
			return ""
		}
	case json.Number:
		amount = v.String()
	}
	v, ok := decimal(amount)
	if !ok || !v.Mul(v, big.NewRat(100, 1)).IsInt() || !v.Num().IsInt64() {
		return "value_unreadable"
	}
	return ""
}

// depth is the deepest nesting of brackets outside strings.
func depth(b []byte) (deepest int) {
	level, quoted := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			level++
			deepest = max(deepest, level)
		case c == '}' || c == ']':
			level--
		}
	}
	return deepest
}
