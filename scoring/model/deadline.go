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
// So over the minutes a to b the score is at most
//
//	bound(a, b) = what rises(b) + max(odds(a), odds(b)) + friction(a)
//
// which is b's own score where there is no friction and the odds rise. If it is below the threshold, no minute from a to
// b reaches that: b is cleared, and the search goes on between b and a later minute. The result is exact to the minute.
const (
	// slack covers the rounding errors of the bound: it is far larger than they are, and far smaller than the change
	// within a minute.
	slack = 1e-8

	// Points that are computed at most. Search nearly always ends by itself, at the very minute; friction that falls as
	// fast as the rest rises may take more. For Rearm a minute somewhat too early costs one more look.
	fineEffort   = 32
	coarseEffort = 6
)

// Search returns the first minute not before from at which c's score reaches an aim if no event comes, or one before it;
// 0: there is none.
func (e *Evaluator) Search(c *profile.Customer, from int64, aim Aim) int64 {
	return e.search(c, from, aim, fineEffort)
}

// Rearm is the minute, not before from, at which to look at c next for its score to reach an aim. It is cheap, since an
// event usually puts that off: then the minute armed before stays, and is moved when it is due. 0: none.
func (e *Evaluator) Rearm(c *profile.Customer, from int64, aim Aim) int64 {
	p := c.Profile
	switch {
	case p.Armed == 0:
		return e.search(c, from, aim, coarseEffort)
	case p.Armed <= from:
		return p.Armed
	}
	w := e.model.wait(p)
	a, b := point{friction: w.friction(from), odds: w.oddsFrom(from)}, w.point(p.Armed)
	if bound(&a, &b) >= e.leastNeed(c, aim, from, p.Armed)-slack {
		return min(p.Armed, e.search(c, from, aim, coarseEffort))
	}
	return p.Armed
}

// search returns a minute not before from such that no minute from there to just before it has a score that reaches the
// aim. With enough effort, in points, it is the very first minute with such a score. 0: there is none.
//
// The needed sum changes in steps (need.go). If even the least of it is not reached up to some minute, the search skips
// all steps up to there; else it goes on within the step.
func (e *Evaluator) search(c *profile.Customer, from int64, aim Aim, effort int) int64 {
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
	clockwork float64
	weight    float64 // of the odds
}

func (m *Model) wait(p *profile.Profile) wait {
	w := wait{m: m, p: p, capped: min(p.K, maxRegularity), clockwork: clockwork(p.K)}
	w.weight = float64(silenceWeight * (1 - w.clockwork))
	w.fixed = baseTerm + float64((rhythmWeight-w.weight)*m.begun(p.M, p.K)) +
		TenureBy(tenureWeight, tenureOffset, span(p.Last-p.First), m.horizon)
	return w
}

// point is a customer's score at a minute, and how it changes.
type point struct {
	minute                int64
	rises, odds, friction float64 // what the score is the sum of; rises: with the terms that stay

	lnSilence float64 // ln of the days of silence
	slope     float64 // by how much the score rises, in log-odds per unit of lnSilence
}

// score is the sum of the terms.
func (a *point) score() float64 { return a.rises + a.odds + a.friction }

// bound is never below the score at any minute from a to b.
func bound(a, b *point) float64 { return b.rises + max(a.odds, b.odds) + a.friction }

func (w *wait) point(minute int64) point {
	m, p, at := w.m, w.p, minute*moment.MinuteMillis
	r := m.silence(p, at)
	a := point{minute: minute, lnSilence: exact.Log(r)}
	from := exact.Exp(float64(w.capped * (a.lnSilence - p.M)))
	to := exact.Exp(float64(w.capped * (exact.Log(r+m.horizon) - p.M)))
	own := from
	if p.K > w.capped {
		own = exact.Exp(float64(p.K * (a.lnSilence - p.M)))
	}
	outgrown, pace := exact.Log(1+own), float64(p.K*own)/(1+own)
	left := float64(p.Level * exact.Exp(-span(at-p.At)/m.levelFade-float64(outgrownFade*outgrown)))
	clockwork := float64(silenceWeight * w.clockwork)
	a.odds = float64(w.weight * logitOf(from, to))
	a.rises = w.fixed + float64(clockwork*outgrown) - float64(levelWeight*exact.Log(left+levelFloor))
	ending := float64(w.capped*from)/(1+from) - float64(w.capped*to*r)/float64((1+to)*(r+m.horizon))
	a.slope = float64(clockwork*pace) + float64(left*(r/m.levelFade+float64(outgrownFade*pace)))/(left+levelFloor) +
		float64(w.weight*ending*(1+to))/max(to-from, float64(to*0x1p-52))
	if p.Friction > 0 {
		friction := float64(p.Friction * exact.Exp(-span(at-p.At)/m.horizon))
		a.friction = float64(frictionWeight * exact.Log(1+friction))
		a.slope -= float64(frictionWeight*friction*r) / float64((1+friction)*m.horizon)
	}
	return a
}

// friction is the term at a minute.
func (w *wait) friction(minute int64) float64 {
	return FrictionBy(frictionWeight, w.p.Friction, span(minute*moment.MinuteMillis-w.p.At), w.m.horizon)
}

// oddsFrom are the odds at a minute where they may still fall. They do not fall for an overdue customer whose median gap
// e^m is at most a horizon: at r = e^m the rate h(r) is half the regularity over r, and h(r+H) is less than the
// regularity over r+H, which is at least 2r.
func (w *wait) oddsFrom(minute int64) float64 {
	m, p := w.m, w.p
	if p.M <= m.lnHorizon && m.overdueLogOdds >= 0 && p.Lapse.Tier == profile.TierNone {
		return math.Inf(-1)
	}
	return float64(w.weight * LogitSilent(p.M, w.capped, m.silence(p, minute*moment.MinuteMillis), m.horizon))
}
