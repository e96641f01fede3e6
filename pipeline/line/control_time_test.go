package line

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ebb/pipeline"
)

// timed is a log, and where in it time passes to which minute.
type timed struct {
	records []pipeline.Record
	passes  map[int64][]int64
}

func drawTimed(r *rapid.T) timed {
	log := timed{passes: map[int64][]int64{}}
	day := 0.0
	for i := range rapid.IntRange(20, 80).Draw(r, "records") {
		day += float64(rapid.IntRange(0, 20).Draw(r, "hours")) / 24
		at := day
		if rapid.IntRange(0, 9).Draw(r, "late") == 0 {
			at -= float64(rapid.IntRange(0, 4).Draw(r, "days late"))
		}
		customer := fmt.Sprintf("c%d", rapid.IntRange(0, 5).Draw(r, "customer"))
		log.records = append(log.records, visit(fmt.Sprintf("e%d", i), customer, "visit", at))
		for rapid.IntRange(0, 7).Draw(r, "time passes") == 0 {
			minute := log.records[i].Timestamp/pipeline.MinuteMillis + int64(rapid.IntRange(-60, 6000).Draw(r, "minutes"))
			log.passes[int64(i)+1] = append(log.passes[int64(i)+1], minute)
		}
	}
	return log
}

// live folds the log record by record, and lets time pass where the log says so.
func (log *timed) live(t testing.TB) *shelf {
	s := newShelf(t, anyOf(t, 5*24*time.Hour), 0, time.Hour)
	for i, r := range log.records {
		s.put(t, []pipeline.Record{r})
		for _, minute := range log.passes[int64(i)+1] {
			s.settle(t)
			s.Advance(minute)
			s.sweepOnce(t)
		}
	}
	s.settle(t)
	return s
}

// again folds it in batches with the time records that were published, with restarts in between.
func (log *timed) again(t testing.TB, r *rapid.T, ahead []Change) *shelf {
	s := newShelf(t, anyOf(t, 5*24*time.Hour), 0, time.Hour)
	next := func() int64 { return s.Next() }
	start := func() {
		rest := slices.Clone(ahead)
		rest = slices.DeleteFunc(rest, func(c Change) bool { return c.Offset < next() })
		s.Line = New(&s.cfg, &pipeline.Standing{Meta: s.meta}, &History{
			Packs: s.Packs(), Refs: s.meta.Packs, Ahead: rest,
		})
	}
	start()
	for left := log.records; len(left) > 0 || s.atRest() || s.Sweeping(); {
		if rapid.IntRange(0, 5).Draw(r, "restart") == 0 {
			start()
		}
		if s.AtEdge() || len(left) == 0 {
			s.ApplyControls(nil)
			s.sweepOnce(t)
			continue
		}
		n := min(rapid.IntRange(1, 9).Draw(r, "batch"), len(left))
		for _, c := range ahead {
			if c.Offset > next() {
				n = min(n, int(c.Offset-next()))
			}
		}
		s.put(t, slices.Clone(left[:n]))
		left = left[n:]
	}
	return s
}

// outcome is the alerts of a shelf, by customer, and its time records.
func (s *shelf) outcome() (alerts []string, times []Change) {
	for _, b := range s.outbox {
		e := pipeline.MustReadEntry(b)
		switch {
		case e.Kind == pipeline.EntryAlert:
			alerts = append(alerts, fmt.Sprintf("%s %v %s %x", e.Alert.Customer, e.Alert.At, e.Alert.Transition, e.Alert.ID()))
		case e.Change.Kind == pipeline.ControlTime:
			times = append(times, Change{Offset: e.Begins(), Change: e.Change})
		}
	}
	slices.Sort(alerts)
	return alerts, times
}

// TestTimeIsReplayed: a replay with the time records of a live run decides the same, whatever its batches and restarts, and
// announces none of them again.
func TestTimeIsReplayed(t *testing.T) {
	passed := 0
	rapid.Check(t, func(r *rapid.T) {
		log := drawTimed(r)
		live := log.live(t)
		want, times := live.outcome()
		passed += len(times)
		again := log.again(t, r, times)
		got, repeated := again.outcome()
		if diff := cmp.Diff(want, got); diff != "" {
			r.Fatalf("with %d time records (-live +replay):\n%s", len(times), diff)
		}
		if len(repeated) > 0 {
			r.Fatalf("announced again: %+v", repeated)
		}
		if diff := cmp.Diff(live.profiles, again.profiles); diff != "" {
			r.Fatalf("profiles (-live +replay):\n%s", diff)
		}
		a, b := live.meta.Clock, again.meta.Clock
		if a.Watermark != b.Watermark || live.meta.Passed != again.meta.Passed || live.meta.Learnt != again.meta.Learnt ||
			!slices.Equal(a.Future, b.Future) {
			r.Fatalf("clock %+v, then %+v", a, b)
		}
	})
	if passed == 0 {
		t.Error("no time has passed")
	}
}

// TestElapse: a time record is written where something is due, and the clock has started; not twice, and not back.
func TestElapse(t *testing.T) {
	s := newShelf(t, anyOf(t, 5*24*time.Hour), 0, time.Hour)
	elapse := func(day float64, want int) {
		t.Helper()
		s.settle(t)
		s.Elapse(visit("", "", "", day).Timestamp)
		s.sweepOnce(t)
		s.settle(t)
		if _, times := s.outcome(); len(times) != want {
			t.Fatalf("day %v: %d time records, want %d", day, len(times), want)
		}
	}
	elapse(100, 0) // of an empty log
	for d := range 12 {
		for c := range 3 {
			s.put(
				t,
				[]pipeline.Record{visit(fmt.Sprintf("%d-%d", c, d), fmt.Sprintf("c%d", c), "visit", float64(d)+float64(c)/10)},
			)
		}
	}
	elapse(11.3, 0) // nobody is late
	elapse(5, 0)
	elapse(30, 1)
	elapse(30, 1)
	elapse(29, 1)
	if w, _ := s.Watermark(); w != pipeline.FloorDiv(
		visit("", "", "", 30).Timestamp-pipeline.HourMillis,
		pipeline.MinuteMillis,
	)*pipeline.MinuteMillis {
		t.Errorf("watermark %v", time.UnixMilli(w).UTC())
	}
	alerts, _ := s.outcome()
	for c := range 3 {
		if !slices.ContainsFunc(
			alerts,
			func(a string) bool { return bytes.Contains([]byte(a), fmt.Appendf(nil, "c%d ", c)) },
		) {
			t.Errorf("c%d is not raised: %v", c, alerts)
		}
	}
}

// TestAdvance: a person's time is written whether anything is due or not, and starts a clock, but for a log without events.
func TestAdvance(t *testing.T) {
	for events, want := range []int{0, 1} {
		s := newShelf(t, anyOf(t, 5*24*time.Hour), 0, time.Hour)
		for i := range events {
			s.put(t, []pipeline.Record{visit(strconv.Itoa(i), "only", "visit", float64(i))})
		}
		s.Advance(visit("", "", "", 40).Timestamp / pipeline.MinuteMillis)
		s.sweepOnce(t)
		s.settle(t)
		if _, times := s.outcome(); len(times) != want {
			t.Errorf("%d events: %d time records, want %d", events, len(times), want)
		}
	}
}

// TestTimeAtThePublishedOffset: a state that lost sweeps alone applies the time record at the published offset before
// anything else, also where only a part of what it lets fire was published. So claims of clocks stay as they were, which a
// clock that is set to the mark's would drop, and no record comes before it.
func TestTimeAtThePublishedOffset(t *testing.T) {
	s := newShelf(t, anyOf(t, 5*24*time.Hour), 0, time.Hour)
	for d := range 12 {
		for c := range 3 {
			s.put(
				t,
				[]pipeline.Record{visit(fmt.Sprintf("%d-%d", c, d), fmt.Sprintf("c%d", c), "visit", float64(d)+float64(c)/10)},
			)
		}
	}
	s.put(t, []pipeline.Record{visit("far", "far", "visit", 60)})
	s.settle(t)
	minute := visit("", "", "", 11.9).Timestamp / pipeline.MinuteMillis
	claims := slices.Clone(s.meta.Clock.Future)
	part := pipeline.Due{Minute: s.meta.Clock.Minute() + 100}
	for name, mark := range map[string]pipeline.Mark{
		"all of it": {
			Offset: s.Next(), Watermark: minute * pipeline.MinuteMillis, Fired: pipeline.Due{Minute: minute}, Passed: minute,
		},
		"a part": {
			Offset: s.Next(), Watermark: part.Minute * pipeline.MinuteMillis, Fired: part, Passed: minute,
		},
	} {
		l := New(&s.cfg, &pipeline.Standing{Meta: s.meta.Clone(), Mark: mark}, &History{
			Packs: s.Packs(), Refs: s.meta.Packs,
			Ahead: []Change{{Offset: s.Next(), Change: pipeline.Change{Kind: pipeline.ControlTime, Minute: minute}}},
		})
		if !l.AtEdge() {
			t.Errorf("%s: a record may come before it", name)
		}
		fold := func() {
			b := &Batch{}
			b.Empty(l.Next())
			l.ApplyControls(nil)
			s.load(l.Wanted(b))
			if err := l.Loaded(); err != nil {
				t.Fatal(err)
			}
			l.Fold(b)
		}
		for fold(); l.AtEdge() || l.Sweeping(); fold() {
		}
		if w, _ := l.Watermark(); w != minute*pipeline.MinuteMillis || !slices.Equal(l.meta.Clock.Future, claims) ||
			len(claims) == 0 {
			t.Errorf("%s: %+v, and claims were %+v", name, l.meta.Clock, claims)
		}
	}
}
