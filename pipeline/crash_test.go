package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"ebb/pipeline"
	"ebb/pipeline/storetest"
	"ebb/scoring"
)

// world is one partition's services, an input, and what came of running it.
type world struct {
	t        *testing.T
	mu       sync.Mutex
	broker   *broker
	store    *storetest.Memory
	pack     *scoring.Pack
	ops      int           // requests so far
	at       int           // the request to hit; 0: none
	hit      fault         // what becomes of it
	kill     func()        // called with it
	every    func(ops int) // called at each request; optional
	end      int64         // stop before this offset
	lateness time.Duration
	trail    []string
}

// outcome is everything that a run leaves behind and that must not depend on what went wrong on the way.
type outcome struct {
	Published []string // key and value of each record, in order per key
	Offset    int64
	Profiles  map[string]string
	Outbox    int
}

func newWorld(t *testing.T, seed uint64, records int) *world {
	t.Helper()
	pack, err := scoring.Load("any", nil, scoring.Overrides{Horizon: 10 * 24 * time.Hour, Friction: map[string]float64{"failed": 1}})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, broker: &broker{records: shopRecords(seed, records)}, store: storetest.NewMemory(), pack: pack, end: int64(records), lateness: time.Hour}
	w.broker.inject = func(s pipeline.Step) fault { return w.request(s.String()) }
	w.store.Inject(func(_ int, op storetest.Op) storetest.Fault {
		return map[fault]storetest.Fault{none: storetest.NoFault, lost: storetest.Lost, deaf: storetest.Unanswered}[w.request([]string{"claim", "load", "commit"}[op])]
	})
	return w
}

// request counts a request of any kind and says whether it is the one to hit.
func (w *world) request(name string) fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ops++
	if w.every != nil {
		w.every(w.ops)
	}
	if w.ops != w.at {
		return none
	}
	w.trail = append(w.trail, fmt.Sprintf("%s (request %d) hit by %d", name, w.ops, w.hit))
	if w.kill != nil {
		w.kill()
	}
	return w.hit
}

// shopRecords is a seeded input: regulars, leavers, payment failures, repeated ids, late events, clocks that are years ahead
// (the first record's among them) and poison.
func shopRecords(seed uint64, n int) []pipeline.Record {
	r := rand.New(rand.NewPCG(seed, 7))
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var records []pipeline.Record
	for i := range n {
		now = now.Add(time.Duration(r.ExpFloat64() * float64(16*time.Hour)))
		customer := r.IntN(12) + i/(n/3)*6 // some leave, others come
		at, id, kind := now, i, "visit"
		switch r.IntN(20) {
		case 0:
			id = max(0, i-1-r.IntN(3)) // a repeated id
		case 1:
			at = at.Add(-time.Duration(r.IntN(72)) * time.Hour)
		case 2:
			kind = "failed"
		case 3:
			customer, at = 30+r.IntN(10), at.AddDate(1+r.IntN(100), 0, 0)
		}
		if i == 0 {
			customer, at = 30, at.AddDate(150, 0, 0)
		}
		v := fmt.Sprintf(`{"id":"e%d","customer":"c%d","type":%q,"time":%q}`, id, customer, kind, at.Format(time.RFC3339))
		if r.IntN(40) == 0 {
			v = fmt.Sprintf("poison %d", i)
		}
		records = append(records, pipeline.Record{Offset: int64(i), Timestamp: at.UnixMilli(), Value: []byte(v)})
	}
	return records
}

func (w *world) identity() pipeline.Identity {
	return pipeline.Identity{Group: "g", Input: "events", Partitions: 1, Cluster: "k", Topic: "t", Pack: w.pack.Hash}
}

// worker prepares an owner of the partition, as a new process would.
func (w *world) worker(seed uint64) (*pipeline.Worker, *memLog) {
	log := w.broker.open(seed)
	return pipeline.NewWorker(pipeline.Config{
		Identity: w.identity(),
		Log:      log, Store: w.store.Partition(0), Pack: w.pack, Lateness: w.lateness, CacheCustomers: 8, MaxRecordBytes: 1 << 20,
		PublishEvery: time.Second, End: w.end, Logger: zerolog.Nop(),
		Metrics: pipeline.NewMetrics(prometheus.NewRegistry()),
		Render: func(b []byte, e *pipeline.Entry, r *pipeline.Record) (pipeline.Outgoing, []byte) {
			if e.Kind == pipeline.EntryQuarantine {
				return pipeline.Outgoing{Topic: "dlq", Key: []byte("dlq"), Value: []byte(e.Code.String() + " " + string(r.Value))}, b
			}
			b = w.pack.AppendAlert(b, &e.Alert, e.Alert.ID())
			return pipeline.Outgoing{Topic: "alerts", Key: e.Key, Value: b, Timestamp: e.Alert.At}, b
		},
	}), log
}

// finish runs new owners until the end is reached.
func (w *world) finish() outcome {
	w.t.Helper()
	for seed := uint64(100); ; seed++ {
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		worker, _ := w.worker(seed)
		w.kill = cancel
		err := worker.Run(ctx, nil)
		cancel()
		if err == nil {
			return w.outcome()
		}
		if !errors.Is(err, context.Canceled) {
			w.t.Fatalf("%v\n%v", w.trail, err)
		}
	}
}

func (w *world) outcome() outcome {
	w.t.Helper()
	w.at = 0
	o := outcome{Offset: w.broker.offset, Profiles: map[string]string{}}
	perKey, keys := map[string][]string{}, []string{}
	for _, r := range w.broker.published {
		if r.Timestamp > time.Now().UnixMilli() { // the bubble's clock stands long before the events
			w.t.Fatalf("record stamped %v ahead of the clock, which brokers refuse", time.Until(time.UnixMilli(r.Timestamp)))
		}
		k := r.Topic + "/" + string(r.Key)
		if perKey[k] == nil {
			keys = append(keys, k)
		}
		perKey[k] = append(perKey[k], string(r.Value))
	}
	for c := range 40 {
		keys = append(keys, "alerts/"+string(pipeline.AppendKey(nil, nil, fmt.Appendf(nil, "c%d", c))))
	}
	keys = append(keys, "dlq/dlq")
	seen := map[string]bool{}
	sorted := append([]string(nil), keys...)
	for _, k := range sortStrings(sorted) {
		if !seen[k] {
			seen[k] = true
			o.Published = append(o.Published, perKey[k]...)
		}
	}
	h := w.store.Partition(0)
	st, err := h.Claim(context.Background(), pipeline.Token{1})
	if err != nil {
		w.t.Fatal(err)
	}
	o.Outbox = len(st.Outbox)
	l := &pipeline.Load{}
	for c := range 40 {
		l.Keys = append(l.Keys, pipeline.AppendKey(nil, nil, fmt.Appendf(nil, "c%d", c)))
	}
	if err := h.Load(context.Background(), l); err != nil {
		w.t.Fatal(err)
	}
	for i, p := range l.Profiles {
		o.Profiles[string(l.Keys[i])] = string(p)
	}
	return o
}

func sortStrings(s []string) []string {
	for i := range s {
		for j := i; j > 0 && s[j] < s[j-1]; j-- {
			s[j], s[j-1] = s[j-1], s[j]
		}
	}
	return s
}

const crashRecords = 600

func clean(t *testing.T, seed uint64) (outcome, int) {
	t.Helper()
	w := newWorld(t, seed, crashRecords)
	o := w.finish()
	if len(o.Published) < 40 || o.Outbox != 0 || o.Offset != crashRecords {
		t.Fatalf("a clean run published %d records, left %d in the outbox, stopped at %d", len(o.Published), o.Outbox, o.Offset)
	}
	return o, w.ops
}

// TestCrashTable hits every single request of a run, in each of four ways, and compares what remains with a clean run.
func TestCrashTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want, ops := clean(t, 1)
		for _, hit := range []fault{lost, deaf} {
			for _, dies := range []bool{false, true} {
				for at := 1; at <= ops; at++ {
					w := newWorld(t, 1, crashRecords)
					w.at, w.hit = at, hit
					got := w.run(dies)
					if diff := cmp.Diff(want, got); diff != "" {
						t.Fatalf("request %d, fault %d, process dies %v: %v\n%s", at, hit, dies, w.trail, diff)
					}
				}
			}
		}
		t.Logf("%d requests, each hit in 4 ways", ops)
	})
}

// run is finish, in which the request that is hit also kills the process or does not.
func (w *world) run(dies bool) outcome {
	if dies {
		return w.finish()
	}
	worker, _ := w.worker(99)
	if err := worker.Run(context.Background(), nil); err != nil {
		w.t.Fatalf("%v\n%v", w.trail, err)
	}
	if n := worker.Tally().Records; n != crashRecords {
		w.t.Fatalf("%v\n%d records counted, want %d", w.trail, n, crashRecords)
	}
	return w.outcome()
}

// TestRollback puts the store back to an older copy of itself at a random moment, while Kafka is ahead.
func TestRollback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want, ops := clean(t, 2)
		for seed := range uint64(200) {
			r := rand.New(rand.NewPCG(seed, 3))
			w := newWorld(t, 2, crashRecords)
			save := 12 + r.IntN(ops-20)
			back := save + 1 + r.IntN(ops-save)
			var restore func()
			pending := make(chan func(), 2)
			w.every = func(n int) {
				if n == save {
					pending <- func() { restore = w.store.Copy(0) }
				}
				if n == back {
					pending <- func() { restore() }
				}
			}
			got := w.interrupted(pending)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("seed %d: copy at %d, put back at %d\n%s", seed, save, back, diff)
			}
		}
	})
}

// interrupted runs owners until the end while what arrives on pending is done between two requests of theirs.
func (w *world) interrupted(pending <-chan func()) outcome {
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case do := <-pending:
				do()
			case <-ctx.Done():
				return
			}
		}
	}()
	w.finish()
	cancel()
	<-stopped
	return w.finish() // a copy put back at the very end is noticed by the next owner
}

// TestHandover gives the partition to a second owner while the first, which has not noticed, is in the middle of it.
func TestHandover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want, ops := clean(t, 3)
		for at := 4; at < ops; at += 3 {
			w := newWorld(t, 3, crashRecords)
			first, log := w.worker(1)
			begin := make(chan struct{})
			w.every = func(n int) {
				if n == at {
					close(begin)
				}
			}
			done := make(chan error, 1)
			go func() { done <- first.Run(context.Background(), nil) }()
			select {
			case <-begin:
			case err := <-done: // batches are cut by chance: this run had fewer requests
				done <- err
			}
			w.broker.mu.Lock()
			log.fenced = true
			w.broker.mu.Unlock()
			second, _ := w.worker(2)
			if err := second.Run(context.Background(), nil); err != nil {
				t.Fatal(err)
			}
			if err := <-done; !errors.Is(err, pipeline.ErrFenced) && err != nil {
				t.Fatalf("the first owner ended with %v, want fenced", err)
			}
			if diff := cmp.Diff(want, w.outcome()); diff != "" {
				t.Fatalf("handover at request %d\n%s", at, diff)
			}
		}
	})
}

// TestRebuild empties the store in the middle of the log and seeds it with the log's start, as `ebb rebuild` does: the rest is
// decided as if nothing had happened, and nothing is published again.
func TestRebuild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want, _ := clean(t, 4)
		for _, end := range []int64{1, 250, 599, crashRecords} {
			w := newWorld(t, 4, crashRecords)
			w.end = end
			w.finish()
			w.store.Empty(0)
			w.seed(0)
			w.end = crashRecords
			if diff := cmp.Diff(want, w.finish()); diff != "" {
				t.Fatalf("rebuilt at %d\n%s", end, diff)
			}
		}
	})
}

// TestRebuildInTheMiddle seeds the store with a later offset, or with the end of what was processed: what is decided from then
// on may differ, but the line goes on and nothing below the position is published again.
func TestRebuildInTheMiddle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, from := range []int64{100, 299, 300} {
			w := newWorld(t, 4, crashRecords)
			w.end = 300
			before := len(w.finish().Published)
			w.store.Empty(0)
			w.seed(from)
			if after := len(w.finish().Published); after != before {
				t.Fatalf("from %d: %d records published again", from, after-before)
			}
			w.end = crashRecords
			if o := w.finish(); o.Offset != crashRecords || len(o.Published) == before {
				t.Fatalf("from %d: stopped at %d, with %d records published", from, o.Offset, len(o.Published))
			}
		}
	})
}

func (w *world) seed(next int64) {
	w.t.Helper()
	h := w.store.Partition(0)
	if _, err := h.Claim(context.Background(), pipeline.Token{1}); err != nil {
		w.t.Fatal(err)
	}
	if err := h.Commit(context.Background(), &pipeline.Commit{Previous: pipeline.Token{1}, Token: pipeline.Token{2}, Meta: w.identity().NewMeta(next)}); err != nil {
		w.t.Fatal(err)
	}
}
