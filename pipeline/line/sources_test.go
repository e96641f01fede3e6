package line

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ebb/pipeline"
	"ebb/pipeline/sources"
	"ebb/scoring"
	"ebb/scoring/profile"
)

// A log of two sources, which send by day more than by night, for seven weeks. Each customer comes by one of them or by
// both. In the sixth week the website is cut for some days, or all is, or a fifth of it comes; then it is back.
const (
	sourceBegin = 19_002 * pipeline.DayMillis // a Monday
	cutBegin    = sourceBegin + 36*pipeline.DayMillis + 10*pipeline.HourMillis
	cutEnd      = cutBegin + 60*pipeline.HourMillis
	sourceEnd   = sourceBegin + 45*pipeline.DayMillis
)

type cut int

const (
	cutWebsite cut = iota
	cutAll
	cutFifth
	numCuts
)

// sourceRecords is such a log, with events that are late, repeated, unusable, heartbeats, and of clocks that are ahead.
// Where an offset will be stands when it arrives.
func sourceRecords(rng *rand.Rand, how cut) (records []pipeline.Record) {
	for at, i := int64(sourceBegin), 0; at < sourceEnd; i++ {
		mean := 5 * pipeline.MinuteMillis
		if hour := at / pipeline.HourMillis % 24; hour < 7 {
			mean *= 6
		}
		at += 1 + int64(rng.ExpFloat64()*float64(mean))
		c := int(150 * rng.Float64() * rng.Float64())
		source := []string{"website", "shop"}[(c+rng.IntN(8)/7)%2]
		lost := source == "website" || how == cutAll
		if cutBegin <= at && at < cutEnd && lost && (how != cutFifth || rng.IntN(5) > 0) {
			continue
		}
		time, id, kind := at, i, "visit"
		switch rng.IntN(40) {
		case 0:
			time -= rng.Int64N(3 * pipeline.DayMillis)
		case 1:
			id = max(0, i-rng.IntN(20))
		case 2:
			kind = "failed"
		case 3:
			kind = "Heartbeat"
		case 4:
			if rng.IntN(10) == 0 {
				time += rng.Int64N(20 * pipeline.DayMillis)
			}
		}
		r := pipeline.Record{Offset: at, Timestamp: time, Value: fmt.Appendf(
			nil, `{"id":"e%d","customer":"c%d","type":%q,"time":%d,"source":%q}`, id, c, kind, time, source,
		)}
		if rng.IntN(200) == 0 {
			r.Value = []byte("poison")
		}
		records = append(records, r)
	}
	return records
}

// newGuarded is a shelf whose sources are guarded.
func newGuarded(t testing.TB) *shelf {
	t.Helper()
	s := newShelf(t, anyOf(t, 2*24*time.Hour), 20*24*time.Hour, 5*time.Minute)
	s.cfg.Settings.Guard, s.cfg.Settings.Heartbeat = sources.Rules, "Heartbeat"
	s.restart()
	return s
}

// turnsOf are the turns announced, in words.
func turnsOf(t testing.TB, s *shelf) (turns []string) {
	t.Helper()
	for _, b := range s.outbox {
		if e := pipeline.MustReadEntry(b); e.Change.Tells() {
			turns = append(turns, fmt.Sprintf("%s %+v before %d", e.Change.Kind, e.Change.Source, e.Offset))
		}
	}
	return turns
}

// TestSourcesWhateverTheBatches: with sources that fall silent each customer's alerts are the same to the byte, and so is
// all state at the end, for any batches, restarts and sweeps between them.
func TestSourcesWhateverTheBatches(t *testing.T) {
	for how := range numCuts {
		records := sourceRecords(rand.New(rand.NewPCG(uint64(how), 1)), how)
		clean := newGuarded(t)
		for _, r := range records {
			clean.put(t, []pipeline.Record{r})
			clean.settle(t)
		}
		want, _ := clean.told(t)
		turns := turnsOf(t, clean)
		if len(turns) < 2 {
			t.Errorf("cut %d: %d turns: %q", how, len(turns), turns)
		}
		for range 3 {
			rng := rand.New(rand.NewPCG(uint64(how), rand.Uint64()))
			s := newGuarded(t)
			for at := 0; at < len(records); {
				size := min(1+rng.IntN([]int{3, 40, 900}[rng.IntN(3)]), len(records)-at)
				s.put(t, slices.Clone(records[at:at+size]))
				at += size
				for range rng.IntN(3) {
					s.sweepOnce(t)
				}
				if rng.IntN(4) == 0 {
					s.restart()
				}
			}
			s.settle(t)
			got, _ := s.told(t)
			if diff := cmp.Diff(want, got) + cmp.Diff(turns, turnsOf(t, s)); diff != "" {
				t.Fatalf("cut %d: (-want +got):\n%.4000s", how, diff)
			}
			s.meta.Sources.Newest, clean.meta.Sources.Newest = 0, 0
			if !cmp.Equal(s.profiles, clean.profiles) || !cmp.Equal(s.meta.Sources, clean.meta.Sources) ||
				s.meta.Learnt != clean.meta.Learnt {
				t.Fatalf("cut %d: what is left differs:\n%s", how, cmp.Diff(clean.meta, s.meta))
			}
		}
	}
}

// TestBackfillIsNoLife: backfilled events of the past neither end a stall nor change what is usual.
func TestBackfillIsNoLife(t *testing.T) {
	for _, stalled := range []bool{true, false} {
		s := newGuarded(t)
		event := func(i int, source string, at int64) pipeline.Record {
			return pipeline.Record{Timestamp: at, Value: fmt.Appendf(
				nil, `{"customer":"%s%d","type":"visit","time":%d,"source":%q}`, source, i%50, at, source,
			)}
		}
		var live, past []pipeline.Record
		for i := range 36 * 144 {
			at := sourceBegin + int64(i)*10*pipeline.MinuteMillis
			live = append(live, event(i, "shop", at))
			if !stalled || i < 35*144 {
				live = append(live, event(i, "website", at))
			}
		}
		for i := range 500 {
			r := event(i, "website", sourceBegin+int64(i)*pipeline.HourMillis)
			r.Headers = []byte("\x02\x16ebb-history\x021")
			past = append(past, r)
		}
		s.put(t, live)
		s.settle(t)
		before, turns := s.meta.Sources.Clone(), turnsOf(t, s)
		if (len(turns) > 0) != stalled {
			t.Errorf("stalled %v: %q", stalled, turns)
		}
		s.put(t, past)
		s.settle(t)
		s.meta.Sources.Newest, before.Newest = 0, 0
		if diff := cmp.Diff(before, s.meta.Sources) + cmp.Diff(turns, turnsOf(t, s)); diff != "" {
			t.Errorf("stalled %v (-before +after):\n%s", stalled, diff)
		}
	}
}

// frozenAt is what is known at each minute of each source: how long it was stalled, and whether it is.
type frozenAt map[uint8]map[int64][2]int64

// note takes in the minutes that a record has passed.
func (f frozenAt) note(s *shelf, from, to int64) {
	for i := range s.Line.meta.Sources.All {
		n := s.Line.meta.Sources.All[i].Number
		if f[n] == nil {
			f[n] = map[int64][2]int64{}
		}
		for minute := from + 1; minute <= to; minute++ {
			frozen, stalled := s.Line.meta.Sources.Frozen(n, minute)
			f[n][minute] = [2]int64{frozen, map[bool]int64{true: 1}[stalled]}
		}
	}
}

// TestFrozenDeadlines: each lapse is raised at the first minute at which its customer's silence, less what was frozen of
// it, makes the score reach the tier, and at none while the source is stalled: by looking at the customer as it was after
// its newest event, at every hour and at the minutes around the raise.
func TestFrozenDeadlines(t *testing.T) {
	raised, frozen := 0, 0
	for how := range numCuts {
		s, known := newGuarded(t), frozenAt{}
		after := map[string]profile.Profile{} // by customer: as of its newest event
		for _, r := range sourceRecords(rand.New(rand.NewPCG(uint64(how), 2)), how) {
			from, began := s.Line.meta.Clock.Minute(), s.Line.meta.Clock.Started
			s.put(t, []pipeline.Record{r})
			if began {
				known.note(s, from, s.Line.meta.Clock.Minute())
			}
			out := s.outbox
			s.outbox = nil
			s.settle(t)
			for _, b := range s.outbox { // by deadlines of customers without an event since
				if e := pipeline.MustReadEntry(b); e.Kind == pipeline.EntryAlert && e.Alert.Transition == scoring.Raised {
					raised++
					frozen += min(1, int(e.Alert.Missed))
					checkRaise(t, s, known, after[string(e.Key)], &e)
				}
			}
			s.outbox = append(out, s.outbox...)
			for key, p := range s.left(t) {
				if p.Lapse.Tier == profile.TierNone && p.At >= r.Timestamp {
					after[key] = p
				}
			}
		}
	}
	if raised < 300 || frozen < 15 {
		t.Errorf("%d raised, %d of them after a stall", raised, frozen)
	}
}

func checkRaise(t *testing.T, s *shelf, known frozenAt, p profile.Profile, e *pipeline.Entry) {
	t.Helper()
	scorer := scoring.NewScorer(s.pack)
	reaches := func(minute int64) bool {
		at := known[p.Source.Number][minute]
		c := profile.Customer{Profile: new(p)}
		c.Thaw(at[0])
		c.Armed = minute
		return at[1] == 0 && len(scorer.Wake(&c)) > 0
	}
	minute := e.Alert.At / pipeline.MinuteMillis
	if !reaches(minute) {
		t.Fatalf("%s is raised at %d, where it does not reach the tier: %+v", e.Key, minute, p)
	}
	for before := minute - 1; before > p.Active()/pipeline.MinuteMillis; before -= 60 {
		if reaches(before) {
			t.Fatalf("%s is raised at %d, and reaches the tier at %d: %+v", e.Key, minute, before, p)
		}
	}
	if want := known[p.Source.Number][minute][0] - int64(
		p.Source.Frozen,
	) + int64(
		p.Source.Missed,
	); e.Alert.Missed != want*pipeline.MinuteMillis {
		t.Fatalf("%s: %d ms unseen, want %d minutes", e.Key, e.Alert.Missed, want)
	}
}

// TestSourcesAndTime: in an outage of all sources time records alone move the watermark. Nobody is alerted about because of
// it, a replay with these time records decides the same and tells nothing twice, and the stall is known before the first
// event after it.
func TestSourcesAndTime(t *testing.T) {
	records := sourceRecords(rand.New(rand.NewPCG(1, 3)), cutAll)
	live := newGuarded(t)
	for _, r := range records {
		for live.Line.meta.Clock.Started {
			minute := live.Line.meta.Clock.Minute() + 30
			if minute*pipeline.MinuteMillis > r.Offset-pipeline.HourMillis {
				break
			}
			live.settle(t)
			live.Advance(minute)
			live.sweepOnce(t)
		}
		live.put(t, []pipeline.Record{r})
	}
	live.settle(t)
	want, times := live.outcome()
	if len(times) < 50 {
		t.Errorf("%d time records", len(times))
	}
	stalled := false
	for _, b := range live.outbox {
		e := pipeline.MustReadEntry(b)
		stalled = stalled || e.Change.Kind == pipeline.ControlStalled && e.Offset < 0
		if at := e.Alert.At; e.Kind == pipeline.EntryAlert && e.Alert.Transition == scoring.Raised &&
			e.Offset < 0 && // by no clock ahead
			cutBegin+8*pipeline.HourMillis < at &&
			at < cutEnd {
			t.Errorf("%s is raised at %d, in the outage", e.Key, at)
		}
	}
	if !stalled {
		t.Error("no source stalls by a time record")
	}
	again := newGuarded(t)
	again.Line = New(&again.cfg, &pipeline.Standing{}, &History{Packs: again.Packs(), Ahead: slices.Clone(times)})
	for left := records; len(left) > 0 || again.restAhead() || again.Sweeping(); {
		if again.AtEdge() || len(left) == 0 {
			again.ApplyControls(nil)
			again.sweepOnce(t)
			continue
		}
		n := min(rand.IntN(50)+1, len(left))
		for _, c := range times {
			if c.Offset > again.Next() {
				n = min(n, int(c.Offset-again.Next()))
			}
		}
		again.put(t, slices.Clone(left[:n]))
		left = left[n:]
	}
	got, repeated := again.outcome()
	if diff := cmp.Diff(want, got); diff != "" || len(repeated) > 0 {
		t.Fatalf("%d time records again, (-live +replay):\n%.2000s", len(repeated), diff)
	}
	live.meta.Sources.Newest, again.meta.Sources.Newest = 0, 0
	if diff := cmp.Diff(live.profiles, again.profiles) + cmp.Diff(live.meta.Sources, again.meta.Sources); diff != "" {
		t.Fatalf("what is left (-live +replay):\n%.2000s", diff)
	}
}
