package worker_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"sync"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"ebb/pipeline"
	"ebb/pipeline/line"
	"ebb/pipeline/storetest"
	"ebb/pipeline/worker"
	"ebb/scoring/profile"
)

// trial is several owners of one partition, at most one of which is the right one, and their requests in progress. Only
// the trial's decisions move anything: while it decides, every goroutine waits.
type trial struct {
	rng       *rand.Rand
	ledger    []pipeline.Outgoing // control records and packs that were published
	input     *input
	kafka     *cluster
	store     *storetest.Memory
	settings  pipeline.Settings // of the next process; zero: the usual ones
	rollbacks int               // servers that were replaced by an older copy
	copies    []func()
	applied   int // commits

	processes []*process
	current   *process       // whose generation is the group's
	seen      map[string]int // records published, by key
	trail     []step         // the decisions, to be compared and read
	wrong     error          // the first fault found
	stops     int            // processes that the poison breaker has stopped
	asks      bool           // owners look for what is asked
	pool      *pool          // what partitions share; nil: nothing
	mu        sync.Mutex     // guards the fields below, and the notes of processes about themselves
	underWay  []*request
}

// request is one message of an owner. It is sent, then arrives and takes effect, then is answered.
type request struct {
	from    *process
	name    string
	number  int // among from's requests of this name
	ready   func() bool
	arrive  func() error
	answer  chan error
	arrived bool
	err     error
	alone   bool // no sender waits for the answer any more
}

func (r *request) String() string { return fmt.Sprintf("%d: %s %d", r.from.id, r.name, r.number) }

// effects distinguishes requests that change something from those that only read.
func (r *request) effects() bool {
	return !slices.Contains([]string{"confirm", "position", "load", "fetch", "fetch again"}, r.name)
}

func newTrial(in *input, rng *rand.Rand) *trial {
	t := &trial{rng: rng, input: in, store: storetest.NewMemory(), seen: map[string]int{}}
	t.kafka = &cluster{records: in.records, visible: in.end, publish: t.published, edge: in.turn, first: in.first}
	return t
}

func (t *trial) add(p *process, name string, ready func() bool, arrive func() error) *request {
	t.mu.Lock()
	defer t.mu.Unlock()
	p.sent[name]++
	r := &request{from: p, name: name, number: p.sent[name], ready: ready, arrive: arrive, answer: make(chan error, 1)}
	t.underWay = append(t.underWay, r)
	return r
}

// configuredSettings are those of the process that begins.
func (t *trial) configuredSettings() pipeline.Settings {
	if t.settings == (pipeline.Settings{}) {
		return settings(time.Hour)
	}
	return t.settings
}

// orphan leaves a request whose sender has given up to arrive late or never.
func (t *trial) orphan(r *request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r.alone = true
	if r.arrived || !r.effects() {
		t.remove(r)
	}
}

func (t *trial) remove(r *request) {
	t.underWay = slices.DeleteFunc(t.underWay, func(o *request) bool { return o == r })
}

func (t *trial) failed(p *process) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p.failedAt, p.resting = time.Now(), true
}

func (t *trial) rested(p *process) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p.resting = false
}

func (t *trial) restedAt(p *process) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !p.resting {
		return time.Time{}
	}
	return p.failedAt.Add(clearOf)
}

// begin starts a process in a new generation of the group. The former owner is not notified.
func (t *trial) begin(batch, end int64) {
	t.kafka.generation++
	ctx, kill := context.WithCancel(context.Background())
	p := &process{
		trial: t, id: len(t.processes) + 1, generation: t.kafka.generation, batch: batch, end: end, ctx: ctx, kill: kill,
		revoked: make(chan struct{}), done: make(chan error, 1), speed: 4, sent: map[string]int{},
	}
	t.note("%d: started in generation %d, up to %d offsets a fetch, end %d", p.id, p.generation, batch, end)
	t.processes, t.current = append(t.processes, p), p
	configured := t.input.configured
	if t.kafka.offset > t.input.turn && p.id%2 == 0 { // a member that does not have the newer pack yet
		configured = nil
	}
	until := int64(0)
	if end == t.input.end {
		until = t.input.until
	}
	var asked func(context.Context, func(string, []byte)) error
	if t.asks {
		asked = func(_ context.Context, each func(string, []byte)) error {
			t.store.Asked(0, each)
			return nil
		}
	}
	w := worker.New(worker.Config{
		Asked:     asked,
		Share:     t.pool.exchange(),
		AdvanceTo: until,
		Line: line.Config{
			Identity: t.input.identity(), Settings: t.configuredSettings(), Format: profile.Format, CacheCustomers: 8,
			PoisonBreaker: t.input.share, AcceptPoison: t.input.accept,
		},
		Log:          &memberLog{process: p},
		Store:        &memberStore{process: p, down: true},
		Pack:         t.input.pack,
		Configured:   configured,
		Ledger:       t,
		PublishEvery: 8 * time.Second,
		MaxUnpublished: pipeline.Volume{
			Entries: 3,
			Bytes:   1 << 12,
		},
		End: end,

		InitialPerHour: 60_000, // all at once
		Logger:         zerolog.Nop(),
		Metrics:        t.input.metrics,
		Render:         t.input.render,
	})
	p.worker = w
	go func() {
		defer func() {
			if e := recover(); e != nil {
				p.done <- fmt.Errorf("panic: %v\n%s", e, debug.Stack())
			}
		}()
		p.done <- w.Run(ctx, p.revoked)
	}()
}

// handOver orders the trial's reads and writes so far before what owners do from now on. They begin by themselves, when
// time passes, and the race detector sees no order in that.
func (t *trial) handOver() {
	t.mu.Lock()
	defer t.mu.Unlock()
}

// settle waits until nothing moves, then notes processes that have ended.
func (t *trial) settle() {
	t.handOver()
	synctest.Wait()
	t.handOver()
	if len(t.trail) > maxSteps {
		t.fail(errors.New("comes to no end"))
	}
	for _, p := range t.processes {
		if p.ended {
			continue
		}
		select {
		case err := <-p.done:
			p.ended = true
			t.note("%d: ended", p.id)
			t.judge(p, err)
		default:
			if p.replaced {
				t.fail(fmt.Errorf("process %d goes on though it was told that it is replaced", p.id))
			}
		}
	}
	t.mu.Lock()
	slices.SortFunc(t.underWay, func(a, b *request) int {
		return cmp.Or(a.from.id-b.from.id, cmp.Compare(a.name, b.name), a.number-b.number)
	})
	t.mu.Unlock()
}

// judge reports whether a process may end like this: killed, replaced, or with its work done.
func (t *trial) judge(p *process, err error) {
	var stop *pipeline.HardStop
	switch {
	case t.input.share > 0 && errors.As(err, &stop) && stop.Code == "input_poisoned":
		t.stops++
	case p.killed || err == nil && (p.revoking || p.end >= 0) || p != t.current && notOurs(err):
	default:
		t.fail(fmt.Errorf("process %d ended with %w", p.id, err))
	}
}

// notOurs is the end of a process that is no longer the owner and has been notified.
func notOurs(err error) bool {
	var stop *pipeline.HardStop
	return errors.Is(err, pipeline.ErrFenced) && !pipeline.Retry(err) && !errors.As(err, &stop)
}

func (t *trial) fail(err error) {
	if t.wrong == nil && err != nil {
		t.wrong = err
	}
}

func (t *trial) note(format string, args ...any) {
	t.trail = append(t.trail, step{format, args})
}

// step is one line of a trail, formatted only when it is read.
type step struct {
	format string
	args   []any
}

func (s step) String() string { return fmt.Sprintf(s.format, s.args...) }

// arrive makes a request take effect.
func (t *trial) arrive(r *request) {
	r.arrived = true
	r.err = r.arrive()
	verb := "arrives"
	if r.alone {
		verb = "arrives late"
		t.mu.Lock()
		t.remove(r)
		t.mu.Unlock()
	}
	if r.err != nil {
		verb += " and is refused: " + r.err.Error()
	}
	t.note("%v %s", r, verb)
	if r.err != nil && !errors.Is(r.err, pipeline.ErrFenced) && !errors.Is(r.err, pipeline.ErrUnavailable) {
		t.fail(fmt.Errorf("%v: %w", r, r.err))
	}
}

// answer ends a request for its sender with its outcome, or with err.
func (t *trial) answer(r *request, err error, how string) {
	t.note("%v %s", r, how)
	t.mu.Lock()
	if r.arrived || how == "is lost" || !r.effects() {
		t.remove(r)
	}
	r.alone = true
	t.mu.Unlock()
	r.from.replaced = r.from.replaced || r.name == "confirm" && errors.Is(err, pipeline.ErrFenced)
	r.answer <- err
}

// published takes a record that readers of committed data see from now on.
func (t *trial) published(r pipeline.Outgoing) error {
	key := r.Topic + "/" + string(r.Key)
	if r.Topic == "control" || r.Topic == "packs" {
		t.ledger = append(t.ledger, r)
	}
	n := t.seen[key]
	t.seen[key]++
	want := t.input.want.published[key]
	switch {
	case r.Timestamp > time.Now().UnixMilli(): // the bubble's clock is long before the events
		return fmt.Errorf(
			"record stamped %v ahead of the clock, which brokers refuse",
			time.Until(time.UnixMilli(r.Timestamp)),
		)
	case t.input.want.recording:
		t.input.want.published[key] = append(want, string(r.Value))
	case n >= len(want):
		return fmt.Errorf("published to %q after everything that is due: %.50s%s", key, r.Value, earlier(want, r.Value))
	case want[n] != string(r.Value):
		return fmt.Errorf(
			"published to %q as number %d: %.50s%s, want %.50s",
			key,
			n,
			r.Value,
			earlier(want, r.Value),
			want[n],
		)
	}
	return nil
}

func earlier(list []string, value []byte) string {
	if i := slices.Index(list, string(value)); i >= 0 {
		return fmt.Sprintf(" (which is number %d)", i)
	}
	return ""
}

// finish kills all processes and waits for them.
func (t *trial) finish() {
	for _, p := range t.processes {
		p.killed = true
		p.kill()
	}
	synctest.Wait()
}

// pass lets time pass: pauses between attempts, timeouts of requests, the publication of an offset alone.
func (t *trial) pass(d time.Duration) {
	for _, r := range slices.Clone(t.underWay) {
		if r.name == "load" && !r.alone { // see held
			t.answer(r, errLostOnTheWay, "times out")
			synctest.Wait()
		}
	}
	t.note("%v pass", d)
	t.handOver()
	<-time.After(d)
	t.handOver()
}
