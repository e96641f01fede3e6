package pipeline_test

import (
	"fmt"
	"slices"
	"time"

	"ebb/pipeline"
)

// schedule is how a trial is decided by chance: which request moves next, and what goes wrong.
type schedule struct {
	*trial
	budget  int     // disturbances left
	rate    float64 // of disturbances, a step
	weights []int   // of the kinds of disturbances
	inOrder bool    // the oldest owner's requests go first, by name
}

var errLostOnTheWay = fmt.Errorf("%w: lost", pipeline.ErrUnavailable)

const maxSteps = 8_000 // of a trial; it takes some hundred

// run disturbs owners for a while, then concludes.
func (s *schedule) run() error {
	defer s.finish()
	s.kafka.second = s.chance(2)
	s.kafka.visible = s.input.end/4 + s.rng.Int64N(s.input.end*3/4+1)
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
	return s.conclude()
}

// conclude leaves the owners in peace until one has come to the end of the log, lets whatever is still on its way arrive,
// has one more owner look at what is there, and compares.
func (s *schedule) conclude() error {
	s.note("the log is complete, nothing is disturbed any more")
	s.kafka.visible = s.input.end
	if s.current.end < 0 || s.current.revoking || s.current.ended || s.chance(2) {
		s.begin(s.anyBatch(), s.input.end)
	}
	s.untilEnded()
	s.leftovers()
	s.begin(s.anyBatch(), s.input.end)
	s.untilEnded()
	if s.wrong != nil {
		return s.wrong
	}
	return s.compare()
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

// leftovers has what was given up arrive, or not. Others find out that they have been replaced, and who was asked to finish
// does.
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

// held reports whether an answer has to wait: for the one to the load that its owner's loop is waiting for, or for the
// owner to notice that it was revoked. Of two things that an owner finds when it comes back to its loop it takes any one
// first, and the trial could not be repeated.
func (s *schedule) held(r *request, err error) bool {
	if r.alone || !r.arrived && err == nil {
		return false
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

func (t *trial) loading(p *process) bool {
	return slices.ContainsFunc(t.underWay, func(r *request) bool { return r.from == p && r.name == "load" && !r.alone })
}

// progress is one step of something: of a request, owners with speed before others, now and then a late one; or time
// passes.
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

// disturbances in the order of schedule.weights.
func (s *schedule) disturbances() []func() bool {
	return []func() bool{s.lose, s.giveUp, s.dieNow, s.replace, s.revoke, s.pause, s.copy, s.rollBack, s.cut, s.expire}
}

// disturb does one thing that goes wrong, if the one drawn can. Each trial likes some things better than others, so that
// rare combinations come up in some of them.
func (s *schedule) disturb() bool {
	all := s.disturbances()
	if s.weights == nil {
		for range all {
			s.weights = append(s.weights, []int{0, 1, 3, 8}[s.rng.IntN(4)])
		}
		s.weights[s.rng.IntN(len(all))] = 8
	}
	total := 0
	for _, w := range s.weights {
		total += w
	}
	n := s.rng.IntN(total)
	for i, w := range s.weights {
		if n -= w; n < 0 {
			return all[i]()
		}
	}
	panic("BUG: unreachable")
}

func (s *schedule) cut() bool {
	s.note("the connections to the store are cut")
	s.store.Cut(0)
	return true
}

func (s *schedule) expire() bool {
	if s.kafka.expire() {
		s.note("the open transaction times out")
		return true
	}
	return false
}

// any is one of the requests that somebody waits for; nil where there is none.
func (s *schedule) any(of func(*request) bool) *request {
	moves := s.moves(func(r *request) bool { return !r.alone && of(r) && !s.held(r, errLostOnTheWay) })
	if len(moves) == 0 {
		return nil
	}
	return moves[s.rng.IntN(len(moves))]
}

// lose has a request or an answer be lost.
func (s *schedule) lose() bool {
	r := s.any(func(*request) bool { return true })
	switch {
	case r == nil:
		return false
	case r.arrived:
		s.answer(r, errLostOnTheWay, "is not answered")
	default:
		s.answer(r, errLostOnTheWay, "is lost")
	}
	return true
}

// giveUp has a request's sender give up while it is still on its way.
func (s *schedule) giveUp() bool {
	r := s.any(func(r *request) bool { return !r.arrived && r.effects() })
	if r == nil {
		return false
	}
	s.answer(r, errLostOnTheWay, "is given up")
	return true
}

func (s *schedule) dieNow() bool { return s.die(s.current) }

func (s *schedule) die(p *process) bool {
	s.note("%d: killed", p.id)
	p.killed = true
	p.kill()
	return true
}

// replace begins another owner while the present one goes on. More than three make no difference: the oldest is killed.
func (s *schedule) replace() bool {
	living := slices.DeleteFunc(slices.Clone(s.processes), func(p *process) bool { return p.ended })
	if len(living) > 2 {
		s.die(living[0])
	}
	s.beginAny()
	return true
}

// revoke asks the present owner to finish. What it does then, before another begins, may go wrong as well.
func (s *schedule) revoke() bool {
	if p := s.current; !p.revoking && !p.resting && !s.loading(p) {
		s.note("%d: revoked", p.id)
		p.revoking = true
		close(p.revoked)
		return true
	}
	return false
}

func (s *schedule) pause() bool {
	p := s.processes[s.rng.IntN(len(s.processes))]
	if p.ended || p.paused {
		return false
	}
	s.note("%d: pauses", p.id)
	p.paused = true
	if p == s.current {
		s.beginAny()
	}
	return true
}

// copy takes a copy of the store, as a replica or a snapshot is one.
func (s *schedule) copy() bool {
	if !s.committed() { // putting back a store from before its first commit is a hard stop, rightly
		return false
	}
	s.note("copy %d of the store is taken", len(s.copies))
	s.copies = append(s.copies, s.store.Copy(0))
	return true
}

func (s *schedule) rollBack() bool {
	if len(s.copies) == 0 {
		return s.copy()
	}
	n := s.rng.IntN(len(s.copies))
	s.note("the store is replaced by copy %d of itself", n)
	s.copies[n]()
	s.rollbacks++
	return true
}

// committed reports whether the store holds a commit.
func (s *schedule) committed() bool { return s.applied > 0 }
