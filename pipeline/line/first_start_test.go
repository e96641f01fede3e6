package line

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ebb/pipeline"
	"ebb/scoring"
	"ebb/scoring/pack"
)

const firstHorizon = 20 * 24 * time.Hour

// firstRun is a shelf of a group that first starts on a log of which all below until is history.
type firstRun struct {
	*shelf
	releases map[int64][]int // how many are released before the record at an offset
}

func newFirstRun(t testing.TB, k *pack.Pack, until int64) *firstRun {
	t.Helper()
	s := &firstRun{shelf: newShelf(t, k, 0, 0)}
	s.mark = pipeline.Mark{Fresh: true, History: until}
	s.restart()
	return s
}

// feed folds records in batches of random size, with restarts, and releases what is to be released where it is.
func (s *firstRun) feed(t testing.TB, draw *rapid.T, records []pipeline.Record) {
	t.Helper()
	for len(records) > 0 {
		n := rapid.IntRange(1, len(records)).Draw(draw, "batch")
		for _, edge := range slices.Sorted(maps.Keys(s.releases)) {
			if to := edge - s.Next(); to > 0 {
				n = min(n, int(to))
			}
		}
		if to := s.meta.First.Until - s.Next(); to > 0 || s.Next() == 0 {
			n = min(n, int(max(s.mark.History, s.meta.First.Until)-s.Next()))
		}
		s.releaseHere(t)
		s.put(t, records[:n])
		records = records[n:]
		for range rapid.IntRange(0, 3).Draw(draw, "sweeps") {
			s.sweepOnce(t)
		}
		if rapid.Bool().Draw(draw, "restart") {
			s.restart()
		}
	}
	s.settle(t)
	s.releaseHere(t)
	s.settle(t)
}

// releaseHere releases what is to be released before the next record.
func (s *firstRun) releaseHere(t testing.TB) {
	t.Helper()
	for s.AtEdge() {
		s.sweepOnce(t)
	}
	for _, n := range s.releases[s.Next()] {
		s.settle(t)
		s.Release(pipeline.HeldHistory, n, 0)
		if _, _, ok := s.ApplyControls(nil); !ok {
			t.Fatal("a release waits for a sweep")
		}
		s.sweepOnce(t)
	}
	delete(s.releases, s.Next())
}

// alerts are those decided so far: customer, kind, transition, sequence, whether initial.
func (s *firstRun) alerts() (all []string) {
	for _, b := range s.outbox {
		if e := pipeline.MustReadEntry(b); e.Kind == pipeline.EntryAlert {
			a := &e.Alert
			all = append(all, fmt.Sprint(string(a.Customer), " ", a.Transition, " ", a.Sequence, " ", a.Initial, " ", a.Tier,
				" ", a.At/pipeline.MinuteMillis))
		}
	}
	return all
}

func firstRecords(draw *rapid.T, n int) (records []pipeline.Record) {
	day := 0.0
	for i := range n {
		day += rapid.Float64Range(0.05, 3).Draw(draw, "gap")
		customer := fmt.Sprint("c", rapid.IntRange(0, 14).Draw(draw, "customer")+i/20*5)
		records = append(records, visit(fmt.Sprint("e", i), customer, "visit", day))
	}
	return records
}

// TestFirstStartIsTheSame: whatever the batches and restarts, the same raises are held, and released where the control
// records say so; and nothing is published of history.
func TestFirstStartIsTheSame(t *testing.T) {
	k := anyOf(t, firstHorizon)
	initial, more := 0, 0
	rapid.Check(t, func(draw *rapid.T) {
		records := firstRecords(draw, rapid.IntRange(20, 80).Draw(draw, "records"))
		until := int64(rapid.IntRange(5, len(records)-1).Draw(draw, "until"))
		releases := map[int64][]int{}
		for range rapid.IntRange(0, 6).Draw(draw, "releases") {
			at := int64(rapid.IntRange(int(until), len(records)).Draw(draw, "at"))
			releases[at] = append(releases[at], rapid.IntRange(1, 4).Draw(draw, "count"))
		}
		var first *firstRun
		for range 2 {
			s := newFirstRun(t, k, until)
			s.releases = maps.Clone(releases)
			s.feed(t, draw, slices.Clone(records))
			if got := uint64(
				len(s.held.all),
			); s.tally.Decided != s.tally.AllAlerts()+s.tally.AllUnsent()+s.tally.AllWithdrawn()+got {
				t.Fatalf("%+v and %d held", s.tally, got)
			}
			checkLedger(draw, s.shelf)
			if first == nil {
				first = s
				continue
			}
			ledger, wanted := s.ledger(), first.ledger()
			slices.Sort(ledger)
			slices.Sort(wanted)
			if diff := cmp.Diff(wanted, ledger); diff != "" {
				draw.Fatal(diff)
			}
			got, want := s.alerts(), first.alerts()
			slices.Sort(got) // between customers no order is promised
			slices.Sort(want)
			if diff := cmp.Diff(want, got) + cmp.Diff(first.held.all, s.held.all) +
				cmp.Diff(first.profiles, s.profiles) + cmp.Diff(first.meta.First, s.meta.First); diff != "" {
				draw.Fatal(diff)
			}
		}
		for _, a := range first.alerts() {
			if strings.Contains(a, "true") {
				initial++
			} else {
				more++
			}
		}
	})
	if initial < 20 || more < 100 {
		t.Errorf("%d initial alerts and %d others: the logs show too little", initial, more)
	}
}

// TestFirstStartOfOne follows customers through the first start: the one at risk is raised once history is over, the one
// who is back by then is not, nor is what follows of an episode that was never raised; who is gone is counted.
func TestFirstStartOfOne(t *testing.T) {
	k := anyOf(t, firstHorizon)
	var records []pipeline.Record
	add := func(customer string, days ...float64) {
		for _, day := range days {
			records = append(records, visit(fmt.Sprint(customer, day), customer, "visit", day))
		}
	}
	add("gone", 0, 3, 6, 9)
	add("atrisk", 30, 33, 36, 39, 42)
	add("waiting", 40, 42, 44, 46, 48)
	clock := func(days ...float64) { // three customers vouch for each time
		for _, day := range days {
			for _, name := range []string{"one", "two", "three"} {
				add(name, day)
			}
		}
	}
	clock(60, 66, 72, 75)
	until := int64(len(records))
	add("waiting", 76)
	clock(77, 78, 79)
	s := newFirstRun(t, k, until)
	s.put(t, records[:until])
	s.settle(t)
	if len(s.alerts()) > 0 || !s.meta.First.Over || s.meta.First.Waiting != 2 || s.tally.Gone != 1 {
		t.Fatalf("%q, %+v, %d gone", s.alerts(), s.meta.First, s.tally.Gone)
	}
	s.put(t, records[until:]) // waiting comes back
	s.releases = map[int64][]int{s.Next(): {9}}
	s.settle(t)
	s.releaseHere(t)
	got := s.alerts()
	if len(got) != 1 || !strings.HasPrefix(got[0], "atrisk raised 1 true") {
		t.Errorf("alerts %q", got)
	}
	if s.tally.Withdrawn[pipeline.HeldHistory] != 2 || s.tally.Withheld[Unraised] == 0 || len(s.held.all) > 0 {
		t.Errorf("withheld %v, held %v", s.tally.Withheld, s.held.all)
	}
	s.put(t, []pipeline.Record{visit("back", "atrisk", "visit", 80)})
	if got = s.alerts()[1:]; len(got) != 1 || !strings.HasPrefix(got[0], "atrisk recovered 2 false") {
		t.Errorf("alerts %q", got)
	}
}

// TestBackfill: what a backfilled record alone causes is not raised; a deadline that falls due later is.
func TestBackfill(t *testing.T) {
	k := anyOf(t, firstHorizon)
	s := newFirstRun(t, k, 0)
	var records []pipeline.Record
	clock := func(days ...float64) {
		for _, day := range days {
			for _, name := range []string{"one", "two", "three"} {
				records = append(records, visit(fmt.Sprint(name, day), name, "visit", day))
			}
		}
	}
	clock(90, 92, 94, 96, 98, 100)
	for i, day := range []float64{10, 13, 16, 19, 90, 93, 96, 99} {
		r := visit(fmt.Sprint("e", i), map[bool]string{true: "old", false: "new"}[day < 50], "visit", day)
		r.Headers = []byte("\x02\x16ebb-history\x021")
		records = append(records, r)
	}
	s.put(t, records)
	s.settle(t)
	if got := s.alerts(); len(got) > 0 || s.tally.Withheld[InHistory] == 0 {
		t.Errorf("alerts %q, withheld %v", got, s.tally.Withheld)
	}
	records = records[:0]
	clock(101, 102, 104, 106, 108, 110, 115, 120, 125)
	s.put(t, append(records, visit("old back", "old", "visit", 126)))
	s.settle(t)
	raised := slices.DeleteFunc(s.alerts(), func(a string) bool { return !strings.Contains(a, scoring.Raised.String()) })
	if len(raised) == 0 || slices.ContainsFunc(s.alerts(), func(a string) bool { return strings.HasPrefix(a, "old") }) {
		t.Errorf("alerts %q", s.alerts())
	}
}
