package scoring_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/feature"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

const olderSignals = "signals:\n  buy: {types: [buy]}\n  gone: {types: [view]}\n  low: {types: [view], where: " +
	"[{property: stars, at_most: 2}]}\n"

const newerSignals = "signals:\n  a_new: {types: [buy]}\n  bought: {types: [buy]}\n  low: {types: [view], where: " +
	"[{property: stars, at_most: 3}]}\n  gone: {types: [view]}\n"

var olderFeatures = []string{
	"features:",
	"  buys: {kind: count, of: buy, within: 60d}",
	"  spent: {kind: sum, of: buy, within: 90d}",
	"  kinds: {kind: distinct, of: buy, property: sort, within: 40d}",
	"  size: {kind: last, of: buy, property: size, within: 40d}",
	"  ago: {kind: since, of: gone}",
	"  lows: {kind: count, of: low, within: 30d}",
	"  pending: {kind: open, of: buy, until: gone}",
}

// newerFeatures have other names, other signals' names, shorter windows and another order. `lows` has another signal.
var newerFeatures = []string{
	"features:",
	"  a_ago: {kind: since, of: gone}",
	"  b_lows: {kind: count, of: low, within: 30d}",
	"  c_views: {kind: active_days, of: gone, within: 9d}",
	"  d_buys: {kind: count, of: bought, within: 20d}",
	"  e_kinds: {kind: distinct, of: a_new, property: sort, within: 8d}",
	"  f_spent: {kind: sum, of: bought, within: 90d}",
	"  g_size: {kind: last, of: bought, property: size, within: 3d}",
	"  h_pending: {kind: open, of: bought, until: gone}",
}

// carriedOver are the newer features that the older pack keeps too, in the newer one's words.
func carriedOver(newer []string) (lines []string) {
	for _, l := range newer {
		if !strings.Contains(l, "b_lows") && !strings.Contains(l, "c_views") {
			lines = append(lines, l)
		}
	}
	return lines
}

// TestMigrationIsAFoldOfTheCommonPart: the state that a customer carries over is, bit for bit, that of a fold of its
// events into the common features of both packs, and from then on there is no difference between the two.
func TestMigrationIsAFoldOfTheCommonPart(t *testing.T) {
	older := scoringtest.PackOf(t, "1", append([]string{olderSignals}, olderFeatures...)...)
	newer := scoringtest.PackOf(t, "2", append([]string{newerSignals}, newerFeatures...)...)
	common := scoringtest.PackOf(t, "2", append([]string{newerSignals}, carriedOver(newerFeatures)...)...)
	rapid.Check(t, func(t *rapid.T) {
		now := int64(scoringtest.Begin)
		draw := func() *scoring.Observation {
			now += rapid.Int64Range(-20*scoringtest.Day, 30*scoringtest.Day).Draw(t, "later")
			now = max(now, scoringtest.Begin)
			return &scoring.Observation{
				Time:     now,
				Value:    rapid.Int64Range(-5, 5000).Draw(t, "money"),
				HasValue: rapid.Bool().Draw(t, "paid"),
			}
		}
		type event struct {
			o    *scoring.Observation
			kind string
			sort uint64
		}
		var events []event
		for range rapid.IntRange(1, 30).Draw(t, "events") {
			events = append(
				events,
				event{
					draw(),
					rapid.SampledFrom([]string{"buy", "buy", "view"}).Draw(t, "type"),
					rapid.Uint64Range(1, 20).Draw(t, "sort"),
				},
			)
		}
		fold := func(s *scoring.Scorer, c *profile.Customer, e *event) {
			o := *e.o
			o.Properties = nil
			for _, p := range s.Pack.Properties() {
				v := feature.Property{Kind: feature.PropertyNumber, Number: int64(e.sort) * 1000}
				if p == "sort" {
					v = feature.Property{Kind: feature.PropertyText, Hash: e.sort}
				}
				o.Properties = append(o.Properties, v)
			}
			o.Signal = s.Pack.Signal([]byte(e.kind), o.Properties...)
			s.Observe(c, &profile.Population{}, &o)
		}
		at := rapid.IntRange(0, len(events)).Draw(t, "migrated before")
		from, to := scoring.NewScorer(older), scoring.NewScorer(newer)
		got := profile.Customer{Profile: &profile.Profile{}}
		for i := range events[:at] {
			fold(from, &got, &events[i])
		}
		want := profile.Customer{Profile: &profile.Profile{}}
		alone := scoring.NewScorer(common)
		for i := range events[:at] {
			fold(alone, &want, &events[i])
		}
		scoring.NewMigration(from, to).Enter(&got, scoringtest.Begin)
		got.Features = bytes.Clone(got.Features)
		same := scoring.NewMigration(alone, to)
		same.Enter(&want, scoringtest.Begin) // only the numbers of the cells differ
		want.Features = bytes.Clone(want.Features)
		for i := at; ; i++ {
			err := to.Fits(&got)
			if err != nil || !bytes.Equal(got.Features, want.Features) || got.Armed != want.Armed {
				t.Fatalf("after %d of %d events, error %v:\n% x\nwant\n% x", i-at, len(events)-at, err, got.Features, want.Features)
			}
			if i == len(events) {
				return
			}
			fold(to, &got, &events[i])
			fold(to, &want, &events[i])
		}
	})
}

// TestMigrationSeesWhatWasKept: a window that is longer under the new pack begins with what the shorter one had kept.
func TestMigrationSeesWhatWasKept(t *testing.T) {
	from := scoring.NewScorer(
		scoringtest.PackOf(t, "1", olderSignals, "features:\n  n: {kind: count, of: buy, within: 10d}"),
	)
	to := scoring.NewScorer(
		scoringtest.PackOf(t, "2", olderSignals, "features:\n  n: {kind: count, of: buy, within: 80d}"),
	)
	c := profile.Customer{Profile: &profile.Profile{}}
	for i := range 30 {
		from.Observe(
			&c,
			&profile.Population{},
			&scoring.Observation{Time: scoringtest.Begin + int64(i)*scoringtest.Day, Signal: from.Pack.Signal([]byte("buy"))},
		)
	}
	scoring.NewMigration(from, to).Enter(&c, scoringtest.Begin+30*scoringtest.Day)
	if got := to.Eval.Score(&c, scoringtest.Begin+30*scoringtest.Day).Values; len(got) != 1 || got[0].N != 10 {
		t.Errorf("%+v, want the 10 days that were kept", got)
	}
}

// TestMigrationOfEpisodes: an open episode goes on under the opening of the same code, else by its floor, and ends
// with its kind.
func TestMigrationOfEpisodes(t *testing.T) {
	kind := func(opens ...string) string {
		return "kinds:\n  explicit: {opens: [" + strings.Join(opens, ", ") + "], closes: [buy], expires: 60d}"
	}
	opening := func(signal, code string, floor int) string {
		return fmt.Sprintf("{signal: %s, floor: %d, code: %s}", signal, floor, code)
	}
	signals := "signals:\n  buy: {types: [buy]}\n  ask: {types: [ask]}\n  tell: {types: [tell]}\n  leave: {types: " +
		"[leave]}\n"
	older := scoringtest.PackOf(
		t,
		"1",
		signals,
		kind(opening("ask", "ticket_escalated", 50), opening("leave", "cancellation_requested", 90)),
	)
	for name, c := range map[string]struct {
		newer   string
		opening uint8 // its bit
		ended   bool
	}{
		"same code elsewhere": {
			kind(opening("leave", "cancellation_requested", 30), opening("tell", "ticket_escalated", 40)),
			1,
			false,
		},
		"another code, by floor": {
			kind(
				opening("ask", "payment_failed", 50),
				opening("tell", "dispute_open", 89),
				opening("leave", "ticket_escalated", 95),
			),
			2,
			false,
		},
		"all floors above": {kind(opening("tell", "dispute_open", 95)), 1, false},
		"kind gone":        {"", 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			from, to := scoring.NewScorer(older), scoring.NewScorer(scoringtest.PackOf(t, "2", signals, c.newer))
			at := int64(scoringtest.Begin)
			p := profile.Customer{Profile: &profile.Profile{}}
			for i, kind := range []string{"buy", "leave"} {
				from.Observe(
					&p,
					&profile.Population{},
					&scoring.Observation{Time: at + int64(i), Signal: from.Pack.Signal([]byte(kind))},
				)
			}
			m := scoring.NewMigration(from, to)
			decisions := m.Leave(&p, at+scoringtest.Day)
			m.Enter(&p, at+scoringtest.Day)
			h := *p.EpisodeOf(profile.Explicit)
			if h.Open() == c.ended || h.Openings != c.opening ||
				(len(decisions) == 1 && decisions[0].Transition == scoring.Expired) != c.ended {
				t.Errorf("%+v, decided %+v", h, decisions)
			}
			got := to.Observe(
				&p,
				&profile.Population{},
				&scoring.Observation{Time: at + 2*scoringtest.Day, Signal: to.Pack.Signal([]byte("buy"))},
			)
			if len(got) == 0 != c.ended {
				t.Errorf("the closing signal decides %+v", got)
			}
		})
	}
	t.Run("a shorter end", func(t *testing.T) {
		shorter := strings.Replace(
			kind(opening("ask", "ticket_escalated", 50), opening("leave", "cancellation_requested", 90)),
			"60d",
			"30d",
			1,
		)
		from, to := scoring.NewScorer(older), scoring.NewScorer(scoringtest.PackOf(t, "2", signals, shorter))
		p := profile.Customer{Profile: &profile.Profile{}}
		pop := profile.Population{}
		from.Observe(&p, &pop, &scoring.Observation{Time: scoringtest.Begin, Signal: from.Pack.Signal([]byte("leave"))})
		scoring.NewMigration(from, to).Enter(&p, scoringtest.Begin+50*scoringtest.Day)
		to.Observe(
			&p,
			&pop,
			&scoring.Observation{Time: scoringtest.Begin + 50*scoringtest.Day, Signal: to.Pack.Signal([]byte("view"))},
		)
		d := to.Wake(&p)
		if len(d) != 1 || d[0].Transition != scoring.Expired || d[0].At < scoringtest.Begin+50*scoringtest.Day {
			t.Errorf("decided %+v, looked at in minute %d", d, p.Armed)
		}
	})
	t.Run("ids", func(t *testing.T) { // two that begin at the same time; one opening of the newer pack corresponds to both
		twice := scoringtest.PackOf(
			t,
			"1",
			signals,
			"kinds:",
			"  explicit:",
			"    opens:",
			"      - {signal: ask, floor: 50, code: ticket_escalated, closes: [buy]}",
			"      - {signal: leave, floor: 90, code: cancellation_requested, closes: [tell]}",
		)
		from, to := scoring.NewScorer(
			twice,
		), scoring.NewScorer(
			scoringtest.PackOf(t, "2", signals, kind(opening("ask", "ticket_escalated", 50))),
		)
		p := profile.Customer{Profile: &profile.Profile{}}
		var all []scoring.Decision
		observe := func(s *scoring.Scorer, eventType string) {
			all = append(
				all,
				s.Observe(
					&p,
					&profile.Population{},
					&scoring.Observation{Time: scoringtest.Begin, Signal: s.Pack.Signal([]byte(eventType))},
				)...)
		}
		observe(from, "ask")
		observe(from, "buy")
		observe(from, "leave")
		scoring.NewMigration(from, to).Enter(&p, scoringtest.Begin)
		observe(to, "buy")
		ids := map[alert.ID]bool{}
		for i := range all {
			a := alert.Alert{Decision: all[i]}
			ids[a.ID()] = true
		}
		if len(all) != 4 || len(ids) != len(all) {
			t.Errorf("%d ids of %+v", len(ids), all)
		}
	})
	t.Run("nothing left", func(t *testing.T) {
		newer := scoringtest.PackOf(t, "2", signals, kind(opening("leave", "dispute_open", 40)))
		from := scoring.NewScorer(older)
		p := profile.Customer{Profile: &profile.Profile{}}
		// ends an episode that never was
		from.Observe(
			&p,
			&profile.Population{},
			&scoring.Observation{Time: scoringtest.Begin, Signal: from.Pack.Signal([]byte("buy"))},
		)
		noted := *p.EpisodeOf(profile.Explicit)
		scoring.NewMigration(from, scoring.NewScorer(newer)).Enter(&p, scoringtest.Begin+scoringtest.Day)
		back := profile.Customer{Profile: &profile.Profile{}}
		err := profile.Read(profile.Append(nil, &p, profile.Format), &back)
		if err != nil || *back.Profile != *p.Profile || noted == (profile.Triggered{}) {
			t.Errorf("%+v is read as %+v, %v; it was noted as %+v", p.Profile, back.Profile, err, noted)
		}
	})
}

// TestMigrationOfTrends: a trend that looks farther back than the kept state begins without data, like all features of
// its cell.
func TestMigrationOfTrends(t *testing.T) {
	kept := func(features string) *pack.Pack {
		return scoringtest.PackOf(t, "1", olderSignals, "features: {"+features+"}")
	}
	for name, c := range map[string]struct {
		older, newer string
		want         []feature.Value
	}{
		"longer": {
			"t: {kind: trend, of: buy, within: 10d}",
			"t: {kind: trend, of: buy, within: 15d}",
			[]feature.Value{{}},
		},
		"as long": {
			"t: {kind: trend, of: buy, within: 10d}",
			"t: {kind: trend, of: buy, within: 10d}",
			[]feature.Value{{N: 1000, OK: true}},
		},
		"shorter": {
			"t: {kind: trend, of: buy, within: 10d}",
			"t: {kind: trend, of: buy, within: 5d}",
			[]feature.Value{{N: 1000, OK: true}},
		},
		"of a longer count": {
			"t: {kind: count, of: buy, within: 30d}",
			"t: {kind: trend, of: buy, within: 15d}",
			[]feature.Value{{N: 1000, OK: true}},
		},
		"of a shorter count": {
			"t: {kind: count, of: buy, within: 29d}",
			"t: {kind: trend, of: buy, within: 15d}",
			[]feature.Value{{}},
		},
		"beside a count": {
			"t: {kind: trend, of: buy, within: 10d}",
			"n: {kind: count, of: buy, within: 20d}, t: {kind: trend, of: buy, within: 15d}",
			[]feature.Value{{}, {}},
		},
		"count alone": {
			"t: {kind: trend, of: buy, within: 10d}",
			"n: {kind: count, of: buy, within: 60d}",
			[]feature.Value{{N: 20, OK: true}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			from, to := scoring.NewScorer(kept(c.older)), scoring.NewScorer(kept(c.newer))
			p := profile.Customer{Profile: &profile.Profile{}}
			for i := range int64(40) {
				from.Observe(
					&p,
					&profile.Population{},
					&scoring.Observation{Time: scoringtest.Begin + i*scoringtest.Day, Signal: from.Pack.Signal([]byte("buy"))},
				)
			}
			scoring.NewMigration(from, to).Enter(&p, scoringtest.Begin+39*scoringtest.Day)
			got := to.Eval.Score(&p, scoringtest.Begin+39*scoringtest.Day).Values
			if !slices.Equal(got, c.want) {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}
