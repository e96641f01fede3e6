package worker_test

import (
	"fmt"
	"slices"
	"time"

	"ebb/pipeline"
)

// schedule is the random part of a trial: which request moves next, and what goes wrong.
type schedule struct {
	*trial
	budget  int     // disturbances left
	rate    float64 // of disturbances per step
	weights []int   // of the kinds of disturbances
	inOrder bool    // requests of the oldest owner go first, by name
}

var errLostOnTheWay = fmt.Errorf("%w: lost", pipeline.ErrUnavailable)

const maxSteps = 8_000 // of a trial; usually it needs some hundred

// run disturbs owners for a while, then concludes.
func (s *schedule) run() error {
	defer s.finish()
	s.disturbed()
	return s.conclude()
}

// disturbed disturbs owners for a while.
func (s *schedule) disturbed() {
	s.kafka.second = s.chance(2)
	s.kafka.visible = max(s.input.end/4+s.rng.Int64N(s.input.end*3/4+1), s.input.first)
	s.budget, s.rate = 1+s.rng.IntN(10), []float64{0.03, 0.08, 0.25}[s.rng.IntN(3)]
	s.beginAny()
	for s.wrong == nil && (s.budget > 0 || !s.chance(40)) {
		s.settle()
		if s.current.ended {
			s.beginAny()
			continue
		}
		if s.budget > 0 && s.rng.Float64() < s.rate && s.disturb() {
			s.budget--
			continue
		}
		s.progress()
	}
}

// conclude completes the trial, and compares.
func (s *schedule) conclude() error {
	if s.complete(); s.wrong != nil {
		return s.wrong
	}
	return s.compare()
}

// complete ends the disturbances until one owner has come to the end of the log, lets every request that is still on
// its way arrive, and lets one more owner look at the result.
func (s *schedule) complete() {
	s.note("the log is complete, nothing is disturbed any more")
	s.kafka.visible = s.input.end
	if s.current.end < 0 || s.current.revoking || s.current.ended || s.chance(2) {
		s.begin(s.anyBatch(), s.input.end)
	}
	s.untilEnded()
	s.leftovers()
	s.begin(s.anyBatch(), s.input.end)
	s.untilEnded()
}

func (s *schedule) chance(n int) bool { return s.rng.IntN(n) == 0 }

func (s *schedule) anyBatch() int64 { return []int64{2, 6, 20, 60}[s.rng.IntN(4)] }

func (s *schedule) beginAny() {
	end := int64(-1)
	if s.chance(2) {
		end = s.input.end
	}
	s.begin(s.anyBatch(), end)
}

// untilEnded lets the present owner come to the end, others beside it.
func (s *schedule) untilEnded() {
	for s.settle(); s.wrong == nil && !s.current.ended; s.settle() {
		s.current.paused = false
		if s.chance(40) {
			s.resume()
		}
		s.progress()
	}
}

// leftovers lets abandoned requests arrive, or not. Other owners find out that they have been replaced, and a revoked
// one finishes.
func (s *schedule) leftovers() {
	for idle := 0; s.wrong == nil && idle < 5; {
		s.settle()
		s.resume()
		if moves := s.moves(func(*request) bool { return true }); len(moves) > 0 {
			s.move(moves[s.rng.IntN(len(moves))])
			continue
		}
		if !slices.ContainsFunc(s.processes, func(p *process) bool { return p.revoking && !p.ended }) {
			break
		}
		idle++
		s.pass(clearOf + time.Second)
	}
	for _, p := range s.processes {
		if p.revoking && !p.ended && !p.killed && !p.paused {
			s.fail(fmt.Errorf("process %d was revoked and does not end", p.id))
		}
		p.killed = true
		p.kill()
	}
	s.settle()
	for _, r := range s.moves(func(*request) bool { return true }) {
		if s.chance(2) {
			s.move(r)
		}
	}
}

// moves are the requests that could take their next step.
func (s *schedule) moves(of func(*request) bool) (out []*request) {
	for _, r := range s.underWay {
		if of(r) && (r.alone || !r.from.paused) && (r.arrived || r.ready == nil || r.ready()) && !s.held(r, r.err) {
			out = append(out, r)
		}
	}
	return out
}

// held reports whether a step has to wait: for the answer to the load that its owner's loop is waiting for, or for the
// owner to notice that it was revoked. When an owner returns to its loop with two things ready, it takes either of
// them, and the trial could not be repeated.
func (s *schedule) held(r *request, err error) bool {
	if r.alone {
		return false
	}
	if !r.arrived && err == nil {
		return s.opens(r) && s.loading(r.from)
	}
	switch r.name {
	case "fetch":
		return r.from.revoking
	case "load":
		return false
	case "add offsets", "commit offset", "produce": // the transaction goes on, beside the loop
		return err != nil && s.loading(r.from)
	}
	return s.loading(r.from)
}

// opens reports whether r is the first of a transaction. Whether a transaction begins before or after a load is random
// in an owner that starts at its end.
func (t *trial) opens(r *request) bool {
	return !r.arrived && (r.name == "add offsets" || r.name == "commit offset" && t.kafka.second)
}

func (t *trial) loading(p *process) bool {
	return slices.ContainsFunc(t.underWay, func(r *request) bool { return r.from == p && r.name == "load" && !r.alone })
}

// progress is one step: of a request, with those of fast owners first and now and then a late one; or time passes.
func (s *schedule) progress() {
	moves := s.moves(func(*request) bool { return true })
	total := 0
	for _, r := range moves {
		total += r.weight()
	}
	if total == 0 || !s.inOrder && s.chance(60) {
		s.elapse(total == 0)
		return
	}
	n := s.rng.IntN(total)
	if s.inOrder {
		n = 0
	}
	for _, r := range moves {
		if n -= r.weight(); n < 0 {
			s.move(r)
			return
		}
	}
}

func (r *request) weight() int {
	if r.alone {
		return 1
	}
	return 2 * r.from.speed
}

func (s *schedule) move(r *request) {
	if r.arrived {
		s.answer(r, r.err, "is answered")
		return
	}
	s.arrive(r)
}

// elapse is what happens without any request.
func (s *schedule) elapse(idle bool) {
	switch {
	case s.kafka.visible < s.input.end && s.chance(2):
		s.kafka.visible = min(s.input.end, s.kafka.visible+1+s.rng.Int64N(20))
		s.note("the log grows to %d", s.kafka.visible)
	case s.kafka.txn != nil && s.kafka.txn.decided && s.chance(2):
		s.note("the markers are written")
		s.fail(s.kafka.settle())
	case s.chance(4) && s.resume():
	case idle || s.budget > 0 && s.chance(4):
		s.pass(clearOf + time.Second)
	default:
		s.pass([]time.Duration{3 * time.Second, 5 * time.Second}[s.rng.IntN(2)])
	}
}

func (s *schedule) resume() (any bool) {
	for _, p := range s.processes {
		if p.paused && !p.ended && s.chance(2) {
			p.paused, p.speed, any = false, []int{1, 4, 16}[s.rng.IntN(3)], true
			s.note("%d: wakes", p.id)
		}
	}
	return any
}
