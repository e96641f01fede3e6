package worker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/rs/zerolog"

	"ebb/pipeline"
	"ebb/pipeline/line"
	"ebb/scoring/pack"
)

// Config is what a Worker needs. Everything is required unless noted otherwise.
type Config struct {
	Line  line.Config
	Log   pipeline.Log
	Store pipeline.Store
	Pack  *pack.Pack // that the configuration began with
	// returns the pack that is configured now; called before each batch, which begins at offset next; nil: Pack
	Configured func(next int64) *pack.Pack
	// read where a state was rolled back or emptied; needed once anything was published
	Ledger       pipeline.Ledger
	Render       Render
	PublishEvery time.Duration // how often the offset moves while nothing is to be published
	End          int64         // stop before this offset, with every deadline up to the watermark fired; -1: never
	// optional: asked after each fetch and after the bounds of the log were read, with the time when that began. What was
	// read counts only where it returns nil: the input was still the one of Line.Identity. Errors: *pipeline.HardStop, pipeline.ErrUnavailable.
	Verify func(ctx context.Context, since time.Time) error
	// optional: called with a customer that a batch changed; the key is valid during the call
	Draw    func(key []byte)
	Logger  zerolog.Logger
	Metrics *Metrics
	// above this outbox no further batch is folded, and one publication holds so much, give or take a commit; zero: 10,000
	// entries, 16 MiB
	MaxUnpublished pipeline.Volume
	Trace          func(s pipeline.Step, next int64) // called after each step that succeeded; optional
	// after this long without records, deadlines fire by the wall clock; 0: never
	Idle time.Duration
	// at End, deadlines up to this minute since the epoch fire; 0: those up to the watermark
	AdvanceTo int64
	Wall      *Wall // one for all workers of the process; nil: a new one
	// held raises that are released in an hour after a first start, over all partitions; 0: a hundredth of them, at least 10
	InitialPerHour int

	// optional: calls each with what is asked of the partition; see pipeline.Asked
	Asked func(ctx context.Context, each func(id string, value []byte)) error
	// optional: writes fields of what the partitions of the group share, and reads one, or "": all. Without it no budget is
	// granted, and what waits for one waits on. It may lose and repeat what was written. Errors: any.
	Share func(ctx context.Context, put map[string][]byte, want string) (map[string][]byte, error)
}

// Render turns an outbox entry into the record to publish. A record without a topic is not published, like those of a
// shadow's quarantined entries, which the main group publishes. record is the input record of a quarantined entry, else
// nil. The record may be built in scratch, which is returned grown and used again.
type Render func(scratch []byte, e *pipeline.Entry, record *pipeline.Record) (out pipeline.Outgoing, grown []byte)

// Timeouts of single requests. They bound how long a drain can take.
const (
	requestTimeout = 10 * time.Second
	claimTimeout   = time.Minute      // a claim reads all that is held, which may be millions
	publishTimeout = 30 * time.Second // a publication is several requests, some of which a quota holds up
	steady         = 10 * time.Second // after which an ownership that has published nothing is in good health too
)

// Phase is the state of a worker, for health checks and people.
type Phase uint8

// Phases of a worker.
const (
	TakingOver Phase = iota
	Running
	Stalled // nothing moves, or nothing can be published, though there is something to do
	Waiting // for a service that does not answer
	Stopped // hard stop: a person has to decide
	Done    // drained, or at the end
)

// String is the phase's stable name.
func (p Phase) String() string {
	return [...]string{"taking_over", "running", "stalled", "waiting", "stopped", "done"}[p]
}

// Status is a worker's phase with the reason for it.
type Status struct {
	Phase  Phase
	Reason string // why it does not run
	Do     string // what ends a stall; empty: nothing is known
}

// Worker owns one partition for one generation of the group. It runs in a goroutine of its own; Status may be read from
// any.
type Worker struct {
	cfg      Config
	status   atomic.Pointer[Status]
	progress atomic.Pointer[Progress]
	tally    line.Tally // of applied commits; valid when Run has returned
	doubt    *doubt

	halts chan *pipeline.HardStop // what stops the partition from outside; see Halt

	out  outbound
	done bool // the present ownership has published something
}

// doubt is a commit whose answer was lost: the next takeover shows whether it was applied.
type doubt struct {
	meta  pipeline.Meta
	tally line.Tally
}

// New prepares a worker.
func New(cfg Config) *Worker {
	if cfg.MaxUnpublished == (pipeline.Volume{}) {
		cfg.MaxUnpublished = pipeline.Volume{Entries: 10_000, Bytes: 16 << 20}
	}
	if cfg.Wall == nil {
		cfg.Wall = NewWall(time.Now)
	}
	w := &Worker{cfg: cfg, halts: make(chan *pipeline.HardStop, 1), out: outbound{pace: newPace(cfg.MaxUnpublished)}}
	w.status.Store(&Status{Phase: TakingOver})
	return w
}

// Status tells where the worker is.
func (w *Worker) Status() Status {
	s, now := *w.status.Load(), time.Now()
	if s.Phase == Stopped || s.Phase == Done {
		return s
	}
	why, do := w.out.reason(now)
	if why == "" && s.Phase == Running {
		why, do = w.stalled(now)
	}
	if why != "" {
		return Status{Phase: Stalled, Reason: why, Do: do}
	}
	return s
}

// Halt stops the partition: something around it has changed that its own requests do not show. Any goroutine may call
// it. The first one counts.
func (w *Worker) Halt(stop *pipeline.HardStop) {
	select {
	case w.halts <- stop:
	default:
	}
}

// Tally is what the worker has done, once Run has returned.
func (w *Worker) Tally() *line.Tally { return &w.tally }

// Run takes the partition over and works until the end is reached or revoked is closed and everything is drained (nil),
// until the partition is lost (ErrFenced or ctx's error: nothing more was written), or until a person has to decide
// (*HardStop). While a service does not answer it waits, with capped back-off, and takes over again.
func (w *Worker) Run(ctx context.Context, revoked <-chan struct{}) error {
	wait := backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(50*time.Millisecond),
		backoff.WithMaxInterval(5*time.Second),
		backoff.WithMaxElapsedTime(0),
	)
	watching, unwatch := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		w.watch(watching)
	}()
	defer func() {
		unwatch()
		<-watched
	}()
	said := ""
	for {
		began := time.Now()
		w.done = false
		err := w.own(ctx, revoked)
		if w.out.failing.Load() == nil && (w.done || time.Since(began) > steady) {
			wait.Reset()
			said = ""
		}
		if err == nil || !pipeline.Retry(err) {
			return w.ended(err)
		}
		if ctx.Err() != nil {
			return w.ended(fmt.Errorf("%w: %w", ctx.Err(), err))
		}
		if kind := kindOf(err); kind != said { // once per change, not per attempt
			said = kind
			w.cfg.Logger.Warn().
				Err(err).
				EmbedObject(pipeline.Refusal{Err: err}).
				Msg("partition interrupted, taking it over again")
		}
		w.status.Store(&Status{Phase: Waiting, Reason: err.Error()})
		w.cfg.Metrics.interrupted(w.cfg.Line.Identity.Partition, classOf(err))
		select {
		case <-time.After(wait.NextBackOff()):
		case stop := <-w.halts:
			return w.ended(stop)
		case <-revoked:
			return w.ended(nil)
		case <-ctx.Done():
			return w.ended(ctx.Err())
		}
		w.status.Store(&Status{Phase: TakingOver, Reason: err.Error()})
	}
}

func (w *Worker) ended(err error) error {
	if hard, ok := errors.AsType[*pipeline.HardStop](err); ok {
		w.status.Store(&Status{Phase: Stopped, Reason: hard.Error()})
		w.cfg.Metrics.stopped(w.cfg.Line.Identity.Partition, hard.Code)
		w.cfg.Logger.Error().EmbedObject(hard).Msg("partition stopped")
		return err
	}
	w.status.Store(&Status{Phase: Done})
	return err
}

// kindOf is what tells failures apart that are logged: the code of what a server said, else the class.
func kindOf(err error) string {
	if code, _, _, ok := pipeline.Refused(err); ok {
		return code
	}
	return classOf(err)
}

func classOf(err error) string {
	denied := (*pipeline.Denied)(nil)
	switch {
	case errors.As(err, &denied):
		return "denied"
	case errors.Is(err, pipeline.ErrFenced):
		return "fenced"
	case errors.Is(err, pipeline.ErrUnavailable):
		return "unavailable"
	}
	return "failed"
}

// own is one ownership: takeover, then work until something ends it.
func (w *Worker) own(ctx context.Context, revoked <-chan struct{}) error {
	began := time.Now()
	p := pipeline.NewProtocol(w.cfg.Line.Identity, newToken)
	if err := w.takeOver(ctx, p); err != nil {
		return err
	}
	s := p.Standing()
	w.out.found(time.Now(), s)
	w.settle(&s.Meta)
	packs, err := w.history(ctx, s)
	if err != nil {
		return err
	}
	l := line.New(&w.cfg.Line, s, packs)
	if err := w.refetch(ctx, s, packs.Packs); err != nil {
		return err
	}
	p.Weigh()
	w.cfg.Logger.Info().Int64("next", s.Meta.Next).Int64("published", s.Mark.Offset).Int("outbox", len(s.Outbox)).
		Bool("fresh", s.Fresh).Bool("rewinding", s.Rewinding()).Dur("took", time.Since(began)).Msg("partition taken over")
	o := newOwner(ctx, w, p, l)
	o.showPack()
	defer o.close()
	defer o.report()
	o.report()
	w.status.Store(&Status{Phase: Running})
	return o.run(revoked) //nolint:contextcheck // its own, which ends with the ownership
}

// settle counts the commit with the lost answer, if it was applied.
func (w *Worker) settle(found *pipeline.Meta) {
	if d := w.doubt; d != nil && d.meta.Next == found.Next && d.meta.Clock.Fired == found.Clock.Fired {
		w.count(&d.tally)
	}
	w.doubt = nil
}

// count adds the counts of an applied commit.
func (w *Worker) count(t *line.Tally) {
	w.cfg.Metrics.committed(t)
	w.cfg.Metrics.passed(w.cfg.Line.Identity.Partition, t.Passed)
	w.tally.Add(t)
}

// takeOver drives the protocol's takeover, one request after the other.
func (w *Worker) takeOver(ctx context.Context, p *pipeline.Protocol) error {
	for {
		r, more := p.Takeover()
		if !more {
			return p.Failed()
		}
		began := time.Now()
		p.Answer(w.ask(ctx, r))
		w.cfg.Metrics.step(r.Step, time.Since(began))
		if p.Failed() == nil {
			w.trace(r.Step, 0)
		}
	}
}

// ask carries out one request of the takeover.
func (w *Worker) ask(ctx context.Context, r pipeline.Request) pipeline.Answer {
	within := requestTimeout
	if r.Step == pipeline.StepClaim {
		within = claimTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	a := pipeline.Answer{Step: r.Step}
	switch r.Step {
	case pipeline.StepInit:
		a.Err = w.cfg.Log.Init(ctx)
	case pipeline.StepPosition:
		began := time.Now()
		a.Position, a.Err = w.cfg.Log.Position(ctx)
		if a.Err == nil && w.cfg.Verify != nil { // another input's bounds say nothing of what was lost
			a.Err = w.cfg.Verify(ctx, began)
		}
	case pipeline.StepClaim:
		a.State, a.Err = w.cfg.Store.Claim(ctx, r.Token)
	case pipeline.StepStart:
		a.Err = w.cfg.Log.Publish(ctx, &pipeline.Publication{Offset: r.Mark.Offset, Metadata: r.Mark.Metadata()})
		w.out.published(time.Now(), pipeline.Volume{}, 0, a.Err)
	default:
		a.Err = fmt.Errorf("BUG: the takeover asks for %s", r.Step)
	}
	return a
}

// refetch reads the quarantined records of the outbox from the input again: the outbox holds only their offsets. It
// refuses an entry that cannot be rendered, *HardStop.
func (w *Worker) refetch(ctx context.Context, s *pipeline.Standing, packs []*pack.Pack) error {
	var f pipeline.Fetched // holds the records after an entry, for the next ones
	for i := range s.Outbox {
		e := pipeline.MustReadEntry(s.Outbox[i].Encoded)
		if n := len(packs); int(e.PackEpoch) >= n {
			return pipeline.StateUnreadable(fmt.Errorf("outbox entry %d: pack %d of %d", i, e.PackEpoch, n))
		}
		if !e.Alert.Fits(packs[e.PackEpoch]) {
			return pipeline.StateUnreadable(fmt.Errorf("outbox entry %d: it is none of its pack's", i))
		}
		if e.Kind != pipeline.EntryQuarantine {
			continue
		}
		var err error
		at, found := f.Find(e.Offset)
		if !found {
			err = w.cfg.Log.Fetch(ctx, e.Offset, &f)
			at, found = f.Find(e.Offset)
		}
		switch {
		case err == nil && !found && len(f.Records) == 0: // a new leader does not have its followers' positions yet
			return fmt.Errorf("%w: an empty answer from %d on", pipeline.ErrUnavailable, e.Offset)
		case errors.Is(err, pipeline.ErrOutOfRange) || err == nil && !found:
			return w.cfg.Line.Identity.Stop(
				"records_lost",
				fmt.Sprintf("the quarantined record at offset %d is no longer in the log", e.Offset),
				"raise retention.ms of the input; to go on without it: ebb rebuild --from earliest",
			)
		case err != nil:
			return fmt.Errorf("fetch quarantined record %d: %w", e.Offset, err)
		}
		s.Outbox[i].Record = f.Records[at].Clone()
	}
	return nil
}

func (w *Worker) trace(s pipeline.Step, next int64) {
	if w.cfg.Trace != nil {
		w.cfg.Trace(s, next)
	}
}

func newToken() (t pipeline.Token) {
	_, _ = rand.Read(t[:]) // never fails: crypto/rand crashes the program instead
	return t
}
