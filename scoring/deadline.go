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
// Where that is below the threshold, no minute from a to b reaches it: b is cleared, and the search goes on from there.
// For a fixed a the bound does not fall as b grows, and it meets the score as a and b meet. So the farthest minute that
// can be cleared is found by interpolation, and what is found is exact to the minute.
const (
	// slack covers what rounding adds to the bound or takes from it: far more than it does, far less than a minute does.
	slack = 1e-8

	fineEffort   = 40 // points that Wake looks at to find the very minute
	coarseEffort = 3  // points that Observe looks at: a lower bound will do
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
	a, b := k.point(p, from), k.point(p, p.Armed)
	if a.bound(&b) < enter-slack {
		return
	}
	p.Armed = min(p.Armed, k.search(p, from, enter, coarseEffort))
}

// point is what the bound needs to know of one minute.
type point struct {
	minute  int64
	falling float64 // base, tenure and friction
	silence float64 // rhythm and silence
	rising  float64 // level
}

func (k *Pack) point(p *Profile, minute int64) point {
	at := minute * minuteMillis
	idle := span(at - p.At)
	return point{
		minute:  minute,
		falling: baseTerm + tenureTerm(span(at-p.First), k.horizon) + frictionTerm(p.Friction, idle, k.horizon),
		silence: float64(rhythmWeight * k.logitSilent(p.M, p.K, k.silence(p, at))),
		rising:  levelTerm(p.Level, idle, k.levelFade),
	}
}

// bound is never below the score at any minute from a to b.
func (a *point) bound(b *point) float64 { return a.falling + max(a.silence, b.silence) + b.rising }

// search returns a minute not before from such that no minute from there to just before it reaches enter; given enough
// effort, in points, the very first that does. 0: there is none.
func (k *Pack) search(p *Profile, from int64, enter float64, effort int) int64 {
	lastSeen := p.Last / minuteMillis
	last := lastSeen + maxSilence*minutesPerDay
	if from > last {
		return 0
	}
	s := bracket{need: enter - slack, a: k.point(p, from), step: max(from-lastSeen, 60)}
	if s.a.bound(&s.a) >= s.need {
		return from
	}
	for ; effort > 0; effort-- {
		if s.a.minute == last {
			return 0
		}
		next := s.next()
		if next == s.a.minute {
			break
		}
		s.narrow(k.point(p, min(next, last)))
	}
	return s.a.minute + 1
}

// bracket is how far a search has come.
type bracket struct {
	need   float64
	a      point // cleared, as is every minute before it
	b      point // not cleared, seen from a; its minute is 0 while there is no such point
	step   int64 // minutes to go ahead while there is none
	streak int   // how many times in a row a (positive) or b (negative) was moved
}

// next is the minute to look at, or a's own where nothing is left between a and b.
func (s *bracket) next() int64 {
	width := s.b.minute - s.a.minute
	switch {
	case s.b.minute == 0:
		return s.a.minute + s.step
	case width == 1:
		return s.a.minute
	}
	// Interpolate; where one end stays, lessen its weight so that it is overtaken (the Illinois rule).
	below, above := s.need-s.a.bound(&s.a), s.a.bound(&s.b)-s.need
	if s.streak > 1 {
		above = math.Ldexp(above, 1-s.streak)
	} else if s.streak < -1 {
		below = math.Ldexp(below, 1+s.streak)
	}
	ahead := int64(float64(float64(width) * (below / (below + above))))
	return s.a.minute + min(max(ahead, 1), width-1)
}

// narrow takes in a point between a and b, or beyond a while there is no b.
func (s *bracket) narrow(c point) {
	if s.a.bound(&c) >= s.need {
		s.b, s.streak = c, min(s.streak, 0)-1
		return
	}
	s.step = max(2*(c.minute-s.a.minute), 1)
	s.a, s.streak = c, max(s.streak, 0)+1
	if s.b.minute != 0 && s.a.bound(&s.b) < s.need { // tenure and friction have fallen enough on the way
		s.step = max(s.b.minute-s.a.minute, 1)
		s.a, s.b, s.streak = s.b, point{}, 0
	}
}
