package model

import (
	"ebb/scoring/moment"
	"ebb/scoring/profile"
)

// LogitSilent is the log-odds that a silence of r days lasts a horizon more.
func (m *Model) LogitSilent(lnTypical, regularity, r float64) float64 {
	return m.logitSilent(lnTypical, regularity, r)
}

// Bound is the bound of the score from minute a to minute b.
func (m *Model) Bound(p *profile.Profile, a, b int64) float64 {
	from, to := m.point(p, a), m.point(p, b)
	return from.bound(&to)
}

// BoundFrom is Bound as it is computed after an event, for an a at which p is overdue.
func (m *Model) BoundFrom(p *profile.Profile, a, b int64) float64 {
	from, to := m.begin(p, a), m.point(p, b)
	return from.bound(&to)
}

// Add notes a probe of this score that has resolved.
func (c *Calibration) Add(score float64, silent bool) { c.add(uint8(scoreCell(score)), silent) }

// ScoreCell is the cell of a score.
func ScoreCell(score float64) int { return scoreCell(score) }

// Need is the sum that the terms of c have to reach for a tier from a minute to just before until.
func (e *Evaluator) Need(c *profile.Customer, tier profile.Tier, minute int64) (need float64, until int64) {
	return e.need(c, tier, minute)
}

// NeedAt is Need of one minute, computed from the score there.
func (e *Evaluator) NeedAt(c *profile.Customer, tier profile.Tier, minute int64) float64 {
	score := e.Score(c, minute*moment.MinuteMillis)
	return e.model.Stages.Tiers[score.Stage].enter(tier) - score.Factors
}

// LeastNeed is a lower bound of Need from one minute to another.
func (e *Evaluator) LeastNeed(c *profile.Customer, tier profile.Tier, from, to int64) float64 {
	return e.leastNeed(c, tier, from, to)
}
