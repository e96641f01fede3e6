package model

import (
	"math"

	"ebb/scoring/exact"
	"ebb/scoring/moment"
	"ebb/scoring/profile"
)

// A deadline is the first whole minute at which, without a further event, the score reaches the threshold of the
// customer's next transition. The score is no monotone function of time, so the search uses a bound. Of its terms, as
// time passes without events,
//
//   - level rises, since the activity that it counts fades, and ever more slowly;
//   - tenure and friction fall, and ever more slowly;
//   - silence with rhythm, half the log-odds of q, first falls and then rises. (It may do only one of them.)
//
// About the last: q(r) is the chance that a silence of r days lasts a horizon H more, and h(r) the rate at which it
// ends, so that ln q(r) = -integral of h from r to r+H, whose derivative is h(r) - h(r+H). The rate of a log-logistic
// law falls throughout, or rises to one peak and falls from there. Where it falls all the way from r to r+H, the
// derivative is positive; where it rises all the way, negative; and while the peak lies between, h(r) rises and h(r+H)
// falls, so that the sign changes once, from minus to plus. On an interval the greatest value is therefore that of an
// end.
//
// So over the minutes a to b the score is at most
//
//	bound(a, b) = base + tenure(a) + friction(a) + max(silence(a), silence(b)) + level(b)
//
// and it is at most b's own score, apart from silence(a), where what rises does so faster than tenure and friction
// fall: at its slowest, which is level's pace at b, and silence's where h falls from a on, of at least half of (h(b)
// - h(a+H)) / (1 - q(a)), since half the log-odds of q has the derivative (h(r) - h(r+H)) / 2(1 - q(r)).
//
// If the bound is below the threshold, no minute from a to b reaches it: b is cleared, and the search goes on from
// there. For a fixed a the bound does not fall as b grows, and it meets the score where a and b meet. So interpolation
// finds the farthest minute that can be cleared, and the result is exact to the minute.
const (
	// slack covers the rounding errors of the bound: it is far larger than they are, and far smaller than the change
	// within a minute.
	slack = 1e-8

	lnLongest = 9.6 // over ln of the longest maxSilence

	// Chosen on BenchmarkLoad, a million events of 100,000 customers: 0.17 looks, 0.28 deadlines stored and 2.2 points per
	// event with a horizon of 90 days. With fewer points there are more looks, each of which costs about as much as an
	// event.
	fineEffort   = 6 // points that Search computes: nearly always enough for the very minute
	coarseEffort = 4 // points that Rearm computes: a minute somewhat too early costs one more look
)

// Rearm is the minute, not before from, at which to look at c next for its score to reach a tier. It is cheap, since an
// event usually puts that off: then the minute armed before stays, and is moved when it is due. 0: none.
func (e *Evaluator) Rearm(c *profile.Customer, from int64, tier profile.Tier) int64 {
	p := c.Profile
	switch {
	case p.Armed == 0:
		return e.search(c, from, tier, coarseEffort)
	case p.Armed <= from:
		return p.Armed
	}
	a, b := e.model.begin(p, from), e.model.point(p, p.Armed)
	if a.bound(&b) >= e.leastNeed(c, tier, from, p.Armed)-slack {
		return min(p.Armed, e.search(c, from, tier, coarseEffort))
	}
	return p.Armed
}

// point is what the bound needs at one minute, and what the search uses. Paces are in log-odds a day.
type point struct {
	minute                           int64
	silence, level, tenure, friction float64 // terms; silence with base and rhythm

	levelPace float64 // at which level rises
	fallPace  float64 // at which tenure and friction fall
	rate      float64 // at which a silence ends, per day
	rateAhead float64 // that a horizon later
	perEnd    float64 // half of 1 / (1 - q); 0 where the rate may still rise, or the silence counts as MinSilence

	lnSilence float64 // ln of the days of silence
	slope     float64 // by how much the score rises, in log-odds per unit of lnSilence
}

func (m *Model) point(p *profile.Profile, minute int64) point {
	a := m.falling(p, minute)
	at := minute * moment.MinuteMillis
	r := m.silence(p, at)
	a.lnSilence = exact.Log(r)
	from := exact.Exp(float64(p.K * (a.lnSilence - p.M)))
	to := exact.Exp(float64(p.K * (exact.Log(r+m.horizon) - p.M)))
	a.silence = baseTerm + float64(rhythmWeight*logitOf(from, to))
	a.rate = float64(p.K * from / float64(r*(1+from)))
	a.rateAhead = float64(p.K * to / float64((r+m.horizon)*(1+to)))
	perEnd := float64(rhythmWeight * (1 + to) / (to - from))
	if from >= p.K-1 && r > MinSilence {
		a.perEnd = perEnd
	}
	level := float64(p.Level * exact.Exp(-span(at-p.At)/m.levelFade))
	a.level = float64(-levelWeight * exact.Log(level+levelFloor))
	a.levelPace = float64(levelWeight*level) / float64((level+levelFloor)*m.levelFade)
	a.slope = float64(r * (float64(perEnd*(a.rate-a.rateAhead)) + a.levelPace - a.fallPace))
	return a
}

// begin is the point where an interval begins, without the values that are needed at its end only. Silence is included
// where it may still fall. It does not fall for an overdue customer whose median gap e^m is at most a horizon: at r =
// e^m the rate h(r) is half the regularity over r, and h(r+H) is less than the regularity over r+H, which is at least
// 2r.
func (m *Model) begin(p *profile.Profile, minute int64) point {
	a := m.falling(p, minute)
	a.silence = math.Inf(-1)
	if p.M > m.lnHorizon || m.overdueLogOdds < 0 || p.Lapse.Tier != profile.TierNone {
		a.silence = baseTerm + float64(rhythmWeight*m.logitSilent(p.M, p.K, m.silence(p, minute*moment.MinuteMillis)))
	}
	return a
}

func (m *Model) falling(p *profile.Profile, minute int64) point {
	at := minute * moment.MinuteMillis
	tenure := span(at - p.First)
	a := point{
		minute:   minute,
		tenure:   tenureTerm(tenure, m.horizon),
		fallPace: tenureWeight / (tenure + float64(tenureOffset*m.horizon)),
	}
	if p.Friction > 0 {
		friction := float64(p.Friction * exact.Exp(-span(at-p.At)/m.horizon))
		a.friction = float64(frictionWeight * exact.Log(1+friction))
		a.fallPace += float64(frictionWeight*friction) / float64((1+friction)*m.horizon)
	}
	return a
}

// score is the sum of the terms.
func (a *point) score() float64 { return a.silence + a.level + a.tenure + a.friction }

// bound is never below the score at any minute from a to b.
func (a *point) bound(b *point) float64 {
	pace := b.levelPace
	if b.rate > a.rateAhead {
		pace += float64(a.perEnd * (b.rate - a.rateAhead))
	}
	most := max(a.silence, b.silence) + b.level
	if pace >= a.fallPace {
		return most + b.tenure + b.friction
	}
	return most + a.tenure + a.friction
}
