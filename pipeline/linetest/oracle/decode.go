package oracle

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"time"
	"unicode/utf8"
)

// event is the content of the flat envelope, as far as the fold needs it.
type event struct {
	id, customer, kind, tenant string
	time                       int64
}

// decode reads the flat envelope, or returns the code with which the record is quarantined. It is written for records
// with at most one fault: which of several faults is reported is not specified.
func decode(value []byte) (event, string) {
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
	d := json.NewDecoder(bytes.NewReader(value))
	d.UseNumber()
	var fields map[string]any
	if err := d.Decode(&fields); err != nil || fields == nil {
		return e, "not_json"
	}
	if _, err := d.Token(); err != io.EOF {
		return e, "not_json"
	}
	return flat(fields)
}

func flat(fields map[string]any) (e event, code string) {
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
	return e, money(fields)
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

func moment(v any) (ms int64, code string) {
	switch v := v.(type) {
	case nil:
		return 0, "time_missing"
	case string:
		t, err := time.Parse(time.RFC3339Nano, v)
		if err != nil {
			return 0, "time_unreadable"
		}
		ms = t.UnixMilli()
	default:
		return 0, "time_unreadable"
	}
	if y := time.UnixMilli(ms).UTC().Year(); y < 1971 || y > 2200 {
		return 0, "time_out_of_range"
	}
	return ms, ""
}

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
		amount = v
	case json.Number:
		amount = v.String()
	}
	if !regexp.MustCompile(`^-?[0-9]{1,15}(\.[0-9]{1,2})?$`).MatchString(amount) {
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
