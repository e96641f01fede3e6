package oracle

import "testing"

// TestDecode reads what senders of other languages print.
func TestDecode(t *testing.T) {
	const at = 1_772_357_400_000 // 2026-03-01T09:30:00Z
	for _, c := range []struct {
		fields string
		time   int64
		code   string
	}{
		{`"time":"2026-03-01T09:30:00Z"`, at, ""},
		{`"time":"2026-03-01T09:30:00.000+0000"`, at, ""},
		{`"time":"2026-03-01 10:30:00.1234567 +01"`, at + 123, ""},
		{`"time":"2026-03-01t06:00:00,5-0330"`, at + 500, ""},
		{`"time":"2026-03-01T09:29:60Z"`, at, ""},
		{`"time":"2026-03-01T09:30Z"`, at, ""},
		{`"time":"20260301T093000Z"`, at, ""},
		{`"time":1.7723574E9`, at, ""},
		{`"time":"1.772357400123e+12"`, at + 123, ""},
		{`"time":1772357400`, at, ""},
		{`"time":"2026-03-01T09:30:00"`, 0, "time_unreadable"},
		{`"time":"yesterday"`, 0, "time_unreadable"},
		{`"time":1e300`, 0, "time_out_of_range"},
		{`"time":""`, 0, "time_missing"},
		{`"time":1772357400,"value":1e2`, at, ""},
		{`"time":1772357400,"value":5e-7`, at, "value_unreadable"},
		{`"time":1772357400,"value":"red"`, at, "value_unreadable"},
		{`"time":1772357400,"value":{"a":1}`, at, "value_unreadable"},
		{`"time":1772357400,"value":1,"currency":"Euro"`, at, "currency_unreadable"},
	} {
		for kind, code := range map[string]string{"paid": c.code, "seen": c.code} {
			if kind == "seen" && (code == "value_unreadable" || code == "currency_unreadable") {
				code = ""
			}
			value := "\ufeff" + `{"customer":"c-1","type":"` + kind + `",` + c.fields + `}`
			e, got := decode([]byte(value), map[string]bool{"paid": true})
			if got != code || code == "" && e.time != c.time {
				t.Errorf("%s became %+v, %q", value, e, got)
			}
		}
	}
}
