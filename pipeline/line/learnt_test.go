package line

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ebb/pipeline"
	"ebb/scoring/alert"
	"ebb/scoring/model"
	"ebb/scoring/pack"
)

// learnRecords is a log to learn from: customers of very different pace, some of whom leave, late events, clocks years
// ahead, repeated ids and poison, and now and then nothing for a long time.
func learnRecords(rng *rand.Rand, n int) (records []pipeline.Record) {
	at := int64(1_700_000_000_000)
	for i := range n {
		at += int64(rng.ExpFloat64() * 12 * pipeline.MinuteMillis)
		if rng.IntN(600) == 0 {
			at += rng.Int64N(4 * pipeline.DayMillis)
		}
		c := int(400*rng.Float64()*rng.Float64()) + 20*(i/300)
		time, id, kind := at, i, "visit"
		switch rng.IntN(24) {
		case 0:
			time -= rng.Int64N(3 * pipeline.DayMillis)
		case 1:
			id = max(0, i-rng.IntN(20))
		case 2:
			kind = "failed"
		case 3:
			if rng.IntN(4) == 0 {
				time += rng.Int64N(2000 * pipeline.DayMillis)
			}
		}
		r := pipeline.Record{
			Timestamp: time,
			Value:     fmt.Appendf(nil, `{"id":"e%d","customer":"c%d","type":%q,"time":%d}`, id, c, kind, time),
		}
		if rng.IntN(100) == 0 {
			r.Value = []byte("poison")
		}
		records = append(records, r)
	}
	return records
}

// told holds the decisions of a shelf, in published form, by customer: the order between customers is not defined.
func (s *shelf) told(t testing.TB) (told map[string][]string, learnt int) {
	t.Helper()
	told = map[string][]string{}
	for _, b := range s.outbox {
		e, err := pipeline.ReadEntry(b)
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind != pipeline.EntryAlert {
			continue
		}
		by := alert.NewRenderer(s.Packs()[e.PackEpoch])
		published := by.AppendAlert(nil, &e.Alert, e.Alert.ID())
		told[string(e.Key)] = append(told[string(e.Key)], string(published))
		if x, err := by.Explain(published); err != nil || len(x.Differences) > 0 {
			t.Fatalf("explained as %+v, %v: %s", x, err, published)
		}
		if !e.Alert.Reading.Provisional() {
			learnt++
		}
	}
	return told, learnt
}

// TestLearntWhateverTheBatches: each customer's alerts are the same to the byte, probabilities included, and so is all
// state at the end, for any batches, restarts and sweeps between them; also where a newer pack with another horizon
// begins among the records.
func TestLearntWhateverTheBatches(t *testing.T) {
	t.Run("one pack", func(t *testing.T) { learnWhateverTheBatches(t, nil) })
	t.Run("two packs", func(t *testing.T) {
		text := strings.Replace(string(anyOf(t, 3*24*time.Hour).Canonical()), `"version":"1"`, `"version":"2"`, 1)
		newer, err := pack.LoadCanonical([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		learnWhateverTheBatches(t, newer)
	})
}

func learnWhateverTheBatches(t *testing.T, newer *pack.Pack) {
	t.Helper()
	pack := anyOf(t, 2*24*time.Hour)
	learnt := 0
	begin := func() *shelf {
		s := newShelf(t, pack, 30*24*time.Hour, time.Hour)
		s.newer, s.turnAt = newer, 1200
		return s
	}
	for seed := range uint64(3) {
		records := learnRecords(rand.New(rand.NewPCG(seed, 1)), 2500)
		clean := begin()
		for _, r := range records { // one at a time, each with everything that is due by then
			clean.put(t, []pipeline.Record{r})
			clean.settle(t)
		}
		want, n := clean.told(t)
		learnt += n
		for range 3 {
			rng := rand.New(rand.NewPCG(seed, rand.Uint64()))
			s := begin()
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
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("seed %d: alerts (-want +got):\n%.4000s", seed, diff)
			}
			if s.meta.Learnt != clean.meta.Learnt || s.meta.Population != clean.meta.Population ||
				!cmp.Equal(s.profiles, clean.profiles) {
				t.Fatalf("seed %d: what is left differs:\n%s", seed, cmp.Diff(clean.meta, s.meta))
			}
		}
	}
	if learnt < 200 {
		t.Fatalf("only %d alerts rest on what was learnt", learnt)
	}
}

// TestLearntAgainstTheRecords compares the table with one made from the records alone: at every instant drawn for a
// customer, whether it was silent for the horizon after, and in which epoch that became known.
func TestLearntAgainstTheRecords(t *testing.T) {
	const horizon = 2 * pipeline.DayMillis
	pack := anyOf(t, horizon*time.Millisecond)
	rapid.Check(t, func(r *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 3))
		s := newShelf(t, pack, 0, 0)
		times := map[int][]int64{}
		var all []int64
		var records []pipeline.Record
		at := int64(1_700_000_000_000)
		for i := range 400 {
			at += 1 + int64(rng.ExpFloat64()*90*pipeline.MinuteMillis)
			c := int(30 * rng.Float64() * rng.Float64())
			times[c], all = append(times[c], at), append(all, at)
			records = append(
				records,
				pipeline.Record{
					Timestamp: at,
					Value:     fmt.Appendf(nil, `{"id":"e%d","customer":"c%d","type":"visit","time":%d}`, i, c, at),
				},
			)
		}
		for part := range slices.Chunk(records, rapid.IntRange(1, 100).Draw(r, "batch")) {
			s.put(t, part)
		}
		s.settle(t)

		// The clock starts once three customers have vouched for a time (ADR 9): only what resolves after that can be
		// compared.
		var resolved, silent int
		var open model.Outcomes
		for c, visits := range times {
			phase := int64(
				xxhash.Sum64(pipeline.AppendKey(nil, nil, fmt.Appendf(nil, "c%d", c)))%(horizon/pipeline.MinuteMillis),
			) * pipeline.MinuteMillis
			first := visits[0] + ((phase-visits[0])%horizon+horizon)%horizon
			for start := first; ; start += horizon {
				end := start + horizon
				seen := slices.IndexFunc(visits, func(v int64) bool { return v >= end })
				known := end <= at/pipeline.MinuteMillis*pipeline.MinuteMillis // by the sweep
				if seen >= 0 {
					known = true
				}
				if !known {
					break
				}
				last, quiet := int64(0), true
				for _, v := range visits {
					if v <= start {
						last = v
					} else if v <= end {
						quiet = false
					}
				}
				if start-last > 2*horizon {
					continue
				}
				resolved++
				// An event after the instant resolves it before the watermark does, so in the epoch of the record before it.
				when := end
				if seen >= 0 {
					if i, _ := slices.BinarySearch(all, visits[seen]); all[i-1] < end {
						when = all[i-1]
					}
				}
				if when >= (pack.Model.EpochEnd(at/pipeline.MinuteMillis)-s.epoch())*pipeline.MinuteMillis && when != at {
					open.Resolved++
					if quiet {
						open.Silent++
					}
				}
				if quiet {
					silent++
				}
			}
		}
		var got model.Outcomes
		weight, quiet := 0.0, 0.0
		for i, o := range s.meta.Learnt.Open {
			got.Resolved += o.Resolved
			got.Silent += o.Silent
			weight += s.meta.Learnt.Resolved[i]
			quiet += s.meta.Learnt.Silent[i]
		}
		if got != open {
			r.Fatalf("the open epoch counts %+v, want %+v", got, open)
		}
		if resolved < 20 || silent == 0 || weight <= 0 || weight > float64(resolved) || quiet > float64(silent) {
			r.Fatalf("%d resolved, %d silent; closed epochs weigh %v, %v silent", resolved, silent, weight, quiet)
		}
	})
}

// epoch is the length of an epoch in minutes.
func (s *shelf) epoch() int64 { return s.pack.Model.EpochEnd(0) }

// TestBarrierWithinABatch: where everything due before a barrier is in memory, the batch crosses it in one commit.
func TestBarrierWithinABatch(t *testing.T) {
	s := newShelf(t, anyOf(t, 8*24*time.Hour), 0, 0) // epochs of a day
	at := int64(1_767_225_600_000)
	batch := func(days ...float64) (records []pipeline.Record) {
		for i, d := range days {
			time := at + int64(d*pipeline.DayMillis)
			records = append(
				records,
				pipeline.Record{Timestamp: time, Value: fmt.Appendf(nil, `{"customer":"c%d","type":"visit","time":%d}`, i%3, time)},
			)
		}
		return records
	}
	s.put(t, batch(0.1, 0.2, 0.3, 0.4))
	before, commits := s.Line.meta.Learnt.End, s.commits
	s.put(t, batch(0.5, 0.6, 1.1, 1.2, 1.3))
	if s.Line.meta.Learnt.End == before || s.commits != commits+1 {
		t.Errorf(
			"the epoch ends at minute %d, then %d, after %d more commits",
			before,
			s.Line.meta.Learnt.End,
			s.commits-commits,
		)
	}
}
