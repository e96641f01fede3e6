package worker_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
)

// story is a trial in which everything moves in one order, and one thing goes wrong at one step.
type story struct {
	*schedule
	at    int // steps until then
	what  func(*schedule) bool
	moved int
}

// disturbances of the crash table. Each hits the next request, or its surroundings.
func tableOf() map[string]func(*schedule) bool {
	next := func(s *schedule) *request {
		moves := s.moves(func(r *request) bool { return !s.held(r, errLostOnTheWay) })
		if len(moves) == 0 {
			return nil
		}
		return moves[0]
	}
	hit := func(late bool) func(*schedule) bool {
		return func(s *schedule) bool {
			r := next(s)
			if r == nil || late && (r.arrived || !r.effects()) {
				return false
			}
			s.answer(r, errLostOnTheWay, map[bool]string{false: "is lost", true: "is given up"}[late])
			return true
		}
	}
	return map[string]func(*schedule) bool{
		"lost":      hit(false), // the request, or its answer
		"late":      hit(true),
		"killed":    func(s *schedule) bool { return s.die(s.current) },
		"replaced":  func(s *schedule) bool { return s.replace() },
		"revoked":   func(s *schedule) bool { return s.revoke() },
		"paused":    func(s *schedule) bool { s.current.paused = true; return s.replace() },
		"put back":  func(s *schedule) bool { return s.rollBack() },
		"cut":       func(s *schedule) bool { return s.cut() },
		"timed out": func(s *schedule) bool { return s.expire() },
	}
}

// step moves the next request, or disturbs it.
func (s *story) step() {
	s.settle()
	if s.moved == s.at && s.what != nil {
		s.what(s.schedule)
		s.settle()
	}
	s.moved++
	if s.current.ended {
		s.begin(6, -1)
		return
	}
	s.progress()
}

func (s *story) steps(n int) {
	for range n {
		if s.wrong == nil {
			s.step()
		}
	}
}

// tell goes through all states of an owner: a fresh start, work, a copy taken on the way, an end in order, a takeover,
// and one from a store that was rolled back.
func (s *story) tell(total int) error {
	defer s.finish()
	s.begin(6, -1)
	for _, then := range []func() bool{s.copy, s.revoke, s.rollBack, nil} {
		s.steps(total / 4)
		s.settle()
		if then != nil {
			then()
		}
	}
	return s.conclude()
}

func tableStory(in *input, seed uint64) *schedule {
	return &schedule{trial: newTrial(in, rand.New(rand.NewPCG(seed, 4))), inOrder: true}
}

// TestCrashTable hits every step of a story: each request on its way and each answer, in a takeover, at work, in an end
// in order and in a replay.
func TestCrashTable(t *testing.T) {
	in := newInput(t, 1, 18)
	const total = 140
	hits := 0
	for name, what := range tableOf() {
		for at := range total {
			synctest.Test(t, func(t *testing.T) {
				s := &story{schedule: tableStory(in, uint64(at%2)), at: at, what: what}
				s.kafka.second = at%3 == 0
				if err := s.tell(total); err != nil {
					for _, step := range s.trail {
						t.Log(step)
					}
					t.Fatalf("%s at step %d: %v", name, at, err)
				}
			})
			hits++
		}
	}
	t.Logf("%d times something went wrong", hits)
}

// TestEveryRecordIsCounted loses requests and answers while one process lives on: its counters count everything once,
// also a commit that was applied without an answer.
func TestEveryRecordIsCounted(t *testing.T) {
	in := newInput(t, 2, 24)
	for at := 0; ; at++ {
		reached := false
		synctest.Test(t, func(t *testing.T) {
			s := &story{schedule: tableStory(in, 1)}
			defer s.finish()
			s.begin(6, in.end)
			for ; s.wrong == nil && !s.current.ended; s.moved++ {
				s.settle()
				if s.moved == at && !s.current.ended {
					reached = true
					tableOf()["lost"](s.schedule)
					s.settle()
				}
				s.progress()
			}
			if got := s.current.worker.Tally().Records; s.wrong != nil || got != uint64(len(in.records)) {
				t.Fatalf("hit at step %d: %d of %d records counted, %v", at, got, len(in.records), s.wrong)
			}
		})
		if !reached {
			return
		}
	}
}

// drive moves the requests of one process until the next to arrive has that name, or its takeover is over.
func (s *schedule) drive(p *process, until string) {
	for s.settle(); s.wrong == nil && !p.ended; s.settle() {
		if slices.ContainsFunc(s.underWay, func(r *request) bool {
			return r.from == p && !r.alone && !r.arrived && (r.name == until || r.name == "fetch")
		}) {
			return
		}
		moves := s.moves(func(r *request) bool { return r.from == p })
		if len(moves) == 0 {
			s.pass(clearOf)
			continue
		}
		s.move(moves[s.rng.IntN(len(moves))])
	}
}

// TestZombieInTheMiddleOfItsTakeover makes an owner sleep before each step of its takeover while its successor works
// and publishes. Redis loses the successor's state, the zombie wakes first, and then both go on.
func TestZombieInTheMiddleOfItsTakeover(t *testing.T) {
	all := manyInputs(t)
	for seed := range uint64(100) {
		for _, at := range []string{"claim", "position", "confirm"} {
			synctest.Test(t, func(t *testing.T) {
				s := &schedule{trial: newTrial(all[seed%inputs], rand.New(rand.NewPCG(seed, 5)))}
				defer s.finish()
				if err := s.zombie(at); err != nil {
					for _, step := range s.trail {
						t.Log(step)
					}
					t.Fatalf("seed %d, asleep before %s: %v", seed, at, err)
				}
			})
		}
	}
}

func (s *schedule) zombie(at string) error {
	s.begin(s.anyBatch(), s.input.end/4+s.rng.Int64N(s.input.end/4))
	s.some(20+s.rng.IntN(60), nil)
	s.copy()
	s.untilEnded()

	s.begin(s.anyBatch(), s.input.end)
	zombie := s.current
	s.drive(zombie, "init")
	s.some(2, zombie)
	s.drive(zombie, at)
	zombie.paused = true
	s.begin(s.anyBatch(), s.input.end)
	s.some(30+s.rng.IntN(80), nil)
	s.rollBack()
	zombie.paused = false
	s.some(s.rng.IntN(200), zombie)
	return s.conclude()
}

// some takes n steps, of p alone unless it is nil.
func (s *schedule) some(n int, p *process) {
	for range n {
		if s.settle(); s.wrong != nil {
			return
		}
		if p == nil {
			s.progress()
			continue
		}
		if moves := s.moves(func(r *request) bool { return r.from == p && !r.alone }); len(moves) > 0 {
			s.move(moves[s.rng.IntN(len(moves))])
		}
	}
}

// TestRevokedOwnerLeavesNothingToDo revokes an owner at each of its steps: everything committed when it returns is
// published and out of the outbox, and fetched records are left to the next owner.
func TestRevokedOwnerLeavesNothingToDo(t *testing.T) {
	in := newInput(t, 3, 24)
	for at := range 120 {
		synctest.Test(t, func(t *testing.T) {
			s := &story{schedule: tableStory(in, uint64(at))}
			defer s.finish()
			s.begin(6, -1)
			s.steps(at)
			for s.settle(); s.wrong == nil && !s.current.revoking; s.settle() {
				if !s.revoke() { // it waits for the store
					s.progress()
				}
			}
			s.untilEnded()
			s.fail(s.kafka.settle())
			got, err := s.left()
			if err != nil || s.wrong != nil {
				t.Fatalf("revoked after %d steps: %v, %v", at, s.wrong, err)
			}
			if s.applied > 0 && (got.Outbox != 0 || got.Next != s.kafka.offset) {
				t.Fatalf(
					"revoked after %d steps: %d entries left, committed to %d, published to %d",
					at,
					got.Outbox,
					got.Next,
					s.kafka.offset,
				)
			}
		})
	}
}
