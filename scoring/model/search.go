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
	b    point // if high: not cleared; else another cleared one
	high bool
}

// search looks for the first minute after a, which does not reach need, up to last, that does: with enough effort, in
// points, nearly always the very minute, else one before it. 0: there is none.
func (w *wait) search(a *point, need float64, last int64, effort int) int64 {
	s := search{wait: w, need: need - slack, last: last, a: *a, b: *a}
	for ; s.a.minute < s.last; effort-- {
		next := s.next(effort%halving == 0)
		if next == s.a.minute || effort == 0 {
			return s.a.minute + 1
		}
		s.narrow(w.point(next))
	}
	return 0
}

// narrow takes in a point between a and b, or one after a while no point is high.
func (s *search) narrow(c point) {
	switch {
	case s.wait.bound(&s.a, &c) >= s.need:
		s.b, s.high = c, true
	case s.high && s.wait.bound(&c, &s.b) < s.need: // the friction has fallen enough on the way
		s.a, s.high = s.b, false
	default:
		if !s.high {
			s.b = s.a
		}
		s.a = c
	}
}

// next is the last minute before the one that probably reaches what is needed, by the slope of whichever end is nearer
// to that and how the slope changes to the other. It is a itself where that is the minute after a. Where the way leads
// out of the interval, or to halve is due, it is halfway.
func (s *search) next(halve bool) int64 {
	from, other, low, high, end := &s.a, &s.b, s.a.lnSilence, s.a.lnSilence+2, s.last
	if s.high {
		high, end = s.b.lnSilence, s.b.minute-1
		if math.Abs(s.need-s.b.score()) < math.Abs(s.need-s.a.score()) {
			from, other = other, from
		}
	}
	ahead := (s.need - from.score()) / from.slope
	if width := other.lnSilence - from.lnSilence; width != 0 {
		ahead /= 1 + float64(ahead*(other.slope-from.slope))/float64(2*from.slope*width)
	}
	ln := from.lnSilence + ahead
	if halve && s.high || !(low < ln && ln < high) {
		ln = float64((low + high) * 0.5)
	}
	silence := exact.Exp(min(ln, lnLongest))
	minute := (s.wait.p.Last + int64(float64(silence*moment.DayMillis))) / moment.MinuteMillis
	return min(max(minute, s.a.minute), end)
}

const (
	halving   = 8   // after so many points of a long search
	lnLongest = 9.6 // over ln of the longest maxSilence
)
