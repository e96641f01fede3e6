package worker_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"

	"ebb/pipeline"
	"ebb/pipeline/worker"
)

// seedStore gives the partition a state at offset next without any effects, like `ebb rebuild`.
func (t *trial) seedStore(next int64) error {
	h := t.store.Partition(0)
	if _, err := h.Claim(context.Background(), pipeline.Token{1}); err != nil {
		return err
	}
	id := t.input.identity()
	id.Pack = "" // the control records hold it
	err := h.Commit(
		context.Background(),
		&pipeline.Commit{Previous: pipeline.Token{1}, Token: pipeline.Token{2}, Meta: id.NewMeta(next)},
	)
	if err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	return nil
}

// TestRebuild empties the store in the middle of the log and seeds it with the log's start, like `ebb rebuild`: the
// rest is decided as if nothing had happened, and nothing is published again.
func TestRebuild(t *testing.T) {
	in := newInput(t, 4, 100)
	for _, end := range []int64{1, in.end / 3, in.end - 1, in.end} {
		synctest.Test(t, func(t *testing.T) {
			s := &schedule{trial: newTrial(in, rand.New(rand.NewPCG(4, 6)))}
			defer s.finish()
			s.begin(20, end)
			s.untilEnded()
			s.store.Empty(0)
			if err := s.seedStore(0); err != nil {
				t.Fatal(err)
			}
			if err := s.conclude(); err != nil {
				t.Fatalf("rebuilt at %d: %v", end, err)
			}
		})
	}
}

// TestRebuildInTheMiddle seeds the store with a later offset, or with the end of what was processed: later decisions
// may differ, but the line goes on and nothing below the position is published again.
func TestRebuildInTheMiddle(t *testing.T) {
	in := newInput(t, 4, 100)
	end := in.end / 2
	for _, from := range []int64{end / 3, end - 1, end} {
		synctest.Test(t, func(t *testing.T) {
			fresh := *in // published records are noted, not compared
			fresh.want = fold{recording: true, published: map[string][]string{}}
			s := &schedule{trial: newTrial(&fresh, rand.New(rand.NewPCG(4, 7)))}
			defer s.finish()
			s.begin(20, end)
			s.untilEnded()
			before := s.publishedRecords()
			s.store.Empty(0)
			if err := s.seedStore(from); err != nil {
				t.Fatal(err)
			}
			s.begin(20, end)
			s.untilEnded()
			if after := s.publishedRecords(); after != before {
				t.Fatalf("from %d: %d records published again", from, after-before)
			}
			s.begin(20, in.end)
			s.untilEnded()
			if n := s.publishedRecords(); s.wrong != nil || s.kafka.offset != in.end || n == before {
				t.Fatalf("from %d: %v, stopped at %d, with %d records published", from, s.wrong, s.kafka.offset, n)
			}
		})
	}
}

// TestHardStopEndsTheOwner empties the store and seeds nothing: the owner stops for a person to decide, and waits for
// nothing.
func TestHardStopEndsTheOwner(t *testing.T) {
	in := newInput(t, 4, 24)
	synctest.Test(t, func(t *testing.T) {
		s := &schedule{trial: newTrial(in, rand.New(rand.NewPCG(4, 8)))}
		defer s.finish()
		s.begin(20, in.end)
		s.untilEnded()
		s.store.Empty(0)
		s.begin(20, in.end)
		s.untilEnded()
		var stop *pipeline.HardStop
		if !errors.As(s.wrong, &stop) || stop.Code != "state_lost" {
			t.Fatalf("ended with %v", s.wrong)
		}
		if status := s.current.worker.Status(); status.Phase != worker.Stopped {
			t.Errorf("its phase is %v", status.Phase)
		}
	})
}

// TestEvictedKeyStopsTheOwner: a key that is gone is noticed at the takeover, and nothing is decided without it.
func TestEvictedKeyStopsTheOwner(t *testing.T) {
	in := newInput(t, 4, 64)
	for _, key := range []string{"profiles", "due"} {
		t.Run(key, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &schedule{trial: newTrial(in, rand.New(rand.NewPCG(4, 8)))}
				defer s.finish()
				s.begin(20, in.records[40].Offset)
				s.untilEnded()
				s.store.Evict(0, key)
				s.begin(20, in.end)
				s.untilEnded()
				if stop, ok := errors.AsType[*pipeline.HardStop](s.wrong); !ok || stop.Code != "state_incomplete" {
					t.Fatalf("ended with %v", s.wrong)
				}
			})
		})
	}
}

// publishedRecords is how many records readers of committed data have seen.
func (t *trial) publishedRecords() (n int) {
	t.fail(t.kafka.settle())
	for _, m := range t.seen {
		n += m
	}
	return n
}
