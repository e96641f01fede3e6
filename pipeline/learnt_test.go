package pipeline

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ebb/scoring"
)

// learnRecords is a log from which something is learnt: customers of very different pace, some of whom leave, late events,
// clocks years ahead, repeated ids and poison, and now and then nothing for a long time.
func learnRecords(rng *rand.Rand, n int) (records []Record) {
	at := int64(1_700_000_000_000)
	for i := range n {
		at += int64(rng.ExpFloat64() * 12 * minuteMillis)
		if rng.IntN(600) == 0 {
			at += rng.Int64N(4 * dayMillis)
		}
		c := int(400*rng.Float64()*rng.Float64()) + 20*(i/300)
		time, id, kind := at, i, "visit"
		switch rng.IntN(24) {
		case 0:
			time -= rng.Int64N(3 * dayMillis)
		case 1:
			id = max(0, i-rng.IntN(20))
		case 2:
			kind = "failed"
		case 3:
			if rng.IntN(4) == 0 {
				time += rng.Int64N(2000 * dayMillis)
			}
		}
		r := Record{Timestamp: time, Value: fmt.Appendf(nil, `{"id":"e%d","customer":"c%d","type":%q,"time":%d}`, id, c, kind, time)}
		if rng.IntN(100) == 0 {
			r.Value = []byte("poison")
		}
		records = append(records, r)
	}
	return records
}

// told is what a shelf has decided, as it is published, by customer: between customers no order is promised.
func (s *shelf) told(t testing.TB) (told map[string][]string, learnt int) {
	t.Helper()
	told = map[string][]string{}
	for _, b := range s.outbox {
		e, err := ReadEntry(b)
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind != EntryAlert {
			continue
		}
		by := s.packs.renderers()[e.Generation]
		alert := by.AppendAlert(nil, &e.Alert, e.Alert.ID())
		told[string(e.Key)] = append(told[string(e.Key)], string(alert))
		if x, err := scoring.Explain(alert); err != nil || len(x.Differences) > 0 {
			t.Fatalf("explained as %+v, %v: %s", x, err, alert)
		}
		if !e.Alert.Reading.Provisional() {
			learnt++
		}
	}
	return told, learnt
}

// TestLearntWhateverTheBatches: whatever the batches, the restarts between them and the sweeps that come between or do not, each
// customer's alerts are the same to the byte, probabilities included, and so is all that is left; also where a newer pack with
// another horizon begins among the records.
func TestLearntWhateverTheBatches(t *testing.T) {
	t.Run("one pack", func(t *testing.T) { learnWhateverTheBatches(t, nil) })
	t.Run("two packs", func(t *testing.T) {
		text := strings.Replace(string(anyOf(t, 3*24*time.Hour).Canonical()), `"version":"1"`, `"version":"2"`, 1)
		newer, err := scoring.LoadCanonical([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		learnWhateverTheBatches(t, newer)
	})
}

func learnWhateverTheBatches(t *testing.T, newer *scoring.Pack) {
	t.Helper()
	pack := anyOf(t, 2*24*time.Hour)
	learnt := 0
	begin := func() *shelf {
		s := newShelf(t, pack, 30*24*time.Hour, time.Hour, scoring.NewestProfile)
		s.newer, s.turnAt = newer, 1200
		return s
	}
	for seed := range uint64(3) {
		records := learnRecords(rand.New(rand.NewPCG(seed, 1)), 2500)
		clean := begin()
		for _, r := range records { // one at a time, each with all that is due by then
			clean.put(t, []Record{r})
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
			if s.meta.Learnt != clean.meta.Learnt || s.meta.Population != clean.meta.Population || !cmp.Equal(s.profiles, clean.profiles) {
				t.Fatalf("seed %d: what is left differs:\n%s", seed, cmp.Diff(clean.meta, s.meta))
			}
		}
	}
	if learnt < 200 {
		t.Fatalf("only %d alerts rest on what was learnt", learnt)
	}
}

// TestLearntAgainstTheRecords holds the table against one made from the records alone: at every instant drawn for a customer,
// was it silent for the horizon after, and in which epoch is that known.
func TestLearntAgainstTheRecords(t *testing.T) {
	const horizon = 2 * dayMillis
	pack := anyOf(t, horizon*time.Millisecond)
	rapid.Check(t, func(r *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 3))
		s := newShelf(t, pack, 0, 0, scoring.NewestProfile)
		times := map[int][]int64{}
		var all []int64
		var records []Record
		at := int64(1_700_000_000_000)
		for i := range 400 {
			at += 1 + int64(rng.ExpFloat64()*90*minuteMillis)
			c := int(30 * rng.Float64() * rng.Float64())
			times[c], all = append(times[c], at), append(all, at)
			records = append(records, Record{Timestamp: at, Value: fmt.Appendf(nil, `{"id":"e%d","customer":"c%d","type":"visit","time":%d}`, i, c, at)})
		}
		for part := range slices.Chunk(records, rapid.IntRange(1, 100).Draw(r, "batch")) {
			s.put(t, part)
		}
		s.settle(t)

		// Event time begins once three customers have vouched for it (ADR 9): only what resolves after that can be told apart.
		var resolved, silent int
		var open scoring.Outcomes
		for c, visits := range times {
			phase := int64(xxhash.Sum64(AppendKey(nil, nil, fmt.Appendf(nil, "c%d", c)))%(horizon/minuteMillis)) * minuteMillis
			first := visits[0] + ((phase-visits[0])%horizon+horizon)%horizon
			for start := first; ; start += horizon {
				end := start + horizon
				seen := slices.IndexFunc(visits, func(v int64) bool { return v >= end })
				known := end <= at/minuteMillis*minuteMillis // by the sweep
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
				// An event that comes after the instant tells before the watermark does, so in the epoch of the record before it.
				when := end
				if seen >= 0 {
					if i, _ := slices.BinarySearch(all, visits[seen]); all[i-1] < end {
						when = all[i-1]
					}
				}
				if when >= (pack.Model.EpochEnd(at/minuteMillis)-s.epoch())*minuteMillis && when != at {
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
		var got scoring.Outcomes
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

// epoch is how many minutes an epoch lasts.
func (s *shelf) epoch() int64 { return s.cfg.Pack.Model.EpochEnd(0) }

// TestLearntNothingInTheOlderLayout: while profiles are written that have no place for probes, nothing is learnt, nobody is woken
// for it, and alerts say so.
func TestLearntNothingInTheOlderLayout(t *testing.T) {
	records := learnRecords(rand.New(rand.NewPCG(1, 1)), 2500)
	pack := anyOf(t, 2*24*time.Hour)
	old := newShelf(t, pack, 0, time.Hour, scoring.OldestProfile)
	old.put(t, records)
	old.settle(t)
	told, learnt := old.told(t)
	if learnt > 0 || old.meta.Learnt != (Learnt{}) || len(told) == 0 {
		t.Fatalf("%d alerts rest on what was learnt, %+v", learnt, old.meta.Learnt)
	}
	old.cfg.Profiles = scoring.NewestProfile // every member reads it from now on
	old.restart()
	for i := range records {
		records[i].Value = fmt.Appendf(nil, `{"customer":"c%d","type":"visit","time":%d}`, i%400, old.clock.Watermark+int64(i)*hourMillis/6)
		records[i].Timestamp = 0
	}
	old.put(t, records)
	old.settle(t)
	if curve := old.meta.Learnt.Curve(); curve.Provisional() {
		t.Fatalf("only %v probes after the upgrade", curve.Probes)
	}
}

func TestMetaWithAndWithoutLearnt(t *testing.T) {
	m := Meta{Version: 1, Next: 5}
	b, err := json.Marshal(&m)
	if err != nil || string(b) != `{"version":1,"next":5,"clock":{"started":false,"watermark":0,"fired":{"minute":0,"hash":0}},"population":{"n":0,"n_at":0,"mean":0,"total":0,"n_gaps":0,"gaps_at":0,"within":0},"pack":"","partitions":0,"cluster":"","topic":"","wall":0}` {
		t.Fatalf("%s: %v", b, err)
	}
	for i := range 64 {
		m.Learnt.Resolved[i], m.Learnt.Silent[i], m.Learnt.Open[i] = 1e6/7, 1e5/7, scoring.Outcomes{Resolved: 1 << 20, Silent: 1 << 19}
	}
	m.Learnt.End = 30_000_000
	var back Meta
	if b, err = json.Marshal(&m); err != nil || json.Unmarshal(b, &back) != nil || back.Learnt != m.Learnt || len(b) > 2500 {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	for name, text := range map[string]string{"no base64": `{"learnt":"#"}`, "too short": `{"learnt":"AAAA"}`} {
		if err := json.Unmarshal([]byte(text), &back); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// TestBarrierWithinABatch: where all that is due before a barrier is in memory, the batch goes over it in one commit.
func TestBarrierWithinABatch(t *testing.T) {
	s := newShelf(t, anyOf(t, 8*24*time.Hour), 0, 0, scoring.NewestProfile) // epochs of a day
	at := int64(1_767_225_600_000)
	batch := func(days ...float64) (records []Record) {
		for i, d := range days {
			time := at + int64(d*dayMillis)
			records = append(records, Record{Timestamp: time, Value: fmt.Appendf(nil, `{"customer":"c%d","type":"visit","time":%d}`, i%3, time)})
		}
		return records
	}
	s.put(t, batch(0.1, 0.2, 0.3, 0.4))
	before, commits := s.learnt.End, s.commits
	s.put(t, batch(0.5, 0.6, 1.1, 1.2, 1.3))
	if s.learnt.End == before || s.commits != commits+1 {
		t.Errorf("the epoch ends at minute %d, then %d, after %d more commits", before, s.learnt.End, s.commits-commits)
	}
}
