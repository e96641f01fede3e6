package model

import (
	"ebb/scoring/moment"
	"ebb/scoring/profile"
)

// Bound is the bound of the score from minute a to minute b.
func (m *Model) Bound(p *profile.Profile, a, b int64) float64 {
	w := m.wait(p)
	from, to := w.point(a), w.point(b)
	return w.bound(&from, &to)
}

// BoundFrom is Bound as it is computed after an event, for an a at which p is overdue.
func (m *Model) BoundFrom(p *profile.Profile, a, b int64) float64 {
	w := m.wait(p)
	from, to := w.begin(a), w.point(b)
	return w.bound(&from, &to)
}

// PointAt is the score at a minute as the search computes it, and how fast it rises with ln of the silence.
func (m *Model) PointAt(p *profile.Profile, minute int64) (score, slope float64) {
	w := m.wait(p)
	a := w.point(minute)
	return a.score(), a.slope
}

// Add notes a probe of this score that has resolved, of a customer whose class is not known.
func (c *Calibration) Add(score float64, silent bool) { c.add(uint8(scoreCell(score)), 0, silent) }

// AddOf notes a probe of this score that has resolved, of a customer of a class.
func (c *Calibration) AddOf(class profile.Class, score float64, silent bool) {
	c.add(uint8(scoreCell(score)), 1+uint8(class), silent)
}

// ScoreCell is the cell of a score.
func ScoreCell(score float64) int { return scoreCell(score) }

// Need is the sum that the terms of c have to reach for a tier from a minute to just before until.
func (e *Evaluator) Need(c *profile.Customer, aim Aim, minute int64) (need float64, until int64) {
	return e.need(c, aim, minute)
}

// NeedAt is Need of one minute, computed from the score there.
func (e *Evaluator) NeedAt(c *profile.Customer, aim Aim, minute int64) float64 {
	score := e.Score(c, minute*moment.MinuteMillis)
	tier := e.model.tierOf(c.Profile, aim, score.Value(e.model.Raise.Feature))
	return e.model.Stages.Tiers[score.Stage].enter(tier) - score.Factors
}

// LeastNeed is a lower bound of Need from one minute to another.
func (e *Evaluator) LeastNeed(c *profile.Customer, aim Aim, from, to int64) float64 {
	return e.leastNeed(c, aim, from, to)
}
