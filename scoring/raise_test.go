package scoring_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// TestRaisedByWhoItIs: the tier at which a lapse opens, and those through which it goes.
func TestRaisedByWhoItIs(t *testing.T) {
	pack := scoringtest.PackOf(
		t, "1",
		"signals: {buy: {types: [buy]}}",
		"features: {buys: {kind: count, of: buy, within: 400d}}",
		"value: {feature: buys, high: 3, mid: 2}",
		"raise: {regular: watch, high: watch, mid: critical}",
	)
	often := func(n int, days int64, kind string) (events []scoringtest.Happening) {
		for i := range int64(n) {
			events = append(events, scoringtest.Happening{At: (days*i + i%2) * scoringtest.Day, Type: kind})
		}
		return events
	}
	for name, c := range map[string]struct {
		events []scoringtest.Happening
		want   []string
	}{
		"a regular":             {often(20, 5, "view"), []string{"raised watch", "escalated at_risk", "escalated critical"}},
		"four visits":           {often(4, 5, "view"), []string{"raised at_risk", "escalated critical"}},
		"seldom":                {often(9, 20, "view"), []string{"raised at_risk", "escalated critical"}},
		"of the highest value":  {often(4, 20, "buy"), []string{"raised watch", "escalated at_risk", "escalated critical"}},
		"of the value below it": {slices.Concat(often(3, 20, "view"), often(2, 1, "buy")), []string{"raised critical"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			last := slices.MaxFunc(c.events, func(a, b scoringtest.Happening) int { return int(a.At - b.At) })
			for _, d := range scoringtest.Decided(pack, c.events, 700) {
				if d.Kind == profile.Lapse && d.At > scoringtest.Begin+last.At {
					got = append(got, fmt.Sprintf("%v %v", d.Transition, d.Tier))
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
