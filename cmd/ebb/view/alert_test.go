package view

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"ebb/cmd/ebb/terminal"
	"ebb/scoring/scoringtest/golden"
)

// alertJSON holds the fields of a published alert that the tests read.
func alertJSON(tenant, customer, transition, tier, minute, reason string, risk float64) string {
	b, err := json.Marshal(map[string]any{
		"id":         "00",
		"tenant":     tenant,
		"customer":   customer,
		"kind":       "lapse",
		"transition": transition,
		"tier":       tier,
		"risk_score": risk,
		"reasons":    []any{map[string]any{"code": "overdue", "text": reason}},
		"time":       minute,
	})
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestAlertLines(t *testing.T) {
	alerts := []string{
		alertJSON(
			"",
			"1042",
			"raised",
			"at_risk",
			"2011-06-12T08:40:00Z",
			"usually back every 12 days, silent for 31 days",
			63.418,
		),
		alertJSON(
			"",
			"1042",
			"escalated",
			"critical",
			"2011-07-02T00:01:00Z",
			"usually back every 12 days, silent for 51 days",
			81,
		),
		alertJSON(
			"acme",
			"a-customer-with-a-very-long-name",
			"raised",
			"critical",
			"2011-07-02T00:02:00Z",
			"usually back every day, silent for 9 days",
			99.96,
		),
		alertJSON("", "1042", "recovered", "healthy", "2011-07-04T17:03:00Z", "back after 53 days", 7.25),
		alertJSON(
			"",
			"東京の顧客",
			"raised",
			"at_risk",
			"2011-07-05T00:00:00Z",
			"usually back every 3 hours, silent for 2 days",
			60,
		),
		alertJSON("", "evil\x1b[2J\r\n", "raised", "at_risk", "2011-07-05T00:00:00Z", "\x1b[31mred", 60),
		`{"not":"an alert"}`,
		"\x1b]0;title\x07 no JSON",
	}
	screens := []struct {
		name   string
		screen terminal.Screen
	}{
		{"no terminal", terminal.Screen{Width: 80}},
		{"80 columns", terminal.Screen{Terminal: true, Width: 80}},
		{"160 columns in colour", terminal.Screen{Terminal: true, Color: true, Width: 160}},
	}
	var got strings.Builder
	for _, s := range screens {
		fmt.Fprintf(&got, "## %s\n", s.name)
		s.screen.Writer = io.Discard
		line := &AlertLine{Screen: s.screen}
		for _, a := range alerts {
			text := line.Of([]byte(a))
			got.WriteString(strings.ReplaceAll(text, "\x1b", "␛") + "\n")
			if width := columns(text); s.screen.Terminal && width > s.screen.Width {
				t.Errorf("%s: %d columns: %s", s.name, width, text)
			}
		}
		got.WriteByte('\n')
	}
	golden.File(t, "alert_lines.golden", got.String())
}

// TestAlertLineOfHeldOut: nobody acts on what is held out, so the line says so.
func TestAlertLineOfHeldOut(t *testing.T) {
	for arm, want := range map[string]string{"": "  late", "treated": "  late", "holdout": "  held out: late"} {
		value := alertJSON("", "c", "raised", "watch", "2026-03-01T00:00:00Z", "late", 41)
		if arm != "" {
			value = strings.TrimSuffix(value, "}") + fmt.Sprintf(`,"arm":%q}`, arm)
		}
		line := AlertLine{Screen: terminal.Screen{Writer: io.Discard}}
		if got := line.Of([]byte(value)); !strings.HasSuffix(got, want) {
			t.Errorf("%q: %s", arm, got)
		}
	}
}
