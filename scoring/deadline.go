package scoring

import "math"

// A deadline is the first whole minute at which, with no further event, the score reaches what the customer's next
// transition asks for. The score is no monotone function of time, so the search rests on a bound. Of its terms, as time
// passes and nothing happens,
//
//   - level rises, for the level fades;
//   - tenure and friction fall;
//   - rhythm + silence, half the log-odds that the silence lasts a horizon more, first falls and then rises. (It may do
//     only one of them.) Its derivative has the sign of h(r) - h(r+H), where h is the rate at which a silence of r days
//     ends, since ln q(r) = -integral of h from r to r+H. The rate of a log-logistic law falls throughout, or rises to one
//     peak and falls from there. Where it falls all the way from r to r+H, the sign is plus; where it rises all the way,
//     minus; and while the peak lies between, h(r) rises and h(r+H) falls, so the sign changes once, from minus to plus.
//     On an interval its greatest value is therefore that of an end.
//
// So over the minutes a to b the score is at most
//
//	bound(a, b) = base + tenure(a) + friction(a) + max(silence(a), silence(b)) + level(b).
//
// It is sharper still where level rises faster than tenure falls, all the way from a to b: then both are at most what they
// are at b. Level rises most slowly at b, tenure falls fastest at a, so those two rates decide.
//
// Where that is below the threshold, no minute from a to b reaches it: b is cleared, and the search goes on from there.
// For a fixed a the bound does not fall as b grows, and it meets the score as a and b meet. So the farthest minute that
// can be cleared is found by interpolation, and what is found is exact to the minute.
const (
	// slack covers what rounding adds to the bound or takes from it: far more than it does, far less than a minute does.
	slack = 1e-8

	lnMaxSilence = 8.3 // over ln(maxSilence)

	fineEffort   = 7 // points that Wake looks at: nearly always enough for the very minute
	coarseEffort = 4 // points that Observe looks at: a minute somewhat too early costs one more look
)

// watch tells what p is waiting for: the score to reach enter, at a minute not before from. False: for nothing.
func (k *Pack) watch(p *Profile) (enter float64, from int64, ok bool) {
	if p.Visits == 0 {
		return 0, 0, false
	}
	from = ceilMinute(p.At)
	switch p.Episode.Tier {
	case TierNone:
		return k.enterAtRisk, max(from, k.overdueMinute(p)), true
	case AtRisk:
		return k.enterCritical, max(from, p.Episode.Since), true
	}
	return 0, 0, false
}

// rearm makes p.Armed hold again after an event, at little cost. An event usually puts the next transition off; then the
// minute armed stands, to be moved on when it is due.
func (k *Pack) rearm(p *Profile) {
	enter, from, ok := k.watch(p)
	if !ok {
		p.Armed = 0
		return
	}
	if p.Armed == 0 {
		p.Armed = k.search(p, from, enter, coarseEffort)
		return
	}
	if p.Armed <= from {
		return
	}
	a, b := k.begin(p, from), k.point(p, p.Armed)
	if a.bound(&b) >= enter-slack {
		p.Armed = min(p.Armed, k.search(p, from, enter, coarseEffort))
	}
}

// point is what the bound needs to know of one minute.
type point struct {
	minute                           int64
	lnSilence                        float64 // ln of the days of silence
	silence, level, tenure, friction float64 // terms; silence with base and rhythm
	spells                           float64 // faded level
	age                              float64 // tenure with its offset, days
	hurdle                           float64 // see bound
}

func (k *Pack) point(p *Profile, minute int64) point {
	a := k.falling(p, minute)
	at := minute * minuteMillis
	r := k.silence(p, at)
	a.lnSilence = log(r)
	a.silence = baseTerm + float64(rhythmWeight*logitLasts(p.M, p.K, a.lnSilence, log(r+k.horizon)))
	a.spells = float64(p.Level * exp(-span(at-p.At)/k.levelFade))
	a.level = float64(-levelWeight * log(a.spells+levelFloor))
	a.hurdle = float64((a.spells + levelFloor) * k.hurdle)
	return a
}

// begin is the point where an interval begins, without what only its end is asked for. Silence is asked for where it may
// still fall, which it does not for an overdue customer whose median gap e^m is at most a horizon: at r = e^m the rate h(r)
// is half the regularity over r, and h(r+H) is less than the regularity over r+H, which is at least 2r.
func (k *Pack) begin(p *Profile, minute int64) point {
	a := k.falling(p, minute)
	a.silence = math.Inf(-1)
	if p.M > k.lnHorizon || k.overdueLogOdds < 0 || p.Episode.Tier != TierNone {
		a.silence = baseTerm + float64(rhythmWeight*k.logitSilent(p.M, p.K, k.silence(p, minute*minuteMillis)))
	}
	return a
}

func (k *Pack) falling(p *Profile, minute int64) point {
	at := minute * minuteMillis
	tenure := span(at - p.First)
	return point{
		minute:   minute,
		tenure:   tenureTerm(tenure, k.horizon),
		age:      tenure + float64(tenureOffset*k.horizon),
		friction: frictionTerm(p.Friction, span(at-p.At), k.horizon),
	}
}

// score is the sum of the terms.
func (a *point) score() float64 { return a.silence + a.level + a.tenure + a.friction }

// bound is never below the score at any minute from a to b.
func (a *point) bound(b *point) float64 {
	tenure := a.tenure
	if float64(b.spells*a.age) >= b.hurdle {
		tenure = b.tenure
	}
	return max(a.silence, b.silence) + b.level + tenure + a.friction
}

// search returns a minute not before from such that no minute from there to just before it reaches enter; given enough
// effort, in points, the very first that does. 0: there is none.
func (k *Pack) search(p *Profile, from int64, enter float64, effort int) int64 {
	last := p.Last/minuteMillis + maxSilence*minutesPerDay
	if from > last {
		return 0
	}
	s := bracket{need: enter - slack, seen: p.Last, last: last, a: k.point(p, from)}
	if s.a.score() >= s.need {
		return from
	}
	s.guess = s.a.lnSilence + 1
	for ; effort > 0; effort-- {
		if s.a.minute == last {
			return 0
		}
		next := s.next()
		if next == s.a.minute {
			break
		}
		s.narrow(k.point(p, next))
	}
	return s.a.minute + 1
}

// bracket is how far a search has come.
type bracket struct {
	need   float64
	seen   int64   // last activity, ms
	last   int64   // minute beyond which nobody looks
	a      point   // cleared, as is every minute before it
	b      point   // not cleared, seen from a; its minute is 0 while there is no such point
	guess  float64 // ln of the days of silence to look at while there is none
	streak int     // how many times in a row a (positive) or b (negative) was moved
}

// next is the minute to look at, or a's own where nothing is left between a and b.
func (s *bracket) next() int64 {
	if s.b.minute == 0 {
		return min(max(s.minute(s.guess), s.a.minute+1), s.last)
	}
	if s.b.minute == s.a.minute+1 {
		return s.a.minute
	}
	// Interpolate over ln(silence), in which the score is nearly a straight line; where one end stays, lessen its weight
	// so that it is overtaken (the Illinois rule).
	below, above := s.need-s.a.score(), s.a.bound(&s.b)-s.need
	if s.streak > 1 {
		above = math.Ldexp(above, 1-s.streak)
	} else if s.streak < -1 {
		below = math.Ldexp(below, 1+s.streak)
	}
	guess := s.a.lnSilence + float64((s.b.lnSilence-s.a.lnSilence)*(below/(below+above)))
	return min(max(s.minute(guess), s.a.minute+1), s.b.minute-1)
}

// minute is that at which the silence has lasted e^lnSilence days.
func (s *bracket) minute(lnSilence float64) int64 {
	return (s.seen + int64(float64(exp(min(lnSilence, lnMaxSilence))*dayMillis))) / minuteMillis
}

// narrow takes in a point between a and b, or beyond a while there is no b.
func (s *bracket) narrow(c point) {
	if s.a.bound(&c) >= s.need {
		s.b, s.streak = c, min(s.streak, 0)-1
		return
	}
	s.advance(c)
	if s.b.minute != 0 && s.a.bound(&s.b) < s.need { // what falls has fallen enough on the way
		s.advance(s.b)
		s.b, s.streak = point{}, 0
	}
}

// advance moves a to c, and guesses by the line through both where the score will be there.
func (s *bracket) advance(c point) {
	width, gain, gap := c.lnSilence-s.a.lnSilence, c.score()-s.a.score(), s.need-c.score()
	if gain > 0 {
		width = min(float64(width*(1.05*gap/gain)), 2)
	}
	s.guess = c.lnSilence + width
	s.a, s.streak = c, max(s.streak, 0)+1
}
