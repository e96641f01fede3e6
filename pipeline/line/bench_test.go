package line

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"ebb/pipeline"
	"ebb/pipeline/decode"
	"ebb/pipeline/sources"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// benchRecords is a log like that of the end-to-end benchmark: each customer comes at gaps around its own, half of them
// stop for good at some time, and all are merged in order of time over 180 days.
func benchRecords(events, customers int) []pipeline.Record {
	r := rand.New(rand.NewPCG(1, 2))
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	const span = 180 * 24 * float64(pipeline.HourMillis)
	mean := float64(events) / float64(customers)
	type visit struct {
		at       int64
		customer int
	}
	var visits []visit
	for c := 0; len(visits) < events; c = (c + 1) % customers {
		gap := math.Log(span/mean/2) + 0.9*r.NormFloat64()
		at, stop := r.Float64()*span*0.6, span
		if r.Float64() < 0.5 {
			stop = at + r.ExpFloat64()*span*0.4
		}
		for n := 0; at < min(span, stop) && n < int(8*mean); n++ {
			visits = append(visits, visit{start + int64(at), c})
			at += math.Exp(gap + 0.8*r.NormFloat64())
		}
	}
	visits = visits[:events]
	slices.SortFunc(visits, func(a, b visit) int { return int(a.at - b.at) })
	types := []string{
		"Product Viewed",
		"Product Added",
		"Products Searched",
		"Order Completed",
		"Support Ticket Opened",
		"Payment Failed",
		"Signed In",
	}
	records := make([]pipeline.Record, events)
	for i, v := range visits {
		at := time.UnixMilli(v.at).UTC()
		value := fmt.Appendf(
			nil,
			`{"id":"e-%09d","customer":"c-%08d","type":"%s","time":"%s","value":"%d.%02d","currency":"EUR","tenant":"shop","properties":{"sku":"A-%05d","quantity":%d,"channel":"web"}}`,
			i,
			v.customer,
			types[r.IntN(len(types))],
			at.Format("2006-01-02T15:04:05.000Z"),
			i%200,
			i%100,
			i%30011,
			1+i%4,
		)
		records[i] = pipeline.Record{Offset: int64(i), Timestamp: v.at, Value: value}
	}
	return records
}

// foldAll puts a batch through the line as an owner does, including what a barrier leaves of it after the sweeps that
// it waits for.
func (l *Line) foldAll(b *Batch, load func(*pipeline.Load), done func(*Staged)) error {
	idle := &Batch{}
	for part := b; ; part = b {
		if l.AtEdge() {
			idle.Empty(l.meta.Next)
			l.ApplyControls(nil)
			part = idle
		}
		load(l.Wanted(part))
		if err := l.Loaded(); err != nil {
			return err
		}
		done(l.Fold(part))
		if len(b.Events) == 0 && !l.AtEdge() {
			return nil
		}
	}
}

// benchRun folds a log from its start, against due buckets in memory.
type benchRun struct {
	line  *Line
	batch *Batch
	held  map[int64][]byte // due buckets in the store
	total Tally
}

// newBenchRun starts anew, and goes on counting where there was a run before.
func newBenchRun(k *pack.Pack, customers int, before *benchRun) *benchRun {
	r := &benchRun{
		line: New(
			&Config{
				Format: profile.Format, CacheCustomers: customers,
				Settings: pipeline.Settings{Rules: decode.Rules, Guard: sources.Rules},
			},
			&pipeline.Standing{},
			&History{Packs: []*pack.Pack{k}},
		),
		batch: &Batch{decoder: decode.New(1 << 20)},
		held:  map[int64][]byte{},
	}
	if before != nil {
		r.batch, r.total = before.batch, before.total
	}
	return r
}

func (r *benchRun) fold(records []pipeline.Record, next int64) error {
	r.batch.Fetched.Records, r.batch.Fetched.Next = records, next
	r.batch.Decode()
	return r.line.foldAll(r.batch, r.load, r.done)
}

func (r *benchRun) load(want *pipeline.Load) {
	want.Profiles = make([][]byte, len(want.Keys))
	want.Due = make([][]byte, len(want.Buckets))
	for i, bucket := range want.Buckets {
		want.Due[i] = r.held[bucket]
	}
}

func (r *benchRun) done(s *Staged) {
	r.total.Add(&s.Tally)
	for _, due := range s.Commit.Due {
		r.held[due.Bucket] = append(r.held[due.Bucket], due.Entries...)
	}
	for _, bucket := range s.Commit.Swept {
		delete(r.held, bucket)
	}
}

// TestFoldAllocates: memory is allocated by the batch, and not by the event.
func TestFoldAllocates(t *testing.T) {
	const events, customers, size = 100_000, 10_000, 10_000
	records := benchRecords(events, customers)
	run := newBenchRun(anyOf(t, 30*24*time.Hour), customers, nil)
	var before, after runtime.MemStats
	for at := 0; at < events; at += size {
		if at == events/2 {
			runtime.ReadMemStats(&before)
		}
		if err := run.fold(records[at:at+size], int64(at+size)); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if n := float64(after.Mallocs-before.Mallocs) / (events / 2); n > 0.2 {
		t.Errorf("%.2f allocations an event", n)
	}
}

// BenchmarkLine is everything between fetch and commit, with a pack that declares nothing and with a large one: decode,
// locate, fold, decide, stage. It excludes I/O.
func BenchmarkLine(b *testing.B) {
	for _, pack := range []string{"any", "retail"} {
		b.Run(pack, func(b *testing.B) { benchmarkLine(b, pack) })
	}
}

func benchmarkLine(b *testing.B, name string) {
	b.Helper()
	const events, customers, size = 500_000, 50_000, 10_000
	records := benchRecords(events, customers)
	k, err := pack.Load(
		name,
		nil,
		pack.Overrides{
			Horizon:  30 * 24 * time.Hour,
			Friction: map[string]float64{"Support Ticket Opened": 0, "Payment Failed": 1},
		},
	)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var run *benchRun
	at := events
	for b.Loop() { // one iteration counts as one event: a batch is folded every size iterations
		if at%size != 0 {
			at++
			continue
		}
		if at == events {
			at, run = 0, newBenchRun(k, customers, run)
		}
		if err := run.fold(records[at:at+size], int64(at+size)); err != nil {
			b.Fatal(err)
		}
		at++
	}
	total := &run.total
	n := float64(b.N)
	b.ReportMetric(float64(total.Woken)/n, "woken/event")
	b.ReportMetric(float64(total.Armed)/n, "armed/event")
	b.ReportMetric(float64(total.AllAlerts())/n, "alerts/event")
}
