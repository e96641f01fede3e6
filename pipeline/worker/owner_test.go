package worker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"ebb/pipeline"
	"ebb/pipeline/storetest"
	"ebb/pipeline/worker"
)

// process is one process that owns the partition, or acts as if it did: a real worker on borders at which the trial
// decides the outcome of each request.
type process struct {
	trial      *trial
	worker     *worker.Worker
	id         int
	generation int
	batch      int64 // records in a fetch, at most
	end        int64
	ctx        context.Context //nolint:containedctx // the process's life: over when it is killed
	kill       context.CancelFunc
	revoked    chan struct{}
	done       chan error

	revoking, killed, ended, paused bool
	replaced                        bool // and has been notified
	speed                           int  // how often its requests move, relative to others
	failedAt                        time.Time
	resting                         bool // a request failed, and the next takeover has not begun
	sent                            map[string]int
}

// clearOf is longer than any pause of a worker between two takeovers. That pause is partly random; since no request
// shows it, a trial can be repeated.
const clearOf = 8 * time.Second

// send waits until the trial has decided. Errors: those of arrive; pipeline.ErrUnavailable where the request, or its
// answer, was lost, or ctx ended. The request may still arrive then.
func (p *process) send(ctx context.Context, name string, ready func() bool, arrive func() error) error {
	if p.ctx.Err() != nil {
		return fmt.Errorf("%w: killed", pipeline.ErrUnavailable)
	}
	r := p.trial.add(p, name, ready, arrive)
	var err error
	select {
	case err = <-r.answer:
	case <-ctx.Done():
		err = fmt.Errorf("%w: %s: %w", pipeline.ErrUnavailable, name, ctx.Err())
		p.trial.orphan(r)
	case <-p.ctx.Done():
		err = fmt.Errorf("%w: %s: killed", pipeline.ErrUnavailable, name)
		p.trial.orphan(r)
	}
	if err != nil {
		p.trial.failed(p)
	}
	return err
}

// memberLog is a process's pipeline.Log: the requests of kafkasource and sinks in their order.
type memberLog struct {
	*process
	epoch   int
	started bool
}

var _ pipeline.Log = (*memberLog)(nil)

func (l *memberLog) Init(context.Context) error {
	l.started = false
	if err := l.rest(); err != nil {
		return err
	}
	c := l.trial.kafka
	err := l.send(l.ctx, "confirm", nil, func() error { return c.confirm(l.generation) })
	if err != nil {
		return err
	}
	epoch := 0
	err = l.send(l.ctx, "init", nil, func() (err error) { epoch, err = c.initProducer(); return err })
	l.epoch, l.started = epoch, err == nil
	return err
}

// rest waits until the worker's own pause is certainly over.
func (p *process) rest() error {
	select {
	case <-time.After(time.Until(p.trial.restedAt(p))):
	case <-p.ctx.Done():
	}
	p.trial.rested(p)
	return p.ctx.Err()
}

func (l *memberLog) Position(ctx context.Context) (pos pipeline.Position, err error) {
	c := l.trial.kafka
	err = l.send(ctx, "position", nil, func() (err error) { pos, err = c.position(); return err })
	if err != nil {
		return pos, err
	}
	return pos, l.send(ctx, "confirm", nil, func() error { return c.confirm(l.generation) })
}

func (l *memberLog) Fetch(ctx context.Context, offset int64, f *pipeline.Fetched) error {
	c, name := l.trial.kafka, "fetch"
	if ctx == l.ctx { // in the takeover, not ahead of the loop
		name = "fetch again"
	}
	return l.send(ctx, name, func() bool { return offset < c.visible }, func() error {
		c.fetch(offset, 1+l.trial.rng.Int64N(l.batch), f)
		return nil
	})
}

func (l *memberLog) Publish(ctx context.Context, p *pipeline.Publication) error {
	if !l.started {
		return fmt.Errorf("%w: not started", pipeline.ErrUnavailable)
	}
	l.started = false
	c, epoch := l.trial.kafka, l.epoch // at sending: a request that arrives late has this epoch
	err := l.fill(ctx, p)
	if errors.Is(err, pipeline.ErrFenced) {
		abort, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = l.send(abort, "abort", nil, func() error { _, err := c.end(epoch, false); return err })
	}
	if err != nil {
		return err
	}
	next := epoch
	err = l.send(ctx, "end", nil, func() (err error) { next, err = c.end(epoch, true); return err })
	if err == nil {
		l.epoch, l.started = next, true
	}
	return err
}

func (l *memberLog) fill(ctx context.Context, p *pipeline.Publication) error {
	c, epoch := l.trial.kafka, l.epoch
	if !c.second {
		if err := l.send(ctx, "add offsets", nil, func() error { return c.addOffsets(epoch) }); err != nil {
			return err
		}
	}
	offset, metadata := p.Offset, p.Metadata
	err := l.send(ctx, "commit offset", nil, func() error { return c.commitOffset(l.generation, epoch, offset, metadata) })
	if err != nil {
		return err
	}
	records := rendered(p)
	if len(records) == 0 {
		return nil
	}
	return l.send(ctx, "produce", nil, func() error { return c.produce(epoch, records) })
}

// memberStore is a process's pipeline.Store: every claim has a connection of its own, to which late commits belong.
type memberStore struct {
	*process
	conn *storetest.Handle
	down bool
}

var _ pipeline.Store = (*memberStore)(nil)

func (s *memberStore) Claim(ctx context.Context, token pipeline.Token) (st pipeline.State, err error) {
	s.down = true
	s.trial.handOver()
	conn, server := s.trial.store.Partition(0), s.trial.rollbacks
	err = s.send(ctx, "claim", nil, func() (err error) {
		if server != s.trial.rollbacks {
			return fmt.Errorf("%w: sent to a server that is gone", pipeline.ErrUnavailable)
		}
		st, err = conn.Claim(ctx, token)
		return err
	})
	s.conn, s.down = conn, err != nil
	return st, err
}

func (s *memberStore) Load(ctx context.Context, l *pipeline.Load) error {
	conn := s.conn
	return s.send(ctx, "load", nil, func() error { return conn.Load(ctx, l) })
}

func (s *memberStore) Commit(ctx context.Context, c *pipeline.Commit) error {
	if s.down {
		return fmt.Errorf("%w: not claimed", pipeline.ErrFenced)
	}
	conn, written := s.conn, cloneCommit(c) // the message at sending: after an error the caller reuses its buffers
	err := s.send(ctx, "commit", nil, func() error {
		err := conn.Commit(context.Background(), written)
		if err == nil {
			s.trial.applied++
		}
		return err
	})
	if s.down = err != nil; err == nil {
		c.Holds = written.Holds
	}
	return err
}

func (s *memberStore) Close() error { return nil }

func cloneCommit(c *pipeline.Commit) *pipeline.Commit {
	d := *c
	d.Keys, d.Profiles, d.Outbox = cloneAll(c.Keys), cloneAll(c.Profiles), cloneAll(c.Outbox)
	d.Swept = append([]int64(nil), c.Swept...)
	d.Due = nil
	for _, e := range c.Due {
		e.Entries = append([]byte(nil), e.Entries...)
		d.Due = append(d.Due, e)
	}
	d.Packs = slices.Clone(c.Packs)
	d.Meta.Packs, d.Meta.Buckets = slices.Clone(c.Meta.Packs), slices.Clone(c.Meta.Buckets)
	d.Meta.Clock.Future = append([]pipeline.FutureEvent(nil), c.Meta.Clock.Future...)
	return &d
}

func cloneAll(in [][]byte) (out [][]byte) {
	for _, b := range in {
		if b != nil {
			b = append([]byte{}, b...)
		}
		out = append(out, b)
	}
	return out
}
