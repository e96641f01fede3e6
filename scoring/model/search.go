package model

import (
	"math"

	"ebb/scoring/exact"
	"ebb/scoring/moment"
	"ebb/scoring/profile"
)

// Search returns the first minute not before from at which c's score is in a tier if no event comes, or one slightly
// before it; 0: there is none.
func (e *Evaluator) Search(c *profile.Customer, from int64, tier profile.Tier) int64 {
	return e.search(c, from, tier, fineEffort)
}

// search returns a minute not before from such that no minute from there to just before it has a score in tier. With
// enough effort, in points, it is the very first minute with such a score. 0: there is none.
//
// The needed sum changes in steps (need.go). If even the least of it is not reached up to some minute, the search skips
// all steps up to there; else it goes on within the step.
func (e *Evaluator) search(c *profile.Customer, from int64, tier profile.Tier, effort int) int64 {
	if from > e.model.lastMinute(c.Profile) {
		return 0
	}
	need, until := e.need(c, tier, from)
	a := e.model.point(c.Profile, from)
	if a.score() >= need-slack {
		return from
	}
	return e.searchSteps(c, a, tier, need, until, effort)
}

// searchSteps is search from the minute after a, which does not reach need, for the step up to until. The result nearly
// always is within the step. Where it is not, the search is at the next step's beginning, and skips steps from there.
func (e *Evaluator) searchSteps(
	c *profile.Customer,
	a point,
	tier profile.Tier,
	need float64,
	until int64,
	effort int,
) int64 {
	p, last := c.Profile, e.model.lastMinute(c.Profile)
	for ; until <= last && effort > 0; effort-- {
		next := e.model.searchBeyond(p, &a, need, until-1, effort)
		for leapt := next != 0; ; leapt = true {
			if next == 0 {
				next = until
			}
			if next >= until {
				need, until = e.need(c, tier, next)
			}
			if a = e.model.point(p, next); a.score() >= need-slack {
				return next
			}
			if leapt {
				break
			}
			if next = e.model.searchBeyond(p, &a, e.leastNeed(c, tier, a.minute, last), last, effort); next == 0 {
				return 0
			}
		}
	}
	return e.model.searchBeyond(p, &a, need, last, effort)
}

// searchBeyond searches the minutes after a, which does not reach enter, up to last.
func (m *Model) searchBeyond(p *profile.Profile, a *point, enter float64, last int64, effort int) int64 {
	s := search{need: enter - slack, seen: p.Last, last: last, a: *a}
	for ; effort > 0 && s.a.minute < s.last; effort-- {
		next := s.next()
		if next == s.a.minute {
			break
		}
		s.narrow(m.point(p, next))
	}
	if s.a.minute >= s.last {
		return 0
	}
	return s.a.minute + 1
}

// lastMinute is the last minute at which p is looked at.
func (m *Model) lastMinute(p *profile.Profile) int64 {
	return p.Last/moment.MinuteMillis + int64(m.maxSilence)*moment.MinutesPerDay
}

// search is how far a search has come.
type search struct {
	need float64
	seen int64 // last activity, ms
	last int64 // the last minute to look at
	a    point // cleared, like every minute before it
	b    point // if high: not cleared, computed from a; else the one cleared before a, if its minute is not 0
	high bool

	misses int // how many points in a row were not cleared
}

// next is the next minute to compute, or a's own where none is left between a and b.
func (s *search) next() int64 {
	end := s.last
	if s.high {
		end = s.b.minute - 1
	}
	if s.a.minute == end {
		return end
	}
	silence := exact.Exp(min(s.a.lnSilence+s.ahead(), lnLongest))
	return min(max((s.seen+int64(float64(silence*moment.DayMillis)))/moment.MinuteMillis, s.a.minute+1), end)
}

// ahead estimates, in units of lnSilence, how far after a the score is reached: by the parabola through a, with its
// slope, and through b, or without a b by the straight line.
func (s *search) ahead() float64 {
	gap, curve, most := s.need-s.a.score(), 0.0, 2.0
	if s.b.minute != 0 {
		width, there := s.b.lnSilence-s.a.lnSilence, s.b.score()
		if s.high {
			there, most = s.a.bound(&s.b), width
		}
		curve = (there - s.a.score() - float64(s.a.slope*width)) / float64(width*width)
	}
	d := float64(2*gap) / (s.a.slope + math.Sqrt(float64(s.a.slope*s.a.slope)+float64(4*curve*gap)))
	if !(d > 0 && d < most) {
		d = most / 2
	}
	if s.misses > 0 { // ever nearer, so that a minute is cleared at last
		d = float64(d * math.Ldexp(1.9, -s.misses))
	}
	return d
}

// narrow takes in a point between a and b, or one after a while no point is high.
func (s *search) narrow(c point) {
	switch {
	case s.a.bound(&c) >= s.need:
		s.b, s.high = c, true
		s.misses++
		return
	case s.high && c.bound(&s.b) < s.need: // the falling terms have fallen enough on the way
		s.a, s.b, s.high = s.b, c, false
	case s.high:
		s.a = c
	default:
		s.a, s.b = c, s.a
	}
	s.misses = 0
}
