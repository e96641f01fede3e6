package alert_test

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/feature"
	"ebb/scoring/model"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// TestTriggeredInAnyOrder: what is open in the end does not depend on the order of events, no episode's transitions go
// back in time, and the schema describes every alert of it, which explains itself.
func TestTriggeredInAnyOrder(t *testing.T) {
	pack, described := scoringtest.PackOf(t, "1", scoringtest.Troubles...), schema(t)
	types := pack.EventTypes()
	rapid.Check(t, func(t *rapid.T) {
		var events []scoringtest.Happening
		for i := range rapid.IntRange(1, 9).Draw(t, "events") {
			events = append(
				events,
				scoringtest.Happening{
					At:   rapid.Int64Range(0, 14).Draw(t, "day")*scoringtest.Day + int64(i),
					Type: rapid.SampledFrom(types).Draw(t, "type"),
				},
			)
		}
		lateness := rapid.SampledFrom([]int64{0, 300_000, 3 * scoringtest.Day}).Draw(t, "lateness")
		state := func(events []scoringtest.Happening) (last [profile.NumKinds]scoring.Transition) {
			var newest [profile.NumKinds]int64
			for _, d := range scoringtest.DecidedLate(pack, events, lateness, 0) {
				if d.Transition == scoring.Raised || d.Kind == profile.Lapse {
					newest[d.Kind] = 0
				}
				if last[d.Kind] = d.Transition; d.At < newest[d.Kind] {
					t.Fatalf("%v %v at %d, after a transition at %d", d.Kind, d.Transition, d.At, newest[d.Kind])
				}
				newest[d.Kind] = d.At
				a := alert.Alert{Decision: d, Customer: []byte("c"), Cause: alert.Cause{EventType: []byte("e"), Time: d.At}}
				b := alert.NewRenderer(pack).AppendAlert(nil, &a, a.ID())
				var v any
				if err := json.Unmarshal(b, &v); err != nil {
					t.Fatalf("%s: %v", b, err)
				}
				if err := described.Validate(v); err != nil {
					t.Fatalf("%s: %v", b, err)
				}
				if x, err := alert.NewRenderer(pack).Explain(b); err != nil || len(x.Differences) > 0 {
					t.Fatalf("%s: %v, error %v", b, x, err)
				}
			}
			return last
		}
		open := func(last [profile.NumKinds]scoring.Transition) (open [profile.NumKinds]bool) {
			for n := profile.Explicit; n < profile.NumKinds; n++ {
				open[n] = last[n] != scoring.TransitionNone && last[n] != scoring.Recovered && last[n] != scoring.Expired
			}
			return open
		}
		if a, b := open(state(events)), open(state(rapid.Permutation(events).Draw(t, "order"))); a != b {
			t.Fatalf("open %v, in another order %v", a, b)
		}
	})
}

// said is an alert's floor, value and score.
type said struct {
	Risk  float64 `json:"risk_score"`
	Floor *struct {
		Risk float64 `json:"risk_score"`
		Code string
	}
	Value       *struct{ Amount, AtRisk int64 }
	Probability *float64 `json:"churn_probability"`
	Score       struct {
		Visits int
		Terms  map[string]float64
	}
}

// TestFloorsInAlerts: the alerts of an open episode contain the floor, and the amount at risk is not below it.
func TestFloorsInAlerts(t *testing.T) {
	pack := scoringtest.PackOf(
		t,
		"1",
		"signals: {leave: {types: [leave]}, buy: {types: [buy]}}",
		"features: {spent: {kind: sum, of: buy, within: 90d}}",
		"value: {feature: spent, high: 1000, mid: 100}",
		"kinds: {explicit: {opens: [{signal: leave, floor: 90, code: cancellation_requested}], closes: [buy]}}",
	)
	render := func(d scoring.Decision) (v said) {
		a := alert.Alert{Decision: d, Customer: []byte("c")}
		text := strings.ReplaceAll(string(alert.NewRenderer(pack).AppendAlert(nil, &a, a.ID())), "at_risk\":", "atrisk\":")
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return v
	}
	raised := scoring.Decision{
		Kind:       profile.Explicit,
		Transition: scoring.Raised,
		Score:      model.Score{Visits: 3, Values: []feature.Value{{N: 4000, OK: true}}},
	}
	raised.Score.Terms[0] = -5
	v := render(raised)
	if v.Risk != 90 || v.Floor == nil || v.Floor.Risk != 90 || v.Value.AtRisk != 3600 || v.Score.Visits != 3 {
		t.Errorf("raised: %+v", v)
	}
	for _, end := range []scoring.Transition{scoring.Recovered, scoring.Expired} {
		d := raised
		d.Transition = end
		if v := render(d); v.Floor != nil || v.Risk > 1 || v.Value.AtRisk > 40 {
			t.Errorf("%v: %+v", end, v)
		}
	}
	learnt := raised
	learnt.Reading = model.Reading{Probes: 100, Number: 1, Points: [2]model.ReadPoint{{LogOdds: -5, Probability: 0.95}}}
	if v := render(learnt); v.Value.AtRisk != 3800 {
		t.Errorf("a probability of 0.95 as learnt, beyond the floor: %+v", v.Value)
	}
	refunded := raised
	refunded.Score.Values = []feature.Value{{N: -4000, OK: true}}
	if v := render(refunded); v.Value.Amount != -4000 || v.Value.AtRisk != 0 {
		t.Errorf("worth less than nothing: %+v", v.Value)
	}
	stranger := raised
	stranger.Score = model.Score{}
	v = render(stranger)
	if v.Score.Visits != 0 || v.Score.Terms != nil || v.Probability != nil || v.Risk != 90 {
		t.Errorf("without activity: %+v", v)
	}
}
