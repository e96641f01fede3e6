package scoring_test

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"ebb/scoring"
	"ebb/scoring/feature"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// firstLapse is when the first lapse is raised, never: the greatest time.
func firstLapse(all []scoring.Decision) int64 {
	for _, d := range all {
		if d.Kind == profile.Lapse {
			return d.At
		}
	}
	return math.MaxInt64
}

// TestFailedPaymentsAreNoLapse: with every shipped pack that has the kind, failed payments never make a lapse come
// earlier.
func TestFailedPaymentsAreNoLapse(t *testing.T) {
	for _, name := range pack.Shipped() {
		pack := scoringtest.Must(pack.Load(name, nil, pack.Overrides{}))
		if len(pack.Kinds[profile.Involuntary].Opens) == 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			for _, silent := range []int64{20, 60, 100, 201} {
				var events []scoringtest.Happening
				for i := range int64(10) {
					events = append(events, scoringtest.Happening{At: 6 * i * scoringtest.Day, Type: pack.Activity[0]})
				}
				without := firstLapse(scoringtest.Decided(pack, events, 3000))
				events = append(events, scoringtest.Happening{At: (54 + silent) * scoringtest.Day, Type: "Payment Failed"})
				if with := firstLapse(scoringtest.Decided(pack, events, 3000)); with < without {
					t.Errorf(
						"a payment that failed after %d days of silence: day %.1f, without it day %.1f",
						silent,
						float64(with-scoringtest.Begin)/scoringtest.Day,
						float64(without-scoringtest.Begin)/scoringtest.Day,
					)
				}
			}
			types := pack.EventTypes()
			rapid.Check(t, func(t *rapid.T) {
				draw := func(least int, name string, types []string) (events []scoringtest.Happening) {
					for range rapid.IntRange(least, 12).Draw(t, name) {
						e := scoringtest.Happening{
							At:   rapid.Int64Range(0, 300*scoringtest.Day).Draw(t, "at"),
							Type: rapid.SampledFrom(types).Draw(t, "type"),
						}
						e.Properties = map[string]feature.Property{
							"final": {Kind: feature.PropertyBool, Number: rapid.Int64Range(0, 1).Draw(t, "final")},
						}
						events = append(events, e)
					}
					return events
				}
				byTime := func(a, b scoringtest.Happening) int { return cmp.Compare(a.At, b.At) }
				events := append(draw(3, "visits", pack.Activity), draw(0, "events", types)...)
				slices.SortStableFunc(events, byTime)
				without := firstLapse(scoringtest.Decided(pack, events, 1500))
				more := append(slices.Clone(events), draw(1, "failed payments", []string{"Payment Failed"})...)
				slices.SortStableFunc(more, byTime)
				if with := firstLapse(scoringtest.Decided(pack, more, 1500)); with < without {
					t.Fatal(
						fmt.Sprintf(
							"lapse on day %.4f, without payments that failed on day %.4f",
							float64(with-scoringtest.Begin)/scoringtest.Day,
							float64(without-scoringtest.Begin)/scoringtest.Day,
						),
					)
				}
			})
		})
	}
}

// TestLapseBesideOtherKinds: an open episode of another kind holds a lapse back only up to its own floor's tier.
func TestLapseBesideOtherKinds(t *testing.T) {
	const signals = "signals:\n  ask: {types: [ask]}\n  tell: {types: [tell]}\nkinds:\n"
	for name, c := range map[string]struct {
		kinds string
		want  profile.Tier
	}{
		"none": {
			"  explicit: {opens: [{signal: tell, floor: 90, code: dispute_open}], expires: 3000d}",
			profile.AtRisk,
		},
		"below the lapse": {
			"  explicit: {opens: [{signal: ask, floor: 59, code: dispute_open}], expires: 3000d}",
			profile.AtRisk,
		},
		"as much as at risk": {
			"  explicit: {opens: [{signal: ask, floor: 60, code: dispute_open}], expires: 3000d}",
			profile.Critical,
		},
		"as much as critical": {
			"  explicit: {opens: [{signal: ask, floor: 80, code: dispute_open}], expires: 3000d}",
			profile.TierNone,
		},
		"until it expires": {
			"  explicit: {opens: [{signal: ask, floor: 80, code: dispute_open}], expires: 30d}",
			profile.AtRisk,
		},
		"payments, whatever": {
			"  involuntary: {opens: [{signal: ask, floor: 10, code: dispute_open}], expires: 3000d}",
			profile.TierNone,
		},
		"the higher one counts": {
			"  explicit: {opens: [{signal: ask, floor: 10, code: dispute_open}], expires: 3000d}\n  service_failure: {opens: " +
				"[{signal: ask, floor: 60, code: dispute_open}], expires: 3000d}",
			profile.Critical,
		},
		"tiers of the stage": {
			"  explicit: {opens: [{signal: ask, floor: 60, code: dispute_open}], expires: 3000d}\nstages: {new: 1000d, tiers: " +
				"{new: {watch: 20, at_risk: 30, critical: 60}}}",
			profile.TierNone,
		},
	} {
		t.Run(name, func(t *testing.T) {
			pack := scoringtest.PackOf(t, "1", signals, c.kinds)
			var events []scoringtest.Happening
			for i := range int64(10) {
				events = append(events, scoringtest.Happening{At: 6 * i * scoringtest.Day, Type: "buy"})
			}
			events = append(events, scoringtest.Happening{At: 55 * scoringtest.Day, Type: "ask"})
			got := profile.TierNone
			for _, d := range scoringtest.Decided(pack, events, 2900) {
				if d.Kind == profile.Lapse && d.Transition == scoring.Raised {
					got = d.Tier
				}
			}
			if got != c.want {
				t.Errorf("raised %v, want %v", got, c.want)
			}
		})
	}
}
