package kafkascan

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
)

// Endless is the end of a scan without one: it goes on until its context ends.
const Endless = math.MaxInt64

// Scan is one stretch of a partition, with the functions that take what is read. The goroutine of [Scan.Run] calls all
// of them.
type Scan struct {
	Client    *kafkawire.Client
	Topic     string
	Partition int32
	From      int64 // offset to begin at
	To        int64 // end offset: the first that is not read; [Endless]: none
	MaxBytes  int32 // of an answer, see kafkawire.FetchConfig

	// Patience is how long a scan goes on without progress: behind an open transaction, at brokers that return nothing
	// although they named a later end, or at brokers that do not answer where Retry is set. 0: until the context ends.
	Patience time.Duration

	// Record takes each committed record in order, tombstones too. The memory it aliases is valid until Record returns. An
	// error ends the scan.
	Record func(*pipeline.Record) error

	// Marker takes where transactions have ended, committed or not, before the records of the same answer. Optional.
	Marker func(pipeline.Marker)

	// Answered is called after each answer: every record below next was handed out. Optional. An error ends the scan.
	Answered func(next int64) error

	// Lost is called where retention has deleted [from, next) before it was read; the scan goes on at next. nil: the scan
	// ends with pipeline.ErrOutOfRange.
	Lost func(from, next int64)

	// Waiting is called, at most once a second, while the scan makes no progress behind an open transaction, with how long
	// it has waited. Optional. An error ends the scan.
	Waiting func(held *HeldUpError, waited time.Duration) error

	// Retry is called with the first of several failures in a row, and the request is repeated. nil: the first failure
	// ends the scan.
	Retry func(error)
}

// Whole reads all that readers of committed records get of a topic now, a partition after the other. It sets Partition, From
// and To for each. Errors: those of Run and of kafkawire.Client.StableBounds, with their place.
func (s *Scan) Whole(ctx context.Context, partitions int32) (err error) {
	for s.Partition = range partitions {
		if s.From, s.To, err = s.Client.StableBounds(ctx, s.Topic, s.Partition); err != nil {
			return fmt.Errorf("find the end of %s/%d: %w", s.Topic, s.Partition, err)
		}
		if err := s.Run(ctx); err != nil {
			return fmt.Errorf("read %s/%d: %w", s.Topic, s.Partition, err)
		}
	}
	return nil
}

// Run reads the stretch. Errors: the context's cause once it has ended, and where that is a deadline also what the scan
// was waiting for; [HeldUpError], the error of a function, pipeline.ErrOutOfRange, pipeline.ErrUnavailable.
func (s *Scan) Run(ctx context.Context) error {
	what := kafkawire.FetchConfig{Topic: s.Topic, Partition: s.Partition, MaxBytes: s.MaxBytes}
	fetcher, err := s.Client.NewFetcher(what)
	if err != nil {
		return err
	}
	defer fetcher.Close()
	r := run{Scan: s, fetcher: fetcher, next: s.From, moved: time.Now()}
	for r.next < s.To {
		if err := r.step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// run is a scan in progress.
type run struct {
	*Scan
	fetcher *kafkawire.Fetcher
	got     pipeline.Fetched
	next    int64
	moved   time.Time // when next moved
	failing time.Time // when brokers stopped answering; zero: they answer
	pause   time.Duration
	told    time.Time
	waits   error // why the scan has not come further since it moved; nil: it has
}

// step fetches once and hands out the records.
func (r *run) step(ctx context.Context) error {
	asked := time.Now()
	err := r.fetcher.Fetch(ctx, r.next, &r.got)
	switch {
	case ctx.Err() != nil:
		return r.ended(ctx, err)
	case errors.Is(err, pipeline.ErrOutOfRange):
		return r.skip(ctx, err)
	case err != nil:
		return r.again(ctx, err)
	}
	r.failing = time.Time{}
	before := r.next
	if err := r.handOut(); err != nil {
		return err
	}
	if r.next > before {
		r.moved, r.waits = time.Now(), nil
		return nil
	}
	return r.await(ctx, asked)
}

// handOut passes the records of an answer to Record.
func (r *run) handOut() error {
	for _, m := range r.got.Markers {
		if r.Marker != nil && m.Offset < r.To {
			r.Marker(m)
		}
	}
	for i := range r.got.Records {
		record := &r.got.Records[i]
		if record.Offset >= r.To {
			break
		}
		if err := r.Record(record); err != nil {
			return err
		}
	}
	r.next = r.got.Next
	if r.Answered == nil {
		return nil
	}
	return r.Answered(min(r.next, r.To))
}

// Pauses between two requests.
const (
	sayAfter   = time.Second           // without progress
	emptyPause = 50 * time.Millisecond // after an empty answer that a broker did not delay as requested
	leastPause = 100 * time.Millisecond
	mostPause  = 5 * time.Second
)

// await lets a scan without progress fetch again, unless its patience is over. A scan without an end waits there.
func (r *run) await(ctx context.Context, asked time.Time) error {
	open := r.got.Stable <= r.next && r.got.Stable < r.got.End
	held := &HeldUpError{
		Topic:     r.Topic,
		Partition: r.Partition,
		Next:      r.next,
		Open:      open,
		From:      -1,
		Brokers:   r.Client.Brokers(),
	}
	if open {
		held.From = r.got.Stable
	}
	r.waits = held
	if open && r.Waiting != nil && time.Since(r.moved) > sayAfter && time.Since(r.told) > sayAfter {
		r.told = time.Now()
		if err := r.Waiting(held, time.Since(r.moved)); err != nil {
			return err
		}
	}
	if r.To != Endless && r.Patience > 0 && time.Since(r.moved) > r.Patience {
		return r.waits
	}
	if time.Since(asked) > emptyPause {
		return nil
	}
	return r.pauseFor(ctx, emptyPause)
}

// skip goes on at the oldest record where retention has deleted the next one. A log that ends before the next record
// was truncated by a leader that had less, and no longer holds what was read of it.
func (r *run) skip(ctx context.Context, err error) error {
	start, _, failed := r.Client.Bounds(ctx, r.Topic, r.Partition)
	if failed != nil {
		return r.again(ctx, failed)
	}
	if r.Lost == nil || start <= r.next {
		return err
	}
	r.Lost(r.next, start)
	r.next, r.moved, r.waits = start, time.Now(), nil
	return nil
}

// again waits before the next request, or returns an error if there is to be none.
func (r *run) again(ctx context.Context, err error) error {
	if r.Retry == nil || !errors.Is(err, pipeline.ErrUnavailable) {
		return err
	}
	if r.failing.IsZero() {
		r.failing, r.pause = time.Now(), leastPause
		r.Retry(err)
	}
	if r.Patience > 0 && time.Since(r.failing) > r.Patience {
		return err
	}
	r.waits = err
	pause := r.pause
	r.pause = min(2*r.pause, mostPause)
	return r.pauseFor(ctx, pause)
}

// pauseFor returns after a pause, or with why the context's end ended the scan.
func (r *run) pauseFor(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return r.ended(ctx, nil)
	}
}

// ended is the cause of the context's end, and of a deadline what the scan was waiting for. latest is what the request
// under way came to, which at a deadline seldom says more than that.
func (r *run) ended(ctx context.Context, latest error) error {
	cause := context.Cause(ctx)
	if !errors.Is(cause, context.DeadlineExceeded) {
		return cause
	}
	if r.waits != nil {
		latest = r.waits
	}
	if latest == nil {
		return cause
	}
	return fmt.Errorf("%w: %w", cause, latest)
}
