package main

import (
	"strings"
	"testing"

	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// TestExplainGoesOnWithoutScore: an alert about a customer without activity has no score to recompute, and explain goes
// on after it.
func TestExplainGoesOnWithoutScore(t *testing.T) {
	pack, err := pack.Load("saas", nil, pack.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	s, c := scoring.NewScorer(pack), profile.Customer{Profile: &profile.Profile{}}
	var lines []byte
	for i, eventType := range []string{"Payment Failed", "Payment Succeeded"} {
		at := int64(1_700_000_000_000 + i*1000)
		for _, d := range s.Observe(
			&c,
			&profile.Population{},
			&scoring.Observation{Time: at, Signal: pack.Signal([]byte(eventType))},
		) {
			a := alert.Alert{Decision: d, Customer: []byte("c-1"), Cause: alert.Cause{EventType: []byte(eventType), Time: at}}
			lines = append(alert.NewRenderer(pack).AppendAlert(lines, &a, a.ID()), '\n')
		}
	}
	o := run(t, nil, strings.NewReader(string(lines)), "explain").want(t, 0)
	for _, part := range []string{
		"a payment failed\n",
		"never active, so there is no score\n",
		"risk 40.000, by the floor\n",
		"a payment has gone through\n",
		"2 alerts recomputed",
	} {
		if !strings.Contains(o.stdout, part) {
			t.Errorf("nothing says %q in\n%s", part, o.stdout)
		}
	}
	spoilt := strings.Replace(string(lines), `"risk_score":40,`, `"risk_score":41,`, 1)
	run(t, nil, strings.NewReader(spoilt), "explain").want(t, 1)
}
