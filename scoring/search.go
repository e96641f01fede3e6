package scoring

import "math"

// search returns a minute not before from such that no minute from there to just before it reaches enter; given enough
// effort, in points, the very first that does. 0: there is none.
func (k *Pack) search(p *Profile, from int64, enter float64, effort int) int64 {
	if from > k.lastMinute(p) {
		return 0
	}
	a := k.point(p, from)
	if a.score() >= enter-slack {
		return from
	}
	return k.searchBeyond(p, &a, enter, effort)
}

// searchBeyond is search from the minute after a, which does not reach enter.
func (k *Pack) searchBeyond(p *Profile, a *point, enter float64, effort int) int64 {
	s := search{need: enter - slack, seen: p.Last, last: k.lastMinute(p), a: *a}
	for ; effort > 0 && s.a.minute < s.last; effort-- {
		next := s.next()
		if next == s.a.minute {
			break
		}
		s.narrow(k.point(p, next))
	}
	if s.a.minute >= s.last {
		return 0
	}
	return s.a.minute + 1
}

// lastMinute is that beyond which nobody looks at p any more.
func (k *Pack) lastMinute(p *Profile) int64 {
	return p.Last/minuteMillis + int64(k.maxSilence)*minutesPerDay
}

// search is how far a search has come.
type search struct {
	need float64
	seen int64 // last activity, ms
	last int64 // minute beyond which nobody looks
	a    point // cleared, as is every minute before it
	b    point // if high, not cleared, seen from a; else the one cleared before a, if its minute is not 0
	high bool

	misses int // how many points in a row were not cleared
}

// next is the minute to look at, or a's own where none is left between a and b.
func (s *search) next() int64 {
	end := s.last
	if s.high {
		end = s.b.minute - 1
	}
	if s.a.minute == end {
		return end
	}
	silence := exp(min(s.a.lnSilence+s.ahead(), lnLongest))
	return min(max((s.seen+int64(float64(silence*dayMillis)))/minuteMillis, s.a.minute+1), end)
}

// ahead guesses, in units of lnSilence, how far beyond a the score is reached: where the parabola through a, with its
// slope, and through b has it, or while there is no b the straight line.
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
	if s.misses > 0 { // nearer and nearer, so that something is cleared at last
		d = float64(d * math.Ldexp(1.9, -s.misses))
	}
	return d
}

// narrow takes in a point between a and b, or beyond a while there is none that high.
func (s *search) narrow(c point) {
	switch {
	case s.a.bound(&c) >= s.need:
		s.b, s.high = c, true
		s.misses++
		return
	case s.high && c.bound(&s.b) < s.need: // what falls has fallen enough on the way
		s.a, s.b, s.high = s.b, c, false
	case s.high:
		s.a = c
	default:
		s.a, s.b = c, s.a
	}
	s.misses = 0
}
