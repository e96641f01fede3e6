package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/rs/zerolog"

	"ebb/pipeline"
	"ebb/sinks/format"
)

// LaneConfig is what a lane delivers, and where to. All but Match, MaxPause and Latest are required.
type LaneConfig struct {
	Log         pipeline.Log // one partition of the alert topic, as the group that delivers it
	Destination Destination
	Group       string
	Topic       string // of alerts
	Partition   int32
	DeadLetters string // topic
	Match       Match  // which alerts; the others are passed over
	Latest      bool   // a group without an offset begins at the end of the log; false: at its start

	// MaxPause is the longest pause between two attempts, but for what the destination asks for. Default 5 min.
	MaxPause time.Duration

	Metrics *Metrics
	Logger  zerolog.Logger
}

// Pauses of a lane.
const (
	firstPause   = 500 * time.Millisecond // after a failed attempt; it grows by half each time
	maxPause     = 5 * time.Minute
	longestAsked = time.Hour // however long a destination asks to be left alone
	kafkaPause   = 100 * time.Millisecond
	mostKafka    = 5 * time.Second
)

// commitEvery is how long deliveries wait at most for the offset that covers them: what a crash repeats.
const commitEvery = time.Second

// Lane delivers the alerts of one partition in order. Make one with NewLane.
type Lane struct {
	cfg     LaneConfig
	pauses  *backoff.ExponentialBackOff // between attempts
	waiting *backoff.ExponentialBackOff // for Kafka

	next      int64               // offset of the first alert that is neither delivered nor a dead letter
	committed int64               // the group's offset
	when      time.Time           // of the latest commit
	dead      []pipeline.Outgoing // dead letters that the next commit publishes
	burying   bool                // the latest alert became one
	resume    time.Time           // no attempt before it
	trouble   trouble
	said      string // the kind of the trouble with Kafka that was logged last; "": none

	mu     sync.Mutex
	status Status
}

// NewLane makes a lane.
func NewLane(cfg LaneConfig) *Lane {
	if cfg.MaxPause == 0 {
		cfg.MaxPause = maxPause
	}
	l := &Lane{
		cfg:    cfg,
		pauses: newPauses(min(firstPause, cfg.MaxPause), cfg.MaxPause), waiting: newPauses(kafkaPause, mostKafka),
		status: Status{Phase: TakingOver},
	}
	return l
}

// newPauses are pauses that grow by half each time, with jitter, without end. Where they double, a destination that
// fails at random is waited for most of the time: with 70 % of failures 52 s an alert, instead of 10 s.
func newPauses(first, most time.Duration) *backoff.ExponentialBackOff {
	return backoff.NewExponentialBackOff(backoff.WithInitialInterval(first), backoff.WithMaxInterval(most),
		backoff.WithMultiplier(1.5), backoff.WithMaxElapsedTime(0))
}

// Run delivers until revoked is closed, when it finishes the attempt under way and commits (nil), or ctx ends, when it
// stops at once and commits nothing. While Kafka is away it waits. Errors: *pipeline.HardStop; pipeline.ErrFenced where
// another member has the partition; the context's.
func (l *Lane) Run(ctx context.Context, revoked <-chan struct{}) error {
	defer l.cfg.Metrics.forget(l.cfg.Partition)
	for {
		err := l.own(ctx, revoked)
		var stop *pipeline.HardStop
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &stop):
			l.show(Stopped, stop.Error())
			return err
		case errors.Is(err, errLost):
			return err
		}
		l.show(TakingOver, err.Error())
		l.say(err)
		select {
		case <-time.After(l.waiting.NextBackOff()):
		case <-revoked:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// own takes the partition over and delivers until something ends that.
func (l *Lane) own(ctx context.Context, revoked <-chan struct{}) error {
	if err := l.takeOver(ctx); err != nil {
		return err
	}
	l.waiting.Reset()
	l.say(nil)
	l.show(Running, "")
	var got pipeline.Fetched
	for !closed(revoked) {
		if err := l.cfg.Log.Fetch(ctx, l.next, &got); err != nil {
			return err
		}
		l.cfg.Metrics.behind(l.cfg.Partition, max(0, got.End-l.next))
		for i := range got.Records {
			if err := l.deliver(ctx, revoked, &got.Records[i]); err != nil {
				return l.finish(ctx, err)
			}
			l.reached(got.Records[i].Offset+1, got.End)
			if time.Since(l.when) >= commitEvery {
				if err := l.commit(ctx); err != nil {
					return err
				}
			}
		}
		l.reached(got.Next, got.End)
		if len(got.Records) == 0 {
			l.cfg.Metrics.oldest(l.cfg.Partition, 0)
		}
		if err := l.commit(ctx); err != nil {
			return err
		}
	}
	return l.commit(ctx)
}

// takeOver fences earlier owners and finds where the group is.
func (l *Lane) takeOver(ctx context.Context) error {
	l.dead = nil
	if err := l.cfg.Log.Init(ctx); err != nil {
		return confirmed(err)
	}
	at, err := l.cfg.Log.Position(ctx)
	if err != nil {
		return confirmed(err)
	}
	l.next, l.committed, l.when = at.Offset, at.Offset, time.Now()
	switch {
	case !at.Committed && l.cfg.Latest:
		l.next, l.committed = at.End, -1
	case !at.Committed:
		l.next, l.committed = at.LogStart, -1
	case at.Offset < at.LogStart:
		l.lost(at.Offset, at.LogStart)
		l.next = at.LogStart
	case at.Offset > at.End:
		return l.truncated(&at)
	}
	l.cfg.Logger.Info().Int64("next", l.next).Int64("end", at.End).Msg("partition taken over")
	return l.commit(ctx) // where a new group begins must not depend on when it is asked again
}

// errLost wraps pipeline.ErrFenced where the group itself has said that another member has the partition. What fences a
// commit may be a process that started under the same transactional id.
var errLost = errors.New("partition lost")

// confirmed is the error of a request that asks the group whose the partition is.
func confirmed(err error) error {
	if errors.Is(err, pipeline.ErrFenced) {
		return fmt.Errorf("%w: %w", errLost, err)
	}
	return err
}

// lost says that alerts are gone which were not delivered. Nothing brings them back, so the lane goes on.
func (l *Lane) lost(from, next int64) {
	l.cfg.Metrics.lost(next - from)
	l.cfg.Logger.Error().Int64("from", from).Int64("to", next-1).
		Str("do", "raise retention.ms of the alert topic above the longest outage of the destination").
		Msg("the topic's retention has deleted alerts before they were delivered")
}

// truncated stops a lane whose log has lost its end: what took the place of it cannot be told from what was delivered.
func (l *Lane) truncated(at *pipeline.Position) error {
	return &pipeline.HardStop{
		Code: "log_truncated",
		Detail: fmt.Sprintf("the next alert of %s/%d is %d, but the log ends at %d", l.cfg.Topic, l.cfg.Partition, at.Offset,
			at.End),
		Do: fmt.Sprintf("set the offset of group %s back by as far as the log may have lost, with kafka-consumer-groups.sh "+
			"--reset-offsets; what is delivered twice has the same webhook-id", l.cfg.Group),
	}
}

// errRevoked ends the delivery of an alert that has to wait while the partition is given up.
var errRevoked = errors.New("partition revoked")

// finish commits what was delivered where only the rest is given up.
func (l *Lane) finish(ctx context.Context, err error) error {
	if errors.Is(err, errRevoked) {
		return l.commit(ctx)
	}
	return err
}

// deliver sends the alert of one record, if it is to be delivered, until the destination has it, or it has become a dead
// letter. Errors: errRevoked, the context's, those of a commit.
func (l *Lane) deliver(ctx context.Context, revoked <-chan struct{}, r *pipeline.Record) error {
	if r.Value == nil { // a tombstone is no alert
		return nil
	}
	a, ok := read(r)
	if !ok {
		l.bury(r, format.ReasonUnreadable, 0)
		return nil
	}
	if !l.cfg.Match.takes(&a) {
		l.cfg.Metrics.passed()
		return nil
	}
	l.cfg.Metrics.oldest(l.cfg.Partition, r.Timestamp)
	for attempts := 0; ; attempts++ {
		if err := l.await(ctx, revoked, a.Expires); err != nil {
			return err
		}
		if a.expired(time.Now()) {
			l.bury(r, format.ReasonExpired, attempts)
			return nil
		}
		began := time.Now()
		l.sending(began)
		err := l.cfg.Destination.Send(ctx, &a)
		l.sending(time.Time{})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		l.cfg.Metrics.attempt(time.Since(began), err)
		if err == nil {
			l.delivered()
			return nil
		}
		l.failed(asFailure(err))
		if err := l.commit(ctx); err != nil { // a crash while it waits repeats nothing
			return err
		}
	}
}

// await waits until the destination may be asked again, or the alert expires before.
func (l *Lane) await(ctx context.Context, revoked <-chan struct{}, expires time.Time) error {
	until := l.resume
	if !expires.IsZero() && expires.Before(until) {
		until = expires
	}
	if closed(revoked) {
		return errRevoked
	}
	wait := time.Until(until)
	if wait <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-revoked:
		return errRevoked
	case <-ctx.Done():
		return ctx.Err()
	}
}

// bury makes the record a dead letter, which the next commit publishes.
func (l *Lane) bury(r *pipeline.Record, reason string, attempts int) {
	letter := format.Undelivered{
		Topic: l.cfg.DeadLetters, Group: l.cfg.Group, From: format.Place{
			Topic: l.cfg.Topic, Partition: l.cfg.Partition, Offset: r.Offset,
		},
		Reason: reason, Attempts: attempts, Failure: l.trouble.class,
	}
	l.dead = append(l.dead, letter.Outgoing(r.Clone()))
	l.cfg.Metrics.buried(reason)
	level := zerolog.WarnLevel
	if l.burying { // a long outage has many of them
		level = zerolog.DebugLevel
	}
	l.burying = true
	l.cfg.Logger.WithLevel(level).Int64("offset", r.Offset).Str("reason", reason).Int("attempts", attempts).
		Str("dead_letters", l.cfg.DeadLetters).Msg("alert not delivered, kept as a dead letter")
}

// reached notes up to where the partition is done.
func (l *Lane) reached(next, end int64) {
	l.next = next
	l.cfg.Metrics.behind(l.cfg.Partition, max(0, end-next))
	l.mu.Lock()
	l.status.Next, l.status.Behind, l.status.Known = next, max(0, end-next), true
	l.mu.Unlock()
}

// commit moves the group's offset to what is done, and publishes the dead letters below it, in one transaction.
func (l *Lane) commit(ctx context.Context) error {
	if l.next == l.committed && len(l.dead) == 0 {
		l.when = time.Now()
		return nil
	}
	p := pipeline.Publication{Offset: l.next, Records: slices.Values(l.dead)}
	if err := l.cfg.Log.Publish(ctx, &p); err != nil {
		return err
	}
	l.committed, l.when, l.dead = l.next, time.Now(), nil
	return nil
}

// say logs why Kafka does not let the lane work: once per change, not for every attempt.
func (l *Lane) say(err error) {
	kind := ""
	if err != nil {
		kind = "unavailable"
		if code, _, _, ok := pipeline.Refused(err); ok {
			kind = code
		}
	}
	if kind != l.said && err != nil {
		l.cfg.Logger.Warn().Err(err).EmbedObject(pipeline.Refusal{Err: err}).
			Msg("partition interrupted, taking it over again")
	}
	l.said = kind
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
