package line

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ebb/pipeline"
	"ebb/scoring"
	"ebb/scoring/profile"
)

// silence begins a silence, or ends one.
func (s *shelf) silence(t testing.TB, rng *rand.Rand) {
	t.Helper()
	if !s.MayChange() {
		return
	}
	if all := s.Line.meta.Silences; len(all) > 0 && rng.IntN(3) == 0 {
		s.Line.Silence(pipeline.Silence{ID: all[rng.IntN(len(all))].ID, By: "ann", Ended: true})
	} else {
		matches := []pipeline.Match{
			{},
			{Kind: "lapse"},
			{Pack: "any"},
			{Kind: "explicit"},
			{Tenant: "acme"},
			{Playbook: "call"},
		}
		until := s.Line.meta.Clock.Watermark + rng.Int64N(4*pipeline.DayMillis)
		s.Line.Silence(pipeline.Silence{
			ID: fmt.Sprint("s", s.Line.meta.First.Releases), By: "ann", Match: matches[rng.IntN(len(matches))],
			Until: time.UnixMilli(until).UTC(),
		})
	}
	s.change(t)
}

// checkSilences: nothing asks anybody to act under a silence that matches it.
func checkSilences(r *rapid.T, s *shelf) (began int) {
	var all pipeline.Silences
	for _, b := range s.outbox {
		e := pipeline.MustReadEntry(b)
		switch {
		case e.Kind == pipeline.EntryControl && e.Change.Kind == pipeline.ControlSilence:
			all = all.With(&e.Change.Silence, math.MinInt64)
			began++
		case e.Kind != pipeline.EntryAlert:
		case e.Alert.Transition.Asks():
			tenant, _ := pipeline.SplitKey(e.Key)
			for i := range all {
				if !all[i].Over(e.Alert.At) && all[i].Match.Of(e.Alert.Kind, "", string(tenant), s.pack.Name) {
					r.Fatalf("under %+v: %s", all[i], alertText(&e))
				}
			}
		}
	}
	return began
}

// TestSilenceIsReplayed: nothing is raised under a silence. What it holds is decided anew at its end, or as soon as it is
// ended, whatever holds it besides; and a replay decides all of it again, from the beginning and from any state of then,
// whatever the batches and restarts.
func TestSilenceIsReplayed(t *testing.T) {
	began, released, withdrawn, again := 0, uint64(0), uint64(0), 0
	rapid.Check(t, func(r *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 3))
		records := stormRecords(rng)
		s := newStormy(t)
		s.quiet = true
		copies := s.live(t, rng, records)
		began += checkSilences(r, s)
		checkEpisodes(r, s)
		checkLedger(r, s)
		released += s.tally.Released[pipeline.HeldSilence]
		withdrawn += s.tally.Withdrawn[pipeline.HeldSilence]
		for _, b := range s.outbox {
			if e := pipeline.MustReadEntry(b); e.Ruling.Outcome == pipeline.Hold && e.Ruling.Decided < e.Ruling.At {
				again++
			}
		}
		s.checkReplays(t, r, rng, records, append(copies, newStormy(t)))
	})
	if began < 200 || released < 40 || withdrawn < 20 || again < 10 {
		t.Errorf(
			"%d silences, of the raises they held %d released, %d withdrawn, %d held once more: the logs show too little",
			began,
			released,
			withdrawn,
			again,
		)
	}
}

// TestWithholdSilence: what a silence holds back, and for how long.
func TestWithholdSilence(t *testing.T) {
	const end = int64(1_700_000_100_000)
	silence := func(id string, until int64, m pipeline.Match) pipeline.Silence {
		return pipeline.Silence{ID: id, Number: int64(len(id)), Match: m, Until: time.UnixMilli(until).UTC()}
	}
	everything := pipeline.Silences{silence("a", end-30_000, pipeline.Match{})} // to the whole minute
	for name, c := range map[string]struct {
		silences   pipeline.Silences
		transition scoring.Transition
		at         int64
		held       int64 // number of the silence that holds it; 0: none
		withheld   bool
	}{
		"there is none":          {nil, scoring.Raised, end - 1, 0, false},
		"a raise":                {everything, scoring.Raised, 0, 1, true},
		"an escalation":          {everything, scoring.Escalated, end - 1, 0, true},
		"a reminder":             {everything, scoring.Reminded, 0, 0, true},
		"a recovery":             {everything, scoring.Recovered, end - 1, 0, false},
		"a conversion":           {everything, scoring.Converted, end - 1, 0, false},
		"in its last minute":     {everything, scoring.Raised, end - 1, 1, true},
		"after its end":          {everything, scoring.Raised, end, 0, false},
		"of its kind":            {pipeline.Silences{silence("a", end, pipeline.Match{Kind: "lapse"})}, scoring.Raised, 0, 1, true},
		"of another":             {pipeline.Silences{silence("a", end, pipeline.Match{Kind: "explicit"})}, scoring.Raised, 0, 0, false},
		"of its pack and tenant": {pipeline.Silences{silence("a", end, pipeline.Match{Pack: "any", Tenant: "t"})}, scoring.Raised, 0, 1, true},
		"of another tenant":      {pipeline.Silences{silence("a", end, pipeline.Match{Pack: "any", Tenant: "u"})}, scoring.Raised, 0, 0, false},
		"of no playbook":         {pipeline.Silences{silence("a", end, pipeline.Match{Playbook: "call"})}, scoring.Raised, 0, 0, false},
		"of two the longer": {pipeline.Silences{
			silence("aa", end, pipeline.Match{}), silence("a", end+1e6, pipeline.Match{}), silence("aaa", end, pipeline.Match{}),
		}, scoring.Raised, 0, 1, true},
	} {
		d := &decided{Meta: &pipeline.Meta{Silences: c.silences}, Pack: anyOf(t, 24*time.Hour)}
		d.Key = pipeline.AppendKey(nil, []byte("t"), []byte("c"))
		d.Alert.Transition, d.Alert.Kind, d.Alert.At = c.transition, profile.Lapse, c.at
		withheld := withholdSilence(d)
		if (withheld == InSilence) != c.withheld || (d.Hold == pipeline.HeldSilence) != (c.held != 0) || d.Silence != c.held {
			t.Errorf("%s: withheld %q, held %v by %d", name, withheld, d.Hold, d.Silence)
		}
		if d.Hold != 0 && d.Review*pipeline.MinuteMillis < c.at {
			t.Errorf("%s: reviewed at minute %d", name, d.Review)
		}
	}
}
