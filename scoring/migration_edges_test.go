package scoring_test

import (
	"bytes"
	"fmt"
	"testing"

	"ebb/scoring"
	"ebb/scoring/feature"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// TestMigrationKeepsOnlyTheSame: a feature with other tiles, or with another closing signal, is not carried over.
func TestMigrationKeepsOnlyTheSame(t *testing.T) {
	for name, c := range map[string]struct {
		older, newer string
		kept         bool
	}{
		"the same":        {"n: {kind: count, of: buy, within: 2d}", "m: {kind: count, of: buy, within: 2d}", true},
		"days for hours":  {"n: {kind: count, of: buy, within: 48h}", "n: {kind: count, of: buy, within: 2d}", false},
		"another end":     {"n: {kind: open, of: buy, until: gone}", "n: {kind: open, of: buy, until: low}", false},
		"the same end":    {"n: {kind: open, of: buy, until: gone}", "m: {kind: open, of: buy, until: gone}", true},
		"another opening": {"n: {kind: since, of: buy}", "n: {kind: since, of: gone}", false},
	} {
		t.Run(name, func(t *testing.T) {
			from := scoring.NewScorer(scoringtest.PackOf(t, "1", olderSignals, "features: {"+c.older+"}"))
			to := scoring.NewScorer(scoringtest.PackOf(t, "2", olderSignals, "features: {"+c.newer+"}"))
			p := profile.Customer{Profile: &profile.Profile{}}
			from.Observe(
				&p,
				&profile.Population{},
				&scoring.Observation{Time: scoringtest.Begin, Signal: from.Pack.Signal([]byte("buy"))},
			)
			scoring.NewMigration(from, to).Enter(&p, scoringtest.Begin-scoringtest.Day)
			if got := to.Eval.Score(&p, scoringtest.Begin).Values; got[0].OK != c.kept {
				t.Errorf("%+v", got)
			}
			if p.Armed != scoringtest.Begin/60_000 {
				t.Errorf("looked at in minute %d, not at once in %d", p.Armed, scoringtest.Begin/60_000)
			}
			scoring.NewMigration(from, to).Enter(&p, scoringtest.Begin+scoringtest.Day)
			if p.Armed != (scoringtest.Begin+scoringtest.Day)/60_000 {
				t.Errorf("looked at in minute %d, not with the event in %d", p.Armed, (scoringtest.Begin+scoringtest.Day)/60_000)
			}
		})
	}
}

// TestMigrationReach: tiles beyond the new window are left behind, to the tile.
func TestMigrationReach(t *testing.T) {
	for _, kind := range []string{"distinct, of: buy, property: sort", "count, of: buy", "sum, of: buy"} {
		pack := func(days string) *scoring.Scorer {
			return scoring.NewScorer(
				scoringtest.PackOf(t, "1", olderSignals, "features: {n: {kind: "+kind+", within: "+days+"}}"),
			)
		}
		for _, gap := range []int64{7, 8, 9} {
			from, to := pack("40d"), pack("8d")
			got, want := profile.Customer{Profile: &profile.Profile{}}, profile.Customer{Profile: &profile.Profile{}}
			for i, at := range []int64{scoringtest.Begin, scoringtest.Begin + gap*scoringtest.Day} {
				properties := make([]feature.Property, len(from.Pack.Properties()))
				for j := range properties {
					properties[j] = feature.Property{Kind: feature.PropertyText, Hash: uint64(i + 1)}
				}
				o := scoring.Observation{
					Time:       at,
					Signal:     from.Pack.Signal([]byte("buy")),
					Properties: properties,
					Value:      100,
					HasValue:   true,
				}
				from.Observe(&got, &profile.Population{}, &o)
				to.Observe(&want, &profile.Population{}, &o)
			}
			scoring.NewMigration(from, to).Enter(&got, scoringtest.Begin+gap*scoringtest.Day)
			if !bytes.Equal(got.Features, want.Features) {
				t.Errorf("%s, %d days apart: carried over % x, folded % x", kind, gap, got.Features, want.Features)
			}
		}
	}
}

// TestMigrationOfOpenings: each open opening goes on under the corresponding one, an ended one under its own code, and
// an episode whose kind is gone ends no earlier than the customer's newest event.
func TestMigrationOfOpenings(t *testing.T) {
	const signals = "signals: {buy: {types: [buy]}, a: {types: [a]}, b: {types: [b]}, x: {types: [x]}, y: {types: [y]}}\n"
	kind := func(openings string) string {
		return signals + "kinds: {service_failure: {opens: [" + openings + "], expires: 60d}}"
	}
	older := scoringtest.PackOf(
		t,
		"1",
		kind(
			"{signal: a, floor: 50, code: dispute_open, closes: [x]}, {signal: b, floor: 60, code: ticket_escalated, closes: "+
				"[y]}",
		),
	)
	newer := "{signal: a, floor: 40, code: payment_failed}, {signal: b, floor: 50, code: incident}, {signal: a, floor: " +
		"60, code: payout_held}, {signal: b, floor: 70, code: dispute_open}"
	for name, c := range map[string]struct {
		events []string
		want   uint8
		times  [8]int64 // minutes after the beginning
	}{
		"by code, and by the same floor": {[]string{"a", "b"}, 1<<3 | 1<<2, [8]int64{0, 0, 2, 1}},
		"what has ended, by code":        {[]string{"a", "b", "x"}, 1 << 2, [8]int64{0, 0, 2, 3}},
		"what has ended, of no code":     {[]string{"a", "b", "y"}, 1 << 3, [8]int64{0, 0, 0, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			from, to := scoring.NewScorer(older), scoring.NewScorer(scoringtest.PackOf(t, "2", kind(newer)))
			p := profile.Customer{Profile: &profile.Profile{}}
			for i, e := range append([]string{"buy"}, c.events...) {
				from.Observe(
					&p,
					&profile.Population{},
					&scoring.Observation{Time: scoringtest.Begin + int64(i)*60_000, Signal: from.Pack.Signal([]byte(e))},
				)
			}
			gone := scoring.NewMigration(from, scoring.NewScorer(scoringtest.PackOf(t, "2")))
			state := *p.Profile
			left := gone.Leave(&profile.Customer{Profile: &state}, scoringtest.Begin-scoringtest.Day)
			if len(left) != 1 || left[0].At != p.At || state.EpisodeOf(profile.ServiceFailure).Sequence != 0 {
				t.Errorf("left with %+v", left)
			}
			scoring.NewMigration(from, to).Enter(&p, scoringtest.Begin+scoringtest.Day)
			h, times := *p.EpisodeOf(profile.ServiceFailure), [8]int64{}
			for i, at := range h.Times {
				if at != 0 {
					times[i] = (at - scoringtest.Begin) / 60_000
				}
			}
			if h.Openings != c.want || times != c.times || !scoringtest.Readable(p.Profile) {
				t.Errorf("%s, want %b, %v", fmt.Sprintf("%b, %v", h.Openings, times), c.want, c.times)
			}
		})
	}
}
