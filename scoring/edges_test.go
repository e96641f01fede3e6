package scoring_test

import (
	"testing"

	"ebb/scoring/feature"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// daily is a customer of a pack that buys every day, the last time on the day before.
func daily(pack *pack.Pack, days int64) *scoringtest.Walk {
	w := scoringtest.NewWalk(pack)
	for i := range days {
		w.Observe(scoringtest.Begin+(i-days)*scoringtest.Day, "buy", nil, 100)
	}
	return w
}

// TestStageEdges: a stage begins with the very ms, and a customer who returns after exactly that time is back.
func TestStageEdges(t *testing.T) {
	pack := scoringtest.PackOf(t, "1", "stages: {dormant: 10d, churned: 20d, resurrected: 5d}")
	w := daily(pack, 5)
	last := w.Customer.Last
	for _, c := range []struct {
		after int64
		want  profile.Stage
	}{
		{
			10*scoringtest.Day - 1,
			profile.StageActive,
		}, {
			10 * scoringtest.Day,
			profile.StageDormant,
		}, {20*scoringtest.Day - 1, profile.StageDormant}, {20 * scoringtest.Day, profile.StageChurned},
	} {
		if _, got := w.Scorer.TierAt(&w.Customer, last+c.after); got != c.want {
			t.Errorf("%d ms after the last activity: %v, want %v", c.after, got, c.want)
		}
	}
	for after, back := range map[int64]bool{10*scoringtest.Day - 1: false, 10 * scoringtest.Day: true} {
		w := daily(pack, 5)
		w.Observe(last+after, "buy", nil, 100)
		for _, at := range []int64{0, 5*scoringtest.Day - 1, 5 * scoringtest.Day} {
			_, got := w.Scorer.TierAt(&w.Customer, last+after+at)
			if want := back && at < 5*scoringtest.Day; (got == profile.StageResurrected) != want {
				t.Errorf("back after %d ms, %d ms later: %v", after, at, got)
			}
		}
	}
}

// TestDeadlinesAtSteps: a lapse is raised at the end of a stage or a factor, if that has prevented it so far.
func TestDeadlinesAtSteps(t *testing.T) {
	const tiers = "tiers: {watch: 4, at_risk: 6, critical: 99}"
	const signals = "signals: {buy: {types: [buy]}}"
	for name, c := range map[string]struct {
		lines []string
		want  int64 // days after the last activity
	}{
		"the stage of who is back ends": {
			[]string{
				tiers,
				"stages: {dormant: 11d, resurrected: 6d, tiers: {resurrected: {watch: 97, at_risk: 98, critical: 99}}}",
			},
			6,
		},
		"a factor of the stage before ends": {[]string{
			tiers, signals, "stages: {dormant: 8d}", "features: {n: {kind: tenure}}", "cap: 4",
			"factors: [{code: neglected, feature: n, curve: [[0d, -4]], stages: [active]}]",
		}, 8},
		"a factor runs out of data": {[]string{
			tiers, signals, "features: {n: {kind: last, of: buy, property: size, within: 7d}}", "cap: 4",
			"factors: [{code: low_rating, feature: n, curve: [[0, -4]]}]",
		}, 7},
	} {
		t.Run(name, func(t *testing.T) {
			w := scoringtest.NewWalk(scoringtest.PackOf(t, "1", c.lines...))
			size := []feature.Property{{Kind: feature.PropertyNumber, Number: 1000}}
			midnight := scoringtest.Begin / scoringtest.Day * scoringtest.Day
			for i := range int64(20) {
				w.Observe(midnight+i*scoringtest.Day, "buy", size, 100)
			}
			last := midnight + 31*scoringtest.Day // back after twelve days
			w.Observe(last, "buy", size, 100)
			d := checkDeadline(t, w)
			if d == nil || d.Kind != profile.Lapse || d.At != last+c.want*scoringtest.Day {
				t.Errorf("%+v, want a lapse %d days after day %d", d, c.want, last/scoringtest.Day)
			}
		})
	}
}
