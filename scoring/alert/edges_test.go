package alert_test

import (
	"encoding/json"
	"testing"

	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/feature"
	"ebb/scoring/model"
	"ebb/scoring/scoringtest"
)

// TestValueEdges: a value tier begins with its amount.
func TestValueEdges(t *testing.T) {
	pack := scoringtest.PackOf(
		t,
		"1",
		"signals: {buy: {types: [buy]}}",
		"features: {spent: {kind: sum, of: buy, within: 90d}}",
		"value: {feature: spent, high: 1000, mid: 100}",
		"playbooks: [{when: [overdue], high: {id: h, intent: content, owner: o, respond_within: 1d}, mid: {id: m, intent: content, owner: o, respond_within: "+
			"1d}, low: {id: l, intent: content, owner: o, respond_within: 1d}}]",
	)
	for amount, want := range map[int64]string{1000: "high h", 999: "mid m", 100: "mid m", 99: "low l"} {
		a := alert.Alert{Decision: scoring.Decision{Transition: scoring.Raised}, Customer: []byte("c")}
		a.Score.Visits, a.Score.Values = 2, []feature.Value{{N: amount, OK: true}}
		a.Play = a.ChoosePlay(pack)
		var got struct {
			Value    struct{ Tier string }
			Playbook struct{ ID string }
		}
		if err := json.Unmarshal(alert.NewRenderer(pack).AppendAlert(nil, &a, a.ID()), &got); err != nil {
			t.Fatal(err)
		}
		if got.Value.Tier+" "+got.Playbook.ID != want {
			t.Errorf("%d: %+v, want %s", amount, got, want)
		}
	}
}

// TestLeastReason: a term that adds exactly the required amount is a reason.
func TestLeastReason(t *testing.T) {
	for add, want := range map[string]int{"0.1": 3, "0.0999": 2} {
		pack := scoringtest.PackOf(
			t,
			"1",
			"features: {n: {kind: tenure}}",
			"factors: [{code: neglected, feature: n, curve: [[0d, "+add+"]]}]",
		)
		d := scoring.Decision{Transition: scoring.Raised, Score: model.Score{Visits: 2, Values: []feature.Value{{OK: true}}}}
		d.Score.Terms[model.TermRhythm], d.Score.Terms[model.TermLevel], d.Score.Terms[model.TermTenure] = -5, -5, -5
		if got := d.ReasonCodes(pack); len(got) != want {
			t.Errorf("a factor of %s: %v", add, got)
		}
	}
}
