package model

import (
	"math"

	"ebb/scoring/exact"
	"ebb/scoring/moment"
	"ebb/scoring/profile"
)

// A deadline is the first whole minute at which, without a further event, the score reaches the threshold of the
// customer's next transition. Of its terms, as time passes without events,
//
//   - base, rhythm and tenure stay;
//   - level rises, since the activity that it counts fades, and the silence outgrows more and more of the customer's
//     gaps; so does what a clockwork customer's silence adds by these;
//   - the odds that the silence lasts a horizon more first fall, and rise from there on. (They may do only one of them.)
//   - friction falls.
//
// About the odds: q(r) is the chance that a silence of r days lasts a horizon H more, and h(r) the rate at which it
// ends, so that ln q(r) = -integral of h from r to r+H, whose derivative is h(r) - h(r+H). The rate of a log-logistic
// law falls throughout, or rises to one peak and falls from there: with a regularity of at most 2.5, at 1.2 typical
// gaps or before. From the peak on the derivative is positive; while r+H lies before it, negative; in between h(r)
// rises and h(r+H) falls, so that the sign changes once, from minus to plus. On an interval the greatest value is
// therefore that of an end.
//
// The friction's term is convex in time. So over the minutes a to b, where what rises does so by a pace or faster, the
// score is at most
//
//	bound(a, b) = what rises(b) + max(odds(a), odds(b)) + max(friction(b), friction(a) - pace * time from a to b)
//
// which is b's own score where the odds rise and the friction does not fall faster than the rest rises. If it is below
// the threshold, no minute from a to b reaches that: b is cleared, and the search goes on between b and a later minute.
const (
	// slack covers the rounding errors of the bound: it is far larger than they are, and far smaller than the change
	// within a minute.
	slack = 1e-8

	// Points that are computed at most. Search nearly always ends by itself. For Rearm a minute somewhat too early costs
	// one more look.
	fineEffort   = 32
	coarseEffort = 4
)

// Rearm is the minute, not before from, at which to look at c next for its score to reach an aim; 0: none. It is cheap,
// since an event usually puts that off: it reckons with the least need of the whole time, and a minute armed before
// stays unless it may be too late. One before from does not: the customer would nearly always be looked at in vain.
func (e *Evaluator) Rearm(c *profile.Customer, from int64, aim Aim) int64 {
	p, last, armed := c.Profile, e.model.lastMinute(c.Profile), int64(0)
	if p.Armed > from {
		last, armed = p.Armed, p.Armed
	}
	if from > last {
		return 0
	}
	w, need := e.model.wait(p), e.leastNeed(c, aim, from, last)
	if armed != 0 {
		if a, b := w.begin(from), w.point(armed); w.bound(&a, &b) < need-slack {
			return armed
		}
	}
	a := w.point(from)
	if a.score() >= need-slack {
		return from
	}
	if next := w.search(&a, need, last, coarseEffort); next != 0 {
		return next
	}
	return armed
}

// Search returns a minute not before from such that the score reaches the aim at no minute from there to just before
// it, if no event comes: nearly always the very first minute with such a score. 0: there is none.
//
// The needed sum changes in steps (need.go). If even the least of it is not reached up to some minute, the search skips
// all steps up to there; else it goes on within the step.
func (e *Evaluator) Search(c *profile.Customer, from int64, aim Aim) int64 {
	last := e.model.lastMinute(c.Profile)
	if from > last {
		return 0
	}
	w := e.model.wait(c.Profile)
	need, until := e.need(c, aim, from)
	a := w.point(from)
	if a.score() >= need-slack {
		return from
	}
	effort := fineEffort
	for ; until <= last && effort > 0; effort-- {
		next := w.search(&a, need, until-1, effort)
		for skipped := next != 0; ; skipped = true {
			if next == 0 {
				next = until
			}
			if next >= until {
				need, until = e.need(c, aim, next)
			}
			if a = w.point(next); a.score() >= need-slack {
				return next
			}
			if skipped {
				break
			}
			if next = w.search(&a, e.leastNeed(c, aim, a.minute, last), last, effort); next == 0 {
				return 0
			}
		}
	}
	return w.search(&a, need, last, effort)
}

// lastMinute is the last minute at which p is looked at.
func (m *Model) lastMinute(p *profile.Profile) int64 {
	return p.Last/moment.MinuteMillis + int64(m.maxSilence)*moment.MinutesPerDay
}

// wait is a customer's silence, with what does not change in it.
type wait struct {
	m         *Model
	p         *profile.Profile
	fixed     float64 // the terms that stay, less the odds just after the last visit
	capped    float64 // regularity in the odds
	clockwork float64 // weight of what the silence outgrows
	weight    float64 // of the odds
}

func (m *Model) wait(p *profile.Profile) wait {
	w := wait{m: m, p: p, capped: min(p.K, maxRegularity), clockwork: float64(silenceWeight * clockwork(p.K))}
	w.weight = silenceWeight - w.clockwork
	w.fixed = baseTerm + float64((rhythmWeight-w.weight)*m.begun(p.M, p.K)) +
		TenureBy(tenureWeight, tenureOffset, span(p.Active()-p.First), m.horizon)
	return w
}

// point is a customer's score at a minute, and how it changes.
type point struct {
	minute                int64
	rises, odds, friction float64 // what the score is the sum of; rises: with the terms that stay

	silence, lnSilence float64 // days, and ln of them
	slope              float64 // by how much the score rises, in log-odds per unit of lnSilence
	hazard             float64 // by how much more of the customer's gaps the silence outgrows, a day
	fading             float64 // by how much the level's term rises as ln of the level falls
}

// score is the sum of the terms.
func (a *point) score() float64 { return a.rises + a.odds + a.friction }

// bound is never below the score at any minute from a to b. Hazard rises to a peak and falls, and fading falls, so that
// what rises does so by the pace or faster.
func (w *wait) bound(a, b *point) float64 {
	pace := w.pace(b.fading, min(a.hazard, b.hazard))
	return b.rises + max(a.odds, b.odds) + max(b.friction, a.friction-float64(pace*(b.silence-a.silence)))
}

// pace is by how much what rises does so, a day.
func (w *wait) pace(fading, hazard float64) float64 {
	return fading/w.m.levelFade + float64((float64(outgrownFade*fading)+w.clockwork)*hazard)
}

func (w *wait) point(minute int64) point {
	m, p, at := w.m, w.p, minute*moment.MinuteMillis
	r := m.silence(p, at)
	a := point{minute: minute, silence: r, lnSilence: exact.Log(r)}
	from := exact.Exp(float64(w.capped * (a.lnSilence - p.M)))
	to := exact.Exp(float64(w.capped * (exact.Log(r+m.horizon) - p.M)))
	own := from
	if p.K > w.capped {
		own = exact.Exp(float64(p.K * (a.lnSilence - p.M)))
	}
	outgrown := exact.Log(1 + own)
	left := float64(p.Level * exact.Exp(-span(at-p.At)/m.levelFade-float64(outgrownFade*outgrown)))
	a.odds = float64(w.weight * logitOf(from, to))
	a.rises = w.fixed + float64(w.clockwork*outgrown) - float64(levelWeight*exact.Log(left+levelFloor))
	ending := float64(w.capped*from)/(1+from) - float64(w.capped*to*r)/float64((1+to)*(r+m.horizon))
	a.fading, a.hazard = left/(left+levelFloor), float64(p.K*own)/float64((1+own)*r)
	a.slope = float64(w.pace(a.fading, a.hazard)*r) +
		float64(w.weight*ending*(1+to))/max(to-from, float64(to*0x1p-52))
	if p.Friction > 0 {
		friction := float64(p.Friction * exact.Exp(-span(at-p.At)/m.horizon))
		a.friction = float64(frictionWeight * exact.Log(1+friction))
		a.slope -= float64(frictionWeight*friction*r) / float64((1+friction)*m.horizon)
	}
	return a
}

// begin is as much of a point as bound reads of the first, where the odds may still fall.
func (w *wait) begin(minute int64) point {
	at := minute * moment.MinuteMillis
	a := point{silence: w.m.silence(w.p, at), odds: math.Inf(-1)}
	if !w.rising() {
		a.odds = float64(w.weight * LogitSilent(w.p.M, w.capped, a.silence, w.m.horizon))
	}
	a.friction = FrictionBy(frictionWeight, w.p.Friction, span(at-w.p.At), w.m.horizon)
	return a
}

// rising reports whether the odds only rise. They do so for an overdue customer whose median gap e^m is at most a
// horizon: at r = e^m the rate h(r) is half the regularity over r, and h(r+H) is less than the regularity over r+H,
// which is at least 2r.
func (w *wait) rising() bool {
	return w.p.M <= w.m.lnHorizon && w.m.overdueLogOdds >= 0 && w.p.Lapse.Tier == profile.TierNone
}
