package main

import (
	"fmt"
	"strings"
	"testing"
)

// TestRunAlertsAboutCustomersAlone: of everybody who comes once and never again, the shipped packs alert about
// customers. The summary counts the events of others.
func TestRunAlertsAboutCustomersAlone(t *testing.T) {
	for _, c := range []struct {
		pack, event        string
		alerts, ineligible uint64
	}{
		{"retail", "Product Viewed", 0, 1003},
		{"any", "Product Viewed", 1000, 0},
		{"retail", "purchase", 1000, 0},
		{"saas", "Signed In", 1000, 0},
		{"saas", "Webinar Attended", 0, 1003},
	} {
		t.Run(c.pack+" "+c.event, func(t *testing.T) {
			s := startServices(t)
			s.environ = append(s.environ, "EBB_HTTP_LISTEN=", "EBB_LOG_FORMAT=json", "EBB_PACK="+c.pack)
			run(t, s.environ, nil, "check", "--create", "--partitions", "1").want(t, exitOK)
			var log strings.Builder
			for i := range 1000 {
				fmt.Fprintf(&log, `{"customer":"c%d","type":%q,"time":"2026-01-01T00:%02d:00Z"}`+"\n", i, c.event, i/20)
			}
			for i := range 3 { // move the clock
				fmt.Fprintf(&log, `{"customer":"late%d","type":%q,"time":"2027-12-31T00:00:00Z"}`+"\n", i, c.event)
			}
			run(t, s.environ, nil, "produce", writeLog(t, "once.ndjson", log.String())).want(t, exitOK)
			o := run(t, s.environ, nil, "run", "--until-end", "--leave").want(t, exitOK)
			sum := summaryOf(t, o)
			if sum.Events != 1003 || sum.Transitions["raised"] != c.alerts || sum.Ineligible != c.ineligible ||
				c.alerts == 0 && sum.Alerts != 0 {
				t.Errorf("%+v, want %d raised, and %d events of others", sum, c.alerts, c.ineligible)
			}
		})
	}
}
