package worker_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"

	"ebb/pipeline/worker"
)

// poisonedInput is a log with unusable records from some point on, and the offset of the record that a breaker of 1 %
// stops at.
func poisonedInput(t *testing.T, seed uint64) (in *input, stop int64) {
	t.Helper()
	records := shopRecords(seed, 60)
	r := rand.New(rand.NewPCG(seed, 9))
	for i := range records {
		if i >= 20 && r.IntN(4) > 0 {
			records[i].Value = fmt.Appendf(nil, "poison %d", i)
		}
	}
	in = inputOf(t, seed, records)
	in.share = 0.01
	left := 10
	for _, record := range in.records {
		if record.Value[0] != '{' {
			if left == 0 {
				return in, record.Offset
			}
			left--
		}
	}
	t.Fatal("the log is not poisoned enough")
	return nil, 0
}

// TestBreakerStopsAtOneRecord lets the breaker stop owners while something fails at each step, repeatedly. Everything
// before the record is committed and published, and nothing after it, however often an owner is started. Once a person
// accepts the poison, the result is the same as without a breaker.
func TestBreakerStopsAtOneRecord(t *testing.T) {
	in, stop := poisonedInput(t, 1)
	for name, what := range tableOf() {
		for at := 0; at < 150; at += 3 {
			synctest.Test(t, func(t *testing.T) {
				fresh := *in
				s := &story{schedule: tableStory(&fresh, uint64(at)), at: at, what: what}
				s.kafka.second = at%2 == 0
				defer s.finish()
				if err := s.poisoned(stop); err != nil {
					for _, step := range s.trail {
						t.Log(step)
					}
					t.Fatalf("%s at step %d: %v", name, at, err)
				}
			})
		}
	}
}

func (s *story) poisoned(stop int64) error {
	s.begin(6, -1)
	for s.wrong == nil && s.stops < 3 {
		s.step()
	}
	if s.wrong != nil {
		return s.wrong
	}
	if err := s.kafka.settle(); err != nil {
		return err
	}
	got, err := s.left()
	if err != nil {
		return err
	}
	if n := s.seen["dlq/"]; got.Next != stop || s.kafka.offset != stop || got.Outbox != 0 || n != 10 {
		return fmt.Errorf(
			"committed to %d, published to %d, %d in the outbox, %d in the DLQ; want all up to %d, and 10",
			got.Next,
			s.kafka.offset,
			got.Outbox,
			n,
			stop,
		)
	}
	s.input.accept = s.input.end
	return s.conclude()
}

// TestBreakerLetsTheReplayPass: a published decision is made once. A store put back to before accepted poison is
// replayed through it, though nobody accepts it again; beyond it the breaker holds.
func TestBreakerLetsTheReplayPass(t *testing.T) {
	in, _ := poisonedInput(t, 2)
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			fresh := *in
			fresh.accept = in.end
			s := &schedule{trial: newTrial(&fresh, rand.New(rand.NewPCG(seed, 10)))}
			defer s.finish()
			s.begin(20, in.end/3)
			s.untilEnded()
			s.copy()
			s.begin(20, in.end)
			s.untilEnded()
			s.rollBack()
			fresh.accept = 0
			if err := s.conclude(); err != nil || s.stops > 0 {
				t.Fatalf("stopped %d times, %v", s.stops, err)
			}
		})
	}
}

// TestBreakerOff sends everything to the DLQ, as configured.
func TestBreakerOff(t *testing.T) {
	for _, share := range []float64{0, 1} {
		in, _ := poisonedInput(t, 3)
		in.share = share
		synctest.Test(t, func(t *testing.T) {
			s := &schedule{trial: newTrial(in, rand.New(rand.NewPCG(3, 11)))}
			defer s.finish()
			s.begin(20, in.end)
			s.untilEnded()
			if s.wrong != nil || s.stops > 0 || s.current.worker.Status().Phase != worker.Done {
				t.Errorf("share %g: stopped %d times, %v", share, s.stops, s.wrong)
			}
		})
	}
}
