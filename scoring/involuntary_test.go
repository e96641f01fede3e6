package scoring_test

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"ebb/scoring"
)

// happening is an event of a customer's life, in ms from its beginning.
type happening struct {
	at         int64
	eventType  string
	properties map[string]scoring.PropertyValue
}

// decided are the decisions about one customer of a pack with these events, up to so many days after the last.
func decided(pack *scoring.Pack, events []happening, days int64) (all []scoring.Decision) {
	return decidedLate(pack, events, 0, days)
}

// decidedLate is decided where deadlines fire by so many ms before each event.
func decidedLate(pack *scoring.Pack, events []happening, lateness, days int64) (all []scoring.Decision) {
	scorer, pop := scoring.NewScorer(pack), scoring.Population{}
	c := scoring.Customer{Profile: &scoring.Profile{}}
	note := func(decisions []scoring.Decision) {
		for _, d := range decisions {
			d.Score.Values = slices.Clone(d.Score.Values)
			all = append(all, d)
		}
	}
	wake := func(until int64) {
		for c.Armed != 0 && c.Armed <= until/60_000 {
			note(scorer.Wake(&c))
		}
	}
	last := int64(0)
	for _, e := range events {
		wake(begin + e.at - lateness)
		var properties []scoring.PropertyValue
		for _, path := range pack.Properties() {
			properties = append(properties, e.properties[path])
		}
		note(scorer.Observe(&c, &pop, &scoring.Observation{
			Time: begin + e.at, Signal: pack.Signal([]byte(e.eventType), properties...), Properties: properties,
		}))
		last = max(last, begin+e.at)
	}
	wake(last + days*day)
	return all
}

// firstLapse is when the first lapse is raised, never: the greatest time.
func firstLapse(all []scoring.Decision) int64 {
	for _, d := range all {
		if d.Kind == scoring.Lapse {
			return d.At
		}
	}
	return math.MaxInt64
}

// TestFailedPaymentsAreNoLapse: with every shipped pack that has the kind, payments that fail never make a lapse come earlier.
func TestFailedPaymentsAreNoLapse(t *testing.T) {
	for _, name := range scoring.Shipped() {
		pack := must(scoring.Load(name, nil, scoring.Overrides{}))
		if len(pack.Kinds[scoring.Involuntary].Opens) == 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			for _, silent := range []int64{20, 60, 100, 201} {
				var events []happening
				for i := range int64(10) {
					events = append(events, happening{at: 6 * i * day, eventType: pack.Activity[0]})
				}
				without := firstLapse(decided(pack, events, 3000))
				events = append(events, happening{at: (54 + silent) * day, eventType: "Payment Failed"})
				if with := firstLapse(decided(pack, events, 3000)); with < without {
					t.Errorf("a payment that failed after %d days of silence: day %.1f, without it day %.1f", silent, float64(with-begin)/day, float64(without-begin)/day)
				}
			}
			types := pack.EventTypes()
			rapid.Check(t, func(t *rapid.T) {
				draw := func(least int, name string, types []string) (events []happening) {
					for range rapid.IntRange(least, 12).Draw(t, name) {
						e := happening{at: rapid.Int64Range(0, 300*day).Draw(t, "at"), eventType: rapid.SampledFrom(types).Draw(t, "type")}
						e.properties = map[string]scoring.PropertyValue{"final": {Kind: scoring.PropertyBool, Number: rapid.Int64Range(0, 1).Draw(t, "final")}}
						events = append(events, e)
					}
					return events
				}
				byTime := func(a, b happening) int { return cmp.Compare(a.at, b.at) }
				events := append(draw(3, "visits", pack.Activity), draw(0, "events", types)...)
				slices.SortStableFunc(events, byTime)
				without := firstLapse(decided(pack, events, 1500))
				more := append(slices.Clone(events), draw(1, "failed payments", []string{"Payment Failed"})...)
				slices.SortStableFunc(more, byTime)
				if with := firstLapse(decided(pack, more, 1500)); with < without {
					t.Fatal(fmt.Sprintf("lapse on day %.4f, without payments that failed on day %.4f", float64(with-begin)/day, float64(without-begin)/day))
				}
			})
		})
	}
}

// TestLapseBesideOtherKinds: an open episode of another kind holds a lapse back only as far as it says as much.
func TestLapseBesideOtherKinds(t *testing.T) {
	const signals = "signals:\n  ask: {types: [ask]}\n  tell: {types: [tell]}\nkinds:\n"
	for name, c := range map[string]struct {
		kinds string
		want  scoring.Tier
	}{
		"none":                  {"  explicit: {opens: [{signal: tell, floor: 90, code: dispute_open}], expires: 3000d}", scoring.AtRisk},
		"below the lapse":       {"  explicit: {opens: [{signal: ask, floor: 59, code: dispute_open}], expires: 3000d}", scoring.AtRisk},
		"as much as at risk":    {"  explicit: {opens: [{signal: ask, floor: 60, code: dispute_open}], expires: 3000d}", scoring.Critical},
		"as much as critical":   {"  explicit: {opens: [{signal: ask, floor: 80, code: dispute_open}], expires: 3000d}", scoring.TierNone},
		"until it expires":      {"  explicit: {opens: [{signal: ask, floor: 80, code: dispute_open}], expires: 30d}", scoring.AtRisk},
		"payments, whatever":    {"  involuntary: {opens: [{signal: ask, floor: 10, code: dispute_open}], expires: 3000d}", scoring.TierNone},
		"the higher one counts": {"  explicit: {opens: [{signal: ask, floor: 10, code: dispute_open}], expires: 3000d}\n  service_failure: {opens: [{signal: ask, floor: 60, code: dispute_open}], expires: 3000d}", scoring.Critical},
		"tiers of the stage":    {"  explicit: {opens: [{signal: ask, floor: 60, code: dispute_open}], expires: 3000d}\nstages: {new: 1000d, tiers: {new: {watch: 20, at_risk: 30, critical: 60}}}", scoring.TierNone},
	} {
		t.Run(name, func(t *testing.T) {
			pack := packOf(t, "1", signals, c.kinds)
			var events []happening
			for i := range int64(10) {
				events = append(events, happening{at: 6 * i * day, eventType: "buy"})
			}
			events = append(events, happening{at: 55 * day, eventType: "ask"})
			got := scoring.TierNone
			for _, d := range decided(pack, events, 2900) {
				if d.Kind == scoring.Lapse && d.Transition == scoring.Raised {
					got = d.Tier
				}
			}
			if got != c.want {
				t.Errorf("raised %v, want %v", got, c.want)
			}
		})
	}
}
