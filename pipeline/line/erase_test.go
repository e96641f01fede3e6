package line

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ebb/pipeline"
	"ebb/scoring/pack"
)

const erasedHorizon = 10 * 24 * time.Hour

func eraseOf(customer string, day float64) pipeline.Record {
	return visit("erase-"+customer, customer, "erase", day)
}

// erasures are what a shelf has published of them: customers, and the control records.
func (s *shelf) erasures() (customers []string, controls []pipeline.Erased) {
	for _, b := range s.outbox {
		switch e := pipeline.MustReadEntry(b); {
		case e.Kind == pipeline.EntryErased:
			customers = append(customers, string(e.Alert.Customer))
		case e.Kind == pipeline.EntryControl && e.Change.Kind == pipeline.ControlErased:
			controls = append(controls, e.Change.Erased)
		}
	}
	return customers, controls
}

// holds reports where a shelf holds the bytes of an id; "": nowhere.
func (s *shelf) holds(id string) string {
	for key, value := range s.profiles {
		if strings.Contains(key, id) || bytes.Contains(value, []byte(id)) {
			return "in a profile"
		}
	}
	for bucket, entries := range s.buckets {
		if bytes.Contains(entries, []byte(id)) {
			return fmt.Sprint("in due bucket ", bucket)
		}
	}
	for key := range s.raises {
		if strings.Contains(key, id) {
			return "among the held raises"
		}
	}
	if bytes.Contains(pipeline.AppendMeta(nil, &s.meta), []byte(id)) {
		return "in the meta"
	}
	return ""
}

// TestErase: what is kept of an erased customer, and what becomes of its events.
func TestErase(t *testing.T) {
	regulars := func(from, to float64) (r []pipeline.Record) {
		for d := from; d <= to; d++ {
			r = append(r, visit("", "a regular", "visit", d), visit("", "another", "visit", d+0.1))
		}
		return r
	}
	mine := func(days ...float64) (r []pipeline.Record) {
		for _, d := range days {
			r = append(r, visit("", "c-4711", "visit", d))
		}
		return r
	}
	for name, c := range map[string]struct {
		records   []pipeline.Record
		told      int // erasures published
		forgotten uint64
		visits    int // in the state of the customer; -1: there is none
	}{
		"known": {slices.Concat(regulars(0, 3), mine(3.2), regulars(4, 5), []pipeline.Record{eraseOf("c-4711", 5.2)}), 1, 0, -1},
		"silent and raised": {
			slices.Concat(regulars(0, 3), mine(1, 2, 3), regulars(4, 60), []pipeline.Record{eraseOf("c-4711", 60.2)}), 1, 0, -1,
		},
		"unknown": {slices.Concat(regulars(0, 3), []pipeline.Record{eraseOf("c-4711", 3.2)}, regulars(4, 5)), 1, 0, -1},
		"an old event is sent again": {
			slices.Concat(regulars(0, 3), mine(3.2), []pipeline.Record{eraseOf("c-4711", 3.3)}, mine(3.2, 3.3), regulars(4, 5)), 1, 2, -1,
		},
		"a new event": {
			slices.Concat(regulars(0, 3), mine(1, 2, 3.2), []pipeline.Record{eraseOf("c-4711", 3.3)}, mine(3.2, 4, 5), regulars(5, 6)), 1, 1, 2,
		},
		"a new event in the same batch, and erased again": {
			slices.Concat(regulars(0, 3), mine(3.2), []pipeline.Record{eraseOf("c-4711", 3.3)}, mine(4),
				[]pipeline.Record{eraseOf("c-4711", 4.2)}, mine(4.1), regulars(5, 6)), 2, 1, -1,
		},
		"asked twice": {
			slices.Concat(regulars(0, 3), mine(3.2), []pipeline.Record{eraseOf("c-4711", 3.3), eraseOf("c-4711", 3.3)},
				mine(4), []pipeline.Record{eraseOf("c-4711", 3.3)}), 1, 2, 1,
		},
		"by a clock years ahead": {
			slices.Concat(regulars(0, 3), mine(3.2), []pipeline.Record{eraseOf("c-4711", 3000)}, mine(3.05, 4), regulars(4, 5)), 1, 1, 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, size := range []int{1, 3, 1000} {
				s := newShelf(t, anyOf(t, erasedHorizon), 0, 0)
				for part := range slices.Chunk(slices.Clone(c.records), size) {
					s.put(t, part)
				}
				s.settle(t)
				told, controls := s.erasures()
				if len(told) != c.told || len(controls) != c.told || s.tally.Forgotten != c.forgotten ||
					s.tally.Erased != uint64(c.told) {
					t.Errorf("batches of %d: %q and %+v, %d forgotten, want %d and %d", size, told, controls, s.tally.Forgotten,
						c.told, c.forgotten)
				}
				visits := -1
				if p, ok := s.left(t)[key("c-4711")]; ok {
					visits = int(p.Visits)
				}
				if visits != c.visits {
					t.Errorf("batches of %d: %d visits, want %d", size, visits, c.visits)
				}
				if where := s.holds("4711"); c.visits < 0 && where != "" {
					t.Errorf("batches of %d: the id is %s", size, where)
				}
				if n := int64(len(s.profiles)); s.meta.Holds.Profiles != n {
					t.Errorf("%d profiles, counted as %d", n, s.meta.Holds.Profiles)
				}
				for _, b := range s.meta.Buckets.All() {
					if s.buckets[b] == nil {
						t.Errorf("the state counts bucket %d, which is not there", b)
					}
				}
			}
		})
	}
}

// erasedLog is a log in which some customers are erased, among them the first.
type erasedLog struct {
	records []pipeline.Record
	erased  string         // the customer
	at      int            // where
	later   map[string]int // places of the last erasures of customers who do not come back
}

func drawErasedLog(draw *rapid.T) (l erasedLog) {
	l.later = map[string]int{}
	day, n := 0.0, rapid.IntRange(20, 80).Draw(draw, "records")
	l.at, l.erased = rapid.IntRange(0, n-1).Draw(draw, "place"), "id-000"
	for i := range n {
		day += rapid.Float64Range(0.05, 3).Draw(draw, "gap")
		customer := fmt.Sprintf("id-%03d", rapid.IntRange(0, 5).Draw(draw, "customer")+i/30*3)
		at := day
		if rapid.IntRange(0, 6).Draw(draw, "late") == 0 {
			at = max(0, day-rapid.Float64Range(0, 20).Draw(draw, "how late"))
		}
		r := visit(fmt.Sprint("e", i), customer, "visit", at)
		switch {
		case i == l.at:
			r = eraseOf(l.erased, day)
			l.later[l.erased] = i
		case rapid.IntRange(0, 9).Draw(draw, "erase") == 0 && customer != l.erased:
			r = eraseOf(customer, day)
			l.later[customer] = i
		default:
			delete(l.later, customer)
		}
		r.AppendTime = true // nobody has to vouch for it
		l.records = append(l.records, r)
	}
	return l
}

// feedErased folds records in batches of random size, with restarts. After each commit it sees that nothing is left of
// customers who are erased and have not come back.
func (s *shelf) feedErased(t testing.TB, draw *rapid.T, records []pipeline.Record, gone map[string]int) {
	t.Helper()
	records = slices.Clone(records)
	for len(records) > 0 {
		n := rapid.IntRange(1, len(records)).Draw(draw, "batch")
		s.put(t, records[:n])
		records = records[n:]
		for id, at := range gone {
			if where := s.holds(id); int64(at) < s.Next() && where != "" {
				draw.Fatalf("%s was erased at %d, and at %d its id is %s", id, at, s.Next(), where)
			}
		}
		for range rapid.IntRange(0, 3).Draw(draw, "sweeps") {
			s.sweepOnce(t)
		}
		if rapid.Bool().Draw(draw, "restart") {
			s.restart()
		}
	}
	s.settle(t)
}

// TestErasedLeavesNothing: whatever the batches and restarts, the same is decided and left, and nothing that is held, or
// goes to the outbox, holds the id of a customer once the record that says so is there.
func TestErasedLeavesNothing(t *testing.T) {
	k := anyOf(t, erasedHorizon)
	rapid.Check(t, func(draw *rapid.T) {
		log := drawErasedLog(draw)
		var first *shelf
		for range 2 {
			s := newShelf(t, k, 0, 0)
			s.feedErased(t, draw, log.records, log.later)
			for id, at := range log.later {
				told := false
				for _, b := range s.outbox {
					e := pipeline.MustReadEntry(b)
					if told && bytes.Contains(b, []byte(id)) {
						draw.Fatalf("%s was erased at %d: %+v", id, at, e)
					}
					told = told || e.Kind == pipeline.EntryErased && e.Offset == int64(at)
				}
			}
			if first == nil {
				first = s
				continue
			}
			got, _ := s.published()
			want, _ := first.published()
			slices.Sort(got) // between customers no order is promised
			slices.Sort(want)
			if diff := cmp.Diff(want, got) + cmp.Diff(first.profiles, s.profiles) + cmp.Diff(first.raises, s.raises) +
				cmp.Diff(first.meta.Erased, s.meta.Erased); diff != "" {
				draw.Fatal(diff)
			}
		}
	})
}

// TestErasedIsAsIfItHadNeverBeen: afterwards everything is as if somebody else had sent what came of the customer until
// then, and what came later of that time had not been sent at all.
func TestErasedIsAsIfItHadNeverBeen(t *testing.T) {
	k := anyOf(t, erasedHorizon)
	kept := 0
	rapid.Check(t, func(draw *rapid.T) {
		log := drawErasedLog(draw)
		other := slices.Clone(log.records)
		until := other[log.at].Timestamp
		for i := range other {
			r := &other[i]
			switch of := bytes.Contains(r.Value, []byte(`"customer":"`+log.erased+`"`)); {
			case i == log.at, of && i > log.at && r.Timestamp <= until: // in its place a record that counts for nothing
				r.Value = []byte(`{"type":"page","anonymousId":"v","timestamp":1700000000000}`)
			case of && i < log.at:
				r.Value = bytes.ReplaceAll(r.Value, []byte(log.erased), []byte("somebody"))
			}
		}
		s, never := newShelf(t, k, 0, 0), newShelf(t, k, 0, 0)
		s.feedErased(t, draw, log.records, log.later)
		never.feedErased(t, draw, other, nil)
		kept += len(s.profiles)
		want := maps.Clone(never.profiles)
		delete(want, key("somebody"))
		if diff := cmp.Diff(want, s.profiles); diff != "" {
			draw.Fatalf("%s is erased at %d (-never +erased):\n%s", log.erased, log.at, diff)
		}
		if diff := cmp.Diff(
			never.meta.Clock.Watermark,
			s.meta.Clock.Watermark,
		) + cmp.Diff(
			never.meta.Population,
			s.meta.Population,
		); diff != "" {
			draw.Fatal(diff)
		}
		if diff := cmp.Diff(never.alertsBut("somebody"), s.alertsBut(log.erased)); diff != "" {
			draw.Fatalf("alerts (-never +erased):\n%s", diff)
		}
	})
	if kept == 0 {
		t.Error("nobody has any state in any log")
	}
}

// alertsBut are all alerts but those of a customer until it is erased, if it is.
func (s *shelf) alertsBut(customer string) (all []string) {
	erased := false
	for _, b := range s.outbox {
		switch e := pipeline.MustReadEntry(b); {
		case e.Kind == pipeline.EntryErased:
			erased = erased || string(e.Alert.Customer) == customer
		case e.Kind == pipeline.EntryAlert && (erased || string(e.Alert.Customer) != customer):
			all = append(all, alertText(&e))
		}
	}
	slices.Sort(all)
	return all
}

// TestErasureIsReplayed: a replay of a log with storms and erasures decides the same, from the beginning and from any state
// of then, and publishes nothing of it again.
func TestErasureIsReplayed(t *testing.T) {
	erased, held := 0, uint64(0)
	rapid.Check(t, func(r *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 2))
		records := stormRecords(rng)
		for i := range records {
			if rng.IntN(20) == 0 {
				records[i].Value = bytes.Replace(records[i].Value, []byte(`"type":"visit"`), []byte(`"type":"erase"`), 1)
			}
		}
		s := newStormy(t)
		copies := s.live(t, rng, records)
		told, _ := s.erasures()
		erased, held = erased+len(told), held+s.tally.Withdrawn[pipeline.HeldStorm]
		s.checkReplays(t, r, rng, records, append(copies, newStormy(t)))
	})
	if erased < 50 || held == 0 {
		t.Errorf("%d erased, %d raises not held any more: the logs show too little", erased, held)
	}
}

// TestErasedBefore: a state that is built again from the middle of the log knows who was erased before.
func TestErasedBefore(t *testing.T) {
	s := newShelf(t, anyOf(t, erasedHorizon), 0, 0)
	day := int64(1_700_000_000_000)
	h := &History{Packs: []*pack.Pack{s.pack}, Erased: []pipeline.Erasure{
		{Hash: s.cfg.Identity.ErasedHash([]byte(key("c"))), Until: day + pipeline.DayMillis},
	}}
	s.Line = New(&s.cfg, &pipeline.Standing{Meta: s.meta}, h)
	s.put(t, []pipeline.Record{visit("", "c", "visit", 1), visit("", "d", "visit", 1), visit("", "c", "visit", 2)})
	if p := s.left(t); s.tally.Forgotten != 1 || len(p) != 2 || p[key("c")].Visits != 1 {
		t.Errorf("%d forgotten, %+v", s.tally.Forgotten, p)
	}
}

// TestErasedState: damage of a bucket that is read for an erasure alone is found.
func TestErasedState(t *testing.T) {
	s := newShelf(t, anyOf(t, erasedHorizon), 0, 0)
	s.put(t, []pipeline.Record{visit("", "c", "visit", 0), visit("", "d", "visit", 0.1), visit("", "e", "visit", 0.2)})
	for b := range s.buckets {
		s.buckets[b] = []byte{0xff}
	}
	b := s.NewBatch()
	b.Fetched.Records, b.Fetched.Next = []pipeline.Record{eraseOf("c", 0.3)}, s.Next()+1
	b.Fetched.Records[0].Offset = s.Next()
	b.Decode()
	s.load(s.Wanted(b))
	if err := s.Loaded(); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("%v", err)
	}
}

// TestErasedInTurn: two customers are erased by commits of which the second is folded while the first is in progress, and
// what is loaded for it does not hold the first yet.
func TestErasedInTurn(t *testing.T) {
	s := newShelf(t, anyOf(t, erasedHorizon), 0, 0)
	var records []pipeline.Record
	for d := range 3 {
		for _, id := range []string{"id-000", "id-001", "id-002"} {
			records = append(records, visit("", id, "visit", float64(d)))
		}
	}
	s.put(t, records)
	var commits []*Staged
	for _, id := range []string{"id-000", "id-001"} {
		b := s.NewBatch()
		b.Fetched.Records, b.Fetched.Next = []pipeline.Record{eraseOf(id, 2.1)}, s.Next()+1
		b.Fetched.Records[0].Offset = s.Next()
		b.Decode()
		s.load(s.Wanted(b))
		if err := s.Loaded(); err != nil {
			t.Fatal(err)
		}
		commits = append(commits, s.Fold(b))
	}
	for _, c := range commits {
		s.commit(c)
	}
	for _, id := range []string{"id-000", "id-001"} {
		if where := s.holds(id); where != "" {
			t.Errorf("%s is %s", id, where)
		}
	}
	if s.holds("id-002") == "" || len(s.profiles) != 1 {
		t.Errorf("%d are left", len(s.profiles))
	}
}
