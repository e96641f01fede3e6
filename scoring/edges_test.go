package scoring_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"ebb/scoring"
	"ebb/scoring/scoringtest"
)

// daily is a customer of a pack that buys every day, the last time on the day before.
func daily(pack *scoring.Pack, days int64) *scoringtest.Walk {
	w := scoringtest.NewWalk(pack)
	for i := range days {
		w.Observe(scoringtest.Begin+(i-days)*scoringtest.Day, "buy", nil, 100)
	}
	return w
}

// TestStageEdges: a stage begins with the very ms, and whoever is back after as long is back.
func TestStageEdges(t *testing.T) {
	pack := scoringtest.PackOf(t, "1", "stages: {dormant: 10d, churned: 20d, resurrected: 5d}")
	w := daily(pack, 5)
	last := w.Customer.Last
	for _, c := range []struct {
		after int64
		want  scoring.Stage
	}{
		{10*scoringtest.Day - 1, scoring.StageActive}, {10 * scoringtest.Day, scoring.StageDormant}, {20*scoringtest.Day - 1, scoring.StageDormant}, {20 * scoringtest.Day, scoring.StageChurned},
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
			if want := back && at < 5*scoringtest.Day; (got == scoring.StageResurrected) != want {
				t.Errorf("back after %d ms, %d ms later: %v", after, at, got)
			}
		}
	}
}

// TestDeadlinesAtSteps: where a stage or a factor ends is when a lapse is raised, if that is what kept it away.
func TestDeadlinesAtSteps(t *testing.T) {
	const tiers = "tiers: {watch: 4, at_risk: 6, critical: 99}"
	const signals = "signals: {buy: {types: [buy]}}"
	for name, c := range map[string]struct {
		lines []string
		want  int64 // days after the last activity
	}{
		"the stage of who is back ends": {[]string{tiers, "stages: {dormant: 11d, resurrected: 6d, tiers: {resurrected: {watch: 97, at_risk: 98, critical: 99}}}"}, 6},
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
			size := []scoring.PropertyValue{{Kind: scoring.PropertyNumber, Number: 1000}}
			midnight := scoringtest.Begin / scoringtest.Day * scoringtest.Day
			for i := range int64(20) {
				w.Observe(midnight+i*scoringtest.Day, "buy", size, 100)
			}
			last := midnight + 31*scoringtest.Day // back after twelve days
			w.Observe(last, "buy", size, 100)
			d := checkDeadline(t, w)
			if d == nil || d.Kind != scoring.Lapse || d.At != last+c.want*scoringtest.Day {
				t.Errorf("%+v, want a lapse %d days after day %d", d, c.want, last/scoringtest.Day)
			}
		})
	}
}

// TestLastRunsOut: a range that ends where the newest event leaves the window does not always have data.
func TestLastRunsOut(t *testing.T) {
	f := scoringtest.Must(scoring.CompileFeatures([]scoring.Feature{{Name: "n", Kind: scoring.FeatureLast, Of: 0, To: -1, Property: 0, Within: 3}}))
	midnight := scoringtest.Begin / scoringtest.Day * scoringtest.Day
	state, _ := f.Fold(nil, &scoring.FeatureEvent{Time: midnight, Set: 1, Properties: []scoring.PropertyValue{{Kind: scoring.PropertyNumber, Number: 7}}})
	for to, always := range map[int64]bool{3*scoringtest.Day - 1: true, 3 * scoringtest.Day: false} {
		r := f.Ranges(nil, scoring.AllFeatures, state, midnight, midnight+scoringtest.Day, midnight+to)[0]
		if want := (scoring.FeatureRange{Least: 7, Greatest: 7, Always: always, Sometimes: true}); r != want {
			t.Errorf("up to %d ms: %+v, want %+v", to, r, want)
		}
	}
}

// TestProbeEdges: activity at the very instant is known to the probe that begins there, and who has been gone for
// exactly two horizons is probed once more.
func TestProbeEdges(t *testing.T) {
	pack := scoringtest.PackOf(t, "1")
	const horizon = 30 * scoringtest.Day
	var c scoring.Calibration
	var p scoring.Profile
	instant := (scoringtest.Begin/horizon + 1) * horizon
	scoringtest.Observe(pack, &p, &scoring.Population{}, scoring.Observation{Time: instant, Signal: scoringtest.Bought})
	scoringtest.Probe(pack, &p, instant+horizon, &c)
	first := scoringtest.ScoreOf(pack, &p, instant)
	want := scoring.Calibration{Begun: 2}
	want.Add(first.Sum(), true)
	if c != want {
		t.Errorf("a horizon later %+v, want %+v", c, want)
	}
	scoringtest.Probe(pack, &p, instant+4*horizon, &c)
	if c.Begun != 3 {
		t.Errorf("%d probes, want those at the instants 0, 1 and 2 horizons after the last activity", c.Begun)
	}
}

// TestValueEdges: a value tier begins with its amount.
func TestValueEdges(t *testing.T) {
	pack := scoringtest.PackOf(t, "1", "signals: {buy: {types: [buy]}}", "features: {spent: {kind: sum, of: buy, within: 90d}}", "value: {feature: spent, high: 1000, mid: 100}",
		"playbooks: [{when: [overdue], high: {id: h, owner: o, respond_within: 1d}, mid: {id: m, owner: o, respond_within: 1d}, low: {id: l, owner: o, respond_within: 1d}}]")
	for amount, want := range map[int64]string{1000: "high h", 999: "mid m", 100: "mid m", 99: "low l"} {
		a := scoring.Alert{Decision: scoring.Decision{Transition: scoring.Raised}, Customer: []byte("c")}
		a.Score.Visits, a.Score.Values = 2, []scoring.FeatureValue{{N: amount, OK: true}}
		var got struct {
			Value    struct{ Tier string }
			Playbook struct{ ID string }
		}
		if err := json.Unmarshal(scoring.NewRenderer(pack).AppendAlert(nil, &a, a.ID()), &got); err != nil {
			t.Fatal(err)
		}
		if got.Value.Tier+" "+got.Playbook.ID != want {
			t.Errorf("%d: %+v, want %s", amount, got, want)
		}
	}
}

// TestLeastReason: what adds as much as a reason must is one.
func TestLeastReason(t *testing.T) {
	for add, want := range map[string]int{"0.1": 2, "0.0999": 1} {
		pack := scoringtest.PackOf(t, "1", "features: {n: {kind: tenure}}", "factors: [{code: neglected, feature: n, curve: [[0d, "+add+"]]}]")
		d := scoring.Decision{Transition: scoring.Raised, Score: scoring.Score{Visits: 2, Values: []scoring.FeatureValue{{OK: true}}}}
		d.Score.Terms[scoring.TermRhythm], d.Score.Terms[scoring.TermLevel], d.Score.Terms[scoring.TermTenure] = -5, -5, -5
		if got := scoring.NewRenderer(pack).ReasonCodes(&d); len(got) != want {
			t.Errorf("a factor of %s: %v", add, got)
		}
	}
}

// TestMigrationKeepsOnlyTheSame: of other tiles, or until another signal, nothing is carried over.
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
			p := scoring.Customer{Profile: &scoring.Profile{}}
			from.Observe(&p, &scoring.Population{}, &scoring.Observation{Time: scoringtest.Begin, Signal: from.Pack.Signal([]byte("buy"))})
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

// TestMigrationReach: what lies beyond the new window is left behind, to the tile.
func TestMigrationReach(t *testing.T) {
	for _, kind := range []string{"distinct, of: buy, property: sort", "count, of: buy", "sum, of: buy"} {
		pack := func(days string) *scoring.Scorer {
			return scoring.NewScorer(scoringtest.PackOf(t, "1", olderSignals, "features: {n: {kind: "+kind+", within: "+days+"}}"))
		}
		for _, gap := range []int64{7, 8, 9} {
			from, to := pack("40d"), pack("8d")
			got, want := scoring.Customer{Profile: &scoring.Profile{}}, scoring.Customer{Profile: &scoring.Profile{}}
			for i, at := range []int64{scoringtest.Begin, scoringtest.Begin + gap*scoringtest.Day} {
				properties := make([]scoring.PropertyValue, len(from.Pack.Properties()))
				for j := range properties {
					properties[j] = scoring.PropertyValue{Kind: scoring.PropertyText, Hash: uint64(i + 1)}
				}
				o := scoring.Observation{Time: at, Signal: from.Pack.Signal([]byte("buy")), Properties: properties, Value: 100, HasValue: true}
				from.Observe(&got, &scoring.Population{}, &o)
				to.Observe(&want, &scoring.Population{}, &o)
			}
			scoring.NewMigration(from, to).Enter(&got, scoringtest.Begin+gap*scoringtest.Day)
			if !bytes.Equal(got.Features, want.Features) {
				t.Errorf("%s, %d days apart: carried over % x, folded % x", kind, gap, got.Features, want.Features)
			}
		}
	}
}

// TestMigrationOfOpenings: each open opening goes on under the one that stands for it, what has ended under its own
// code, and an episode whose kind is gone ends no earlier than the customer's newest event.
func TestMigrationOfOpenings(t *testing.T) {
	const signals = "signals: {buy: {types: [buy]}, a: {types: [a]}, b: {types: [b]}, x: {types: [x]}, y: {types: [y]}}\n"
	kind := func(openings string) string {
		return signals + "kinds: {service_failure: {opens: [" + openings + "], expires: 60d}}"
	}
	older := scoringtest.PackOf(t, "1", kind("{signal: a, floor: 50, code: dispute_open, closes: [x]}, {signal: b, floor: 60, code: ticket_escalated, closes: [y]}"))
	newer := "{signal: a, floor: 40, code: payment_failed}, {signal: b, floor: 50, code: incident}, {signal: a, floor: 60, code: payout_held}, {signal: b, floor: 70, code: dispute_open}"
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
			p := scoring.Customer{Profile: &scoring.Profile{}}
			for i, e := range append([]string{"buy"}, c.events...) {
				from.Observe(&p, &scoring.Population{}, &scoring.Observation{Time: scoringtest.Begin + int64(i)*60_000, Signal: from.Pack.Signal([]byte(e))})
			}
			gone := scoring.NewMigration(from, scoring.NewScorer(scoringtest.PackOf(t, "2")))
			profile := *p.Profile
			left := gone.Leave(&scoring.Customer{Profile: &profile}, scoringtest.Begin-scoringtest.Day)
			if len(left) != 1 || left[0].At != p.At || profile.EpisodeOf(scoring.ServiceFailure).Sequence != 0 {
				t.Errorf("left with %+v", left)
			}
			scoring.NewMigration(from, to).Enter(&p, scoringtest.Begin+scoringtest.Day)
			h, times := *p.EpisodeOf(scoring.ServiceFailure), [8]int64{}
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
