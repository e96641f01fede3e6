package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestRunAdvanceTo: a log of the past ends, and a person says what time it is: who is silent by then is raised, once, and
// the time does not go back.
func TestRunAdvanceTo(t *testing.T) {
	s := startServices(t, "events", "ebb.alerts", "events.dlq", "ebb.control", "ebb.packs", "ebb.decisions")
	s.configure(t, "events", map[string]string{"retention.ms": "-1"})
	s.environ = append(s.environ, "EBB_HTTP_LISTEN=")
	const customers = 6
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s.feed(t, 0, 20*customers, func(i int) string {
		at := begin.Add(time.Duration(i) * 24 * time.Hour / customers)
		return fmt.Sprintf(`{"id":"%d","customer":"c%d","type":"visit","time":%q}`, i, i%customers, at.Format(time.RFC3339))
	})
	advance := func(want uint64, flags ...string) {
		t.Helper()
		args := append([]string{"run", "--pack", "any", "--horizon", "10d", "--until-end", "--leave"}, flags...)
		sum := summaryOf(t, run(t, s.environ, nil, args...).want(t, exitOK))
		if got := sum.Transitions["raised"]; got != want {
			t.Errorf("%v: %d raised, want %d", flags, got, want)
		}
	}
	advance(0)
	advance(0, "--advance-to", "2026-01-20T12:00:00Z")
	advance(customers, "--advance-to", "2026-02-20T00:00:00Z")
	advance(0, "--advance-to", "2026-02-10T00:00:00Z")
	advance(0, "--advance-to", "2026-02-20T00:00:00Z")
	advance(0, "--advance-to", "now")

	for flags, says := range map[string]string{
		"--until-end --advance-to tomorrow":             "want a time such as",
		"--until-end --advance-to 2200-01-01T00:00:00Z": "has not come",
		"--advance-to now":                              "needs --until-end",
	} {
		got := run(t, s.environ, nil, append([]string{"run"}, strings.Fields(flags)...)...).want(t, exitUsage)
		if !strings.Contains(got.stderr, says) {
			t.Errorf("%s: %s", flags, got.stderr)
		}
	}
}
