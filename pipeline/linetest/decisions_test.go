//go:build integration

package linetest_test

import (
	"encoding/json"
	"testing"

	"ebb/sinks/format"
)

// decisions is the group's ledger, for a reader of committed data.
func (g *group) decisions() []format.Decision {
	g.t.Helper()
	records := g.read(g.keys["kafka.decisions"])
	all := make([]format.Decision, len(records))
	for i, r := range records {
		if err := json.Unmarshal(r.Value, &all[i]); err != nil || string(r.Key) != all[i].Customer {
			g.t.Fatalf("%q: %s: %v", r.Key, r.Value, err)
		}
	}
	return all
}

// checkLedger: no line of the ledger comes twice; each raise that is held is released or withdrawn later, but for so many
// that are held still; and what is released, and only that, is an alert.
func checkLedger(t *testing.T, ledger []format.Decision, alerts []alert, still int) (outcomes map[string]int) {
	t.Helper()
	raised, seen, held := map[string]bool{}, map[format.Decision]bool{}, map[string]bool{}
	for _, a := range alerts {
		raised[a.ID] = a.Transition == "raised"
	}
	outcomes = map[string]int{}
	for _, d := range ledger {
		once := d
		if once.ReviewAt = nil; seen[once] {
			t.Errorf("twice: %+v", once)
		}
		seen[once] = true
		outcomes[d.Outcome]++
		switch d.Outcome {
		case "held":
			held[d.AlertID] = true
			continue
		case "withheld":
			continue
		}
		if !held[d.AlertID] || raised[d.AlertID] != (d.Outcome == "released") {
			t.Errorf("held %v, raised %v: %+v", held[d.AlertID], raised[d.AlertID], d)
		}
		delete(held, d.AlertID)
	}
	if len(held) != still {
		t.Errorf("%d raises are held by the ledger, want %d", len(held), still)
	}
	return outcomes
}
