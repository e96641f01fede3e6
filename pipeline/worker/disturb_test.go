package worker_test

import (
	"slices"
)

// disturbances in the order of schedule.weights.
func (s *schedule) disturbances() []func() bool {
	return []func() bool{s.lose, s.giveUp, s.dieNow, s.replace, s.revoke, s.pause, s.copy, s.rollBack, s.cut, s.expire}
}

// disturb causes one disturbance, if the drawn one is possible. Each trial prefers some kinds, so that rare
// combinations come up in some of them.
func (s *schedule) disturb() bool {
	all := s.disturbances()
	if s.weights == nil {
		for range all {
			s.weights = append(s.weights, []int{0, 1, 3, 8}[s.rng.IntN(4)])
		}
		s.weights[s.rng.IntN(len(all))] = 8
		// a replacement is always possible; if only impossible kinds had weight, a trial could wait for ever
		s.weights[3] = max(1, s.weights[3])
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

// any is one of the requests that a sender waits for; nil where there is none.
func (s *schedule) any(of func(*request) bool) *request {
	moves := s.moves(func(r *request) bool { return !r.alone && of(r) && !s.held(r, errLostOnTheWay) })
	if len(moves) == 0 {
		return nil
	}
	return moves[s.rng.IntN(len(moves))]
}

// lose loses a request or an answer.
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

// giveUp lets a request's sender give up while the request is still on its way.
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
	if s.loading(p) {
		s.mu.Lock()
		s.underWay = slices.DeleteFunc(s.underWay, func(r *request) bool { return r.from == p && !r.alone && s.opens(r) })
		s.mu.Unlock()
	}
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

// revoke revokes the present owner. What it does then, before another begins, may go wrong as well.
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

// copy takes a copy of the store, like a replica or a snapshot.
func (s *schedule) copy() bool {
	if !s.committed() { // a store from before its first commit leads to a hard stop, correctly
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
