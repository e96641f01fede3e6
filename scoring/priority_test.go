package scoring_test

import (
	"cmp"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"ebb/scoring"
	"ebb/scoring/feature"
	"ebb/scoring/model"
	"ebb/scoring/scoringtest"
)

// TestPriorityFollowsTheMoney: whoever has more at risk is never behind, ten times the money are 200 points, and who is
// of unknown worth counts as one at whom the middle tier begins.
func TestPriorityFollowsTheMoney(t *testing.T) {
	k := scoringtest.PackOf(t, "1", "signals: {buy: {types: [buy]}}",
		"features: {spent: {kind: sum, of: buy, within: 90d}}", "value: {feature: spent, high: 50000, mid: 10000}")
	raised := func(worth feature.Value, probability float64) *scoring.Decision {
		d := &scoring.Decision{Transition: scoring.Raised}
		d.Score.Visits, d.Score.Values = 3, []feature.Value{worth}
		d.Reading = model.Reading{Probes: 100, Number: 1, Points: [2]model.ReadPoint{{Probability: probability}}}
		return d
	}
	for worth, want := range map[int64]int{-500: 0, 0: 0, 9_00: 200, 99_00: 400, 999_00: 600, 99_999_00: 1000, 1 << 60: 1000} {
		if got := raised(feature.Value{N: worth, OK: true}, 1).Priority(k); got != want {
			t.Errorf("%d at risk: %d, want %d", worth, got, want)
		}
	}
	if got, want := raised(feature.Value{}, 0.5).Priority(k), raised(feature.Value{N: 10_000, OK: true}, 0.5).Priority(k); got != want {
		t.Errorf("of unknown worth: %d, want %d", got, want)
	}
	ended := raised(feature.Value{N: 10_000, OK: true}, 0.5)
	if ended.Transition = scoring.Recovered; ended.Priority(k) != 0 {
		t.Error("somebody should act on a recovery")
	}
	rapid.Check(t, func(t *rapid.T) {
		type alert struct {
			risk     float64
			priority int
		}
		var all []alert
		for range 20 {
			worth, p := rapid.Int64Range(0, 1e8).Draw(t, "worth"), rapid.Float64Range(0, 1).Draw(t, "probability")
			all = append(all, alert{float64(worth) * p, raised(feature.Value{N: worth, OK: true}, p).Priority(k)})
		}
		slices.SortFunc(all, func(a, b alert) int { return cmp.Compare(a.risk, b.risk) })
		for i := range all {
			if i > 0 && all[i].priority < all[i-1].priority {
				t.Fatalf("%+v comes before %+v", all[i-1], all[i])
			}
			if exact := min(200*math.Log10(1+all[i].risk/100), 1000); math.Abs(exact-float64(all[i].priority)) > 0.501 {
				t.Fatalf("%+v, want %v", all[i], exact)
			}
		}
	})
}
