package model

import (
	"math"

	"ebb/scoring/exact"
	"ebb/scoring/moment"
)

// search is how far a search has come: no minute up to a reaches need.
type search struct {
	wait *wait
	need float64
	last int64 // the last minute to look at
	a    point // cleared, like every minute before it
	b    point // if high: not cleared
	high bool

	width int64 // minutes from a to b before the newest point
	slow  int   // points in a row that have hardly made that less
}

// search looks for the first minute after a, which does not reach need, up to last, that does: the very minute with
// enough effort, in points, else one before it. 0: there is none.
func (w *wait) search(a *point, need float64, last int64, effort int) int64 {
	s := search{wait: w, need: need - slack, last: last, a: *a, width: math.MaxInt64}
	for s.a.minute < s.last {
		switch {
		case s.high && s.b.minute == s.a.minute+1 && s.b.score() >= s.need:
			return s.b.minute
		case s.high && s.b.minute == s.a.minute+1: // the friction fell between the two
			s.a, s.high = s.b, false
		case effort == 0:
			return s.a.minute + 1
		default:
			effort--
			s.narrow(w.point(s.next()))
		}
	}
	return 0
}

// narrow takes in a point between a and b, or one after a while no point is high.
func (s *search) narrow(c point) {
	switch {
	case bound(&s.a, &c) >= s.need:
		s.b, s.high = c, true
	case s.high && bound(&c, &s.b) < s.need: // the friction has fallen enough on the way
		s.a, s.high = s.b, false
	default:
		s.a = c
	}
	before := s.width
	s.width = math.MaxInt64
	if s.high {
		s.width = s.b.minute - s.a.minute
	}
	if s.width > before/2 {
		s.slow++
	} else {
		s.slow = 0
	}
}

// next is the next minute to compute, after a and before b: by the slope of whichever is nearer to what is needed, and
// a little farther, so that both ends close in. Where that leads out of the interval or has just been slow, it is
// halfway between them.
func (s *search) next() int64 {
	from, low, high, end := &s.a, s.a.lnSilence, s.a.lnSilence+2, s.last
	if s.high {
		high, end = s.b.lnSilence, s.b.minute-1
		if math.Abs(s.need-s.b.score()) < math.Abs(s.need-s.a.score()) {
			from = &s.b
		}
	}
	ln := from.lnSilence + float64(farther*(s.need-from.score()))/from.slope
	if s.slow > 1 && s.high || !(low < ln && ln < high) {
		ln = float64((low + high) * 0.5)
	}
	silence := exact.Exp(min(ln, lnLongest))
	minute := (s.wait.p.Last + int64(float64(silence*moment.DayMillis))) / moment.MinuteMillis
	return min(max(minute, s.a.minute+1), end)
}

const (
	farther   = 1.01 // steps by the slope, so that they end beyond the minute
	lnLongest = 9.6  // over ln of the longest maxSilence
)
