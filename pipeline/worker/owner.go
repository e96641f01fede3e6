package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"ebb/pipeline"
	"ebb/pipeline/line"
	"ebb/scoring/alert"
)

// owner is a worker at work: it folds batches while the batch before is committed and earlier commits are published.
type owner struct {
	*Worker
	ctx    context.Context //nolint:containedctx // ends with the ownership
	cancel context.CancelFunc
	p      *pipeline.Protocol
	line   *line.Line
	input  *prefetcher
	idle   *line.Batch // for sweeps and tidying without records
	rest   *line.Batch // the part of a batch after a barrier, nil: none; see line.Line.Fold

	waiting   *line.Staged // folded, its commit not yet sent
	sent      *line.Staged // its commit in progress
	sentAt    time.Time
	publishAt time.Time     // when the publication under way was sent; zero: there is none
	took      time.Duration // of the latest publication that ended
	whole     bool          // the publication under way carries all of the outbox, as of publishAt
	underWay  int
	answers   chan pipeline.Answer
	// when the latest publication was sent; zero: never, so that the first commit is published at once
	lastSent  time.Time
	scratch   []byte            // the alert being published
	rendered  []*alert.Renderer // of the packs, as of the latest publication
	proof     time.Time         // when something last moved, or there was nothing to do
	end       int64             // of the log, and
	stable    int64             // its last stable offset, as of the latest fetch that told
	told      bool              // of the end, by a fetch of this ownership or an earlier one
	throttled bool              // the latest fetch brought nothing but a delay
	silence   silence           // of the log
	passing   bool              // time has passed by the clock since the last record
	suspected bool              // the log tells that the clock is ahead
	advanced  bool              // to Config.AdvanceTo
	exhausted bool              // the end is reached
	waits     waiting           // what was logged about the configured pack
	active    pipeline.PackRef  // that the metrics show
	draining  bool              // revoked
	history   bool              // of a first start, in which nothing is published
	review    review            // of what storms held
	asking    asking
	sharing   sharing // of budgets
	poisoned  error   // the breaker has tripped: once everything before is published, this ends the ownership
}

func newOwner(ctx context.Context, w *Worker, p *pipeline.Protocol, l *line.Line) *owner {
	ctx, cancel := context.WithCancel(ctx)
	o := &owner{
		Worker:  w,
		ctx:     ctx,
		cancel:  cancel,
		p:       p,
		line:    l,
		idle:    &line.Batch{},
		input:   &prefetcher{log: w.cfg.Log, verify: w.cfg.Verify, end: w.cfg.End, edges: l.Edges()},
		answers: make(chan pipeline.Answer, 2),
		asking:  asking{errand: newErrand[[]pipeline.Asked](), done: map[string]bool{}, left: -1},
		sharing: sharing{errand: newErrand[map[string][]byte]()},
		proof:   time.Now(),
	}
	if before := w.Progress(); before.Told {
		o.end, o.told = before.End, true
	}
	o.input.start(ctx, l.Next(), l.NewBatch)
	return o
}

// close stops what is in progress and waits for it.
func (o *owner) close() {
	o.cancel()
	o.input.close()
	for ; o.underWay > 0; o.underWay-- {
		<-o.answers
	}
	o.asking.settle()
	o.sharing.settle()
	if o.sent != nil {
		o.doubt = &doubt{meta: o.sent.Commit.Meta, tally: o.sent.Tally}
	}
}

// run is the owner's loop. It returns nil when everything is drained, else why the ownership ended; *HardStop also
// where everything is drained up to the record that tripped the breaker.
func (o *owner) run(revoked <-chan struct{}) error {
	tick := time.NewTicker(o.cfg.PublishEvery / 4)
	defer tick.Stop()
	o.lookFirst(time.Now())
	for {
		if err := o.p.Failed(); err != nil {
			return err
		}
		o.send()
		o.askRelease(time.Now())
		if o.finished() {
			return o.poisoned
		}
		if err := o.wait(tick.C, revoked); err != nil {
			return err
		}
		if o.draining {
			revoked = nil
		}
	}
}

// wait handles the next event.
func (o *owner) wait(tick <-chan time.Time, revoked <-chan struct{}) error {
	var ready <-chan *line.Batch
	if o.waiting == nil && !o.draining && !o.exhausted && !o.line.AtEdge() && !o.full() {
		if o.rest != nil {
			return o.foldRecords(o.rest)
		}
		ready = o.input.ready
	}
	if o.mayAdvance() {
		return o.advance()
	}
	if o.mayIdle() {
		select {
		case stop := <-o.halts:
			return stop
		case b, ok := <-ready:
			return o.take(b, ok)
		default:
			return o.foldNothing()
		}
	}
	select {
	case b, ok := <-ready:
		return o.take(b, ok)
	case a := <-o.answers:
		o.answered(a)
	case all := <-o.asking.answer:
		o.looked(all)
	case found := <-o.sharing.answer:
		o.shared(found)
	case <-tick:
		o.cfg.Metrics.tick(o)
		o.report()
		o.look(time.Now())
		o.share(time.Now())
		return o.letPass(time.Now())
	case stop := <-o.halts:
		return stop
	case <-revoked:
		o.draining = true
		o.input.stop()
	case <-o.ctx.Done():
		return o.ctx.Err()
	}
	return nil
}

// mayIdle reports whether a batch without records would do something: fire deadlines that are due, release what is held,
// or remove published entries from the store while nothing else happens.
func (o *owner) mayIdle() bool {
	if o.waiting != nil || !o.p.CanCommit() {
		return false
	}
	if (o.line.Sweeping() || o.line.AtEdge()) && !o.draining && !o.full() {
		return true
	}
	quiet := o.draining || o.exhausted || time.Since(o.sentAt) > o.cfg.PublishEvery
	return o.p.Untidy() && quiet && o.p.Unpublished().Entries == 0 && o.underWay == 0
}

// full reports whether so much waits to be published that no further batch is folded.
func (o *owner) full() bool { return o.p.Unpublished().Reaches(o.cfg.MaxUnpublished) }

func (o *owner) take(b *line.Batch, ok bool) error {
	if !ok {
		o.exhausted = true
		return nil
	}
	if errors.Is(b.Err, pipeline.ErrOutOfRange) {
		return o.cfg.Line.Identity.Stop("records_lost", fmt.Sprintf("the log no longer holds offset %d", o.line.Next()),
			"raise retention.ms of the input; to go on without the records that are gone: ebb rebuild --from earliest")
	}
	if b.Err != nil {
		return fmt.Errorf("fetch: %w", b.Err)
	}
	o.silence.heard(time.Now(), &b.Fetched)
	o.passing = o.passing && len(b.Fetched.Records) == 0
	o.throttled = b.Fetched.Throttled || b.Fetched.End < 0
	if !o.throttled {
		o.stable = b.Fetched.Stable
	}
	if b.Fetched.End >= 0 {
		o.end, o.told = b.Fetched.End, true
	}
	o.cfg.Metrics.fetched(o.cfg.Line.Identity.Partition, &b.Fetched, o.end)
	if b.Fetched.Next > o.line.Next() || b.Fetched.End >= 0 && b.Fetched.Next >= b.Fetched.End {
		o.moved()
	}
	return o.foldRecords(b)
}

// foldRecords folds as much of a batch as it may, and keeps the rest for later.
func (o *owner) foldRecords(b *line.Batch) error {
	if o.rest = b; !o.control(b) {
		return nil
	}
	err := o.fold(b)
	if len(b.Events) == 0 || o.exhausted {
		o.rest = nil
		o.input.release(b)
	}
	return err
}

// fold runs one batch through the line: load, fold, stage.
func (o *owner) fold(b *line.Batch) error {
	want := o.line.Wanted(b)
	if len(want.Keys) > 0 || len(want.Buckets) > 0 {
		ctx, cancel := context.WithTimeout(o.ctx, requestTimeout)
		err := o.cfg.Store.Load(ctx, want)
		cancel()
		if err != nil {
			return fmt.Errorf("load: %w", err)
		}
		if err := o.line.Loaded(); err != nil {
			return err
		}
	}
	s := o.line.Fold(b)
	o.showHistory(&s.Commit.Meta.First)
	if o.poisoned = o.line.Poisoned(); o.poisoned != nil {
		o.exhausted = true
		o.input.stop()
	}
	if o.cfg.Draw != nil && len(s.Commit.Keys) > 0 {
		o.cfg.Draw(s.Commit.Keys[0])
	}
	if s.Tally.Passed > 0 {
		o.showPassed()
	}
	if s.Changes(o.p.Stored()) || o.p.Untidy() {
		o.waiting = s
	}
	return nil
}

// send starts what may be sent: the waiting commit, and a publication if there is something to publish or it is time.
func (o *owner) send() {
	if o.waiting != nil && o.p.CanCommit() {
		s := o.waiting
		o.waiting, o.sent, o.sentAt = nil, s, time.Now()
		s.Commit.Meta.Complete(o.cfg.Line.Identity, o.p.Stored(), o.wallNow())
		if s.Commit.Meta.Current() {
			o.cfg.Wall.confirm()
		}
		r := o.p.Commit(&s.Commit, s.Pending)
		o.start(requestTimeout, func(ctx context.Context) pipeline.Answer {
			return pipeline.Answer{Step: pipeline.StepCommit, Err: o.cfg.Store.Commit(ctx, r.Commit)}
		})
	}
	hurry := o.p.Unpublished().Entries > 0 || o.draining || o.exhausted || time.Since(o.lastSent) >= o.cfg.PublishEvery
	if hurry && o.p.CanPublish() && (o.p.Unpublished().Entries > 0 || o.p.Lagging()) {
		r, renderers := o.p.Publish(o.out.pace.now), o.renderers()
		o.publishAt, o.lastSent, o.whole = time.Now(), time.Now(), len(r.Entries) == o.p.Unpublished().Entries
		o.start(publishTimeout, func(ctx context.Context) pipeline.Answer {
			return pipeline.Answer{Step: pipeline.StepPublish, Err: o.cfg.Log.Publish(ctx, o.publication(r, renderers))}
		})
	}
}

// renderers are those of the partition's present packs, by number.
func (o *owner) renderers() []*alert.Renderer {
	for _, k := range o.line.Packs()[len(o.rendered):] {
		o.rendered = append(o.rendered, alert.NewRenderer(k))
	}
	return slices.Clone(o.rendered)
}

// publication is the next one, rendered while it is sent: a hundred alerts are in the processor's cache when they are
// copied and checksummed, ten thousand are not. It runs beside the loop, at most one at a time.
func (o *owner) publication(r pipeline.Request, renderers []*alert.Renderer) *pipeline.Publication {
	now := time.Now().UnixMilli()
	return &pipeline.Publication{
		Offset:   r.Mark.Offset,
		Metadata: r.Mark.Metadata(),
		Records: func(yield func(pipeline.Outgoing) bool) {
			var e pipeline.Entry
			var out pipeline.Outgoing
			for _, pending := range r.Entries {
				e = pipeline.MustReadEntry(pending.Encoded)
				e.By = renderers[e.PackEpoch]
				out, o.scratch = o.cfg.Render(o.scratch[:0], &e, pending.Record)
				if out.Topic == "" {
					continue
				}
				// Brokers refuse records with a timestamp more than an hour ahead of their clock (message.timestamp.after.max.ms).
				// An alert about an event from the future would hold its partition up for good.
				out.Timestamp = min(out.Timestamp, now)
				if !yield(out) {
					return
				}
			}
		},
	}
}

// start runs one request beside the loop, which takes its answer.
func (o *owner) start(within time.Duration, do func(context.Context) pipeline.Answer) {
	o.underWay++
	go func() {
		ctx, cancel := context.WithTimeout(o.ctx, within)
		defer cancel()
		o.answers <- do(ctx)
	}()
}

func (o *owner) answered(a pipeline.Answer) {
	o.underWay--
	if a.Step == pipeline.StepPublish {
		now := time.Now()
		o.took = now.Sub(o.publishAt)
		o.out.published(now, o.p.Publishing(), o.took, a.Err)
		if a.Err == nil && o.whole {
			o.out.emptied(o.publishAt)
		}
		o.publishAt = time.Time{}
	}
	o.p.Answer(a)
	if o.p.Failed() != nil {
		return
	}
	o.moved()
	m := o.cfg.Metrics
	switch a.Step {
	case pipeline.StepCommit:
		m.step(a.Step, time.Since(o.sentAt))
		o.count(&o.sent.Tally)
		o.tell(o.sent.Told)
		o.tellReview(&o.sent.Tally)
		o.sent = nil
	case pipeline.StepPublish:
		o.done = true
		m.step(a.Step, o.took)
	default: // steps of the takeover
	}
	o.trace(a.Step, o.p.Stored().Next)
}

// finished reports whether there is nothing left to do before the partition is given up.
func (o *owner) finished() bool {
	if !o.draining && !o.exhausted || o.waiting != nil || o.underWay > 0 {
		return false
	}
	if o.draining && o.p.Rewinding() {
		return true // nothing may be published before the replay has caught up; the next owner continues it
	}
	return o.p.Settled() && (o.draining || !o.line.Sweeping() && !o.line.Changing() && !o.toAdvance())
}

// moved notes that the partition has moved, or that there is nothing to do.
func (o *owner) moved() { o.proof = time.Now() }

// report publishes the owner's state for readers outside of the loop.
func (o *owner) report() {
	o.progress.Store(&Progress{
		At:          time.Now(),
		Proof:       o.proof,
		Next:        o.line.Next(),
		End:         o.end,
		Stable:      o.stable,
		Told:        o.told,
		Throttled:   o.throttled,
		Unpublished: o.p.Unpublished().Entries,
		Published:   o.p.Published().Offset,
		Committed:   o.p.Stored().WallMillis != 0, // each commit is stamped
		Waiting:     o.out.age(time.Now(), o.p.Unpublished().Entries),
		Publishing:  o.publishing(),
		Stalled:     o.stalledSources(),
		Held:        o.held(),
		Silences:    o.silences(),
	})
}

// publishing is how long the latest publication took, or the one under way has taken, whichever is longer: where all are
// slow, each begins anew.
func (o *owner) publishing() time.Duration {
	if o.publishAt.IsZero() {
		return o.took
	}
	return max(o.took, time.Since(o.publishAt))
}
