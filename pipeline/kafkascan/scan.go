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

// Endless is the end of a scan that has none: it goes on until its context ends.
const Endless = math.MaxInt64

// Scan is one stretch of a partition, and who is told of it. All functions are called by the goroutine of [Scan.Run].
type Scan struct {
	Client    *kafkawire.Client
	Topic     string
	Partition int32
	From      int64 // offset to begin at
	To        int64 // end offset: the first that is not read; [Endless]: none
	MaxBytes  int32 // of an answer, see kafkawire.FetchConfig

	// Patience is how long a scan goes on without coming any further: behind an open transaction, or at brokers that
	// have nothing to give although they named a later end, or that do not answer where Retry is set. 0: until the
	// context ends.
	Patience time.Duration

	// Record takes each committed record in order, tombstones too. What it aliases holds until Record returns. An error
	// ends the scan.
	Record func(*pipeline.Record) error

	// Marker takes where transactions have ended, committed or not, before the records of the same answer. Optional.
	Marker func(pipeline.Marker)

	// Answered is called after each answer: every record below next was handed out. Optional. An error ends the scan.
	Answered func(next int64) error

	// Lost is called where retention has deleted [from, next) before it was read; the scan goes on at next. nil: it
	// ends with pipeline.ErrOutOfRange.
	Lost func(from, next int64)

	// Retry is called with the first of the failures in a row after which brokers are asked again. nil: the first ends
	// the scan.
	Retry func(error)
}

// Run reads the stretch. Errors: the context's cause once it has ended, [HeldUpError], what a function returned,
// pipeline.ErrOutOfRange, pipeline.ErrUnavailable.
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

// HeldUpError says that a scan did not come to its end within its patience, although brokers answered.
type HeldUpError struct {
	Topic     string
	Partition int32
	Next      int64 // where the scan stands
	Open      bool  // behind an open transaction; else brokers have less than they had named
}

func (e *HeldUpError) Error() string {
	why := "were in the log when the reading began, and no broker gives them"
	if e.Open {
		why = "are held up by a producer's open transaction"
	}
	return fmt.Sprintf("records of %s/%d from %d on %s", e.Topic, e.Partition, e.Next, why)
}

// run is a scan under way.
type run struct {
	*Scan
	fetcher *kafkawire.Fetcher
	got     pipeline.Fetched
	next    int64
	moved   time.Time // when next moved
	failing time.Time // since when brokers have not answered; zero: they do
	pause   time.Duration
}

// step asks once and hands out what came.
func (r *run) step(ctx context.Context) error {
	asked := time.Now()
	err := r.fetcher.Fetch(ctx, r.next, &r.got)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
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
		r.moved = time.Now()
		return nil
	}
	return r.await(ctx, asked)
}

// handOut gives the records of an answer to Record.
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
	emptyPause = 50 * time.Millisecond // after an empty answer that a broker did not wait with, as it is asked to
	leastPause = 100 * time.Millisecond
	mostPause  = 5 * time.Second
)

// await has a scan that did not come further ask again, unless its patience is over. A scan without an end is at home
// there.
func (r *run) await(ctx context.Context, asked time.Time) error {
	if r.To != Endless && r.Patience > 0 && time.Since(r.moved) > r.Patience {
		open := r.got.Stable <= r.next && r.got.Stable < r.got.End
		return &HeldUpError{Topic: r.Topic, Partition: r.Partition, Next: r.next, Open: open}
	}
	if time.Since(asked) > emptyPause {
		return nil
	}
	return wait(ctx, emptyPause)
}

// skip goes on at the oldest record where retention has deleted the one to be read next. A log that ends before it was
// cut back by a leader that had less, and what was read of it is not what it holds now.
func (r *run) skip(ctx context.Context, err error) error {
	start, _, failed := r.Client.Bounds(ctx, r.Topic, r.Partition)
	if failed != nil {
		return failed
	}
	if r.Lost == nil || start <= r.next {
		return err
	}
	r.Lost(r.next, start)
	r.next, r.moved = start, time.Now()
	return nil
}

// again waits before the next request, or says that there is to be none.
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
	pause := r.pause
	r.pause = min(2*r.pause, mostPause)
	return wait(ctx, pause)
}

// wait returns after a while, or with the cause of the context's end.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
