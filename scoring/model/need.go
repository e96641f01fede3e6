package model

import (
	"math"

	"ebb/scoring/moment"
	"ebb/scoring/profile"
)

// For a tier the terms of the core have to reach the begin of the tier at the customer's stage, less the factors' sum.
// Stages begin and end, tiles leave windows, and spans pass at known instants, and between these the needed sum does
// not change: it is a step function of time. The search for a deadline (search.go) uses its value at a minute, the
// minute of its next step, and a lower bound over an interval.

// need is the sum that the terms have to reach from a minute to just before until.
func (e *Evaluator) need(c *profile.Customer, tier profile.Tier, minute int64) (need float64, until int64) {
	if !e.steps {
		return e.model.Stages.Tiers[profile.StageActive].enter(tier), math.MaxInt64
	}
	m, at := e.model, minute*moment.MinuteMillis
	stage := m.Stage(c.Profile, at)
	e.trial = m.Features.Values(e.trial[:0], e.matters.Features, c.Features, c.First, at)
	need = m.Stages.Tiers[stage].enter(tier) - m.FactorSum(e.trial, stage, nil)
	edge := min(m.Features.Edge(&e.matters, e.trial, c.Features, c.First, at), m.stageEdge(c.Profile, at))
	if edge == math.MaxInt64 {
		return need, edge
	}
	return need, max(moment.CeilMinute(edge), minute+1)
}

// leastNeed is a lower bound of need from one minute to another, both included.
func (e *Evaluator) leastNeed(c *profile.Customer, tier profile.Tier, from, to int64) float64 {
	if !e.steps {
		return e.model.Stages.Tiers[profile.StageActive].enter(tier)
	}
	stages := e.model.stagesBetween(c.Profile, from*moment.MinuteMillis, to*moment.MinuteMillis)
	least := math.Inf(1)
	for stage := range profile.NumStages {
		if stages.Has(stage) {
			least = min(least, e.model.Stages.Tiers[stage].enter(tier))
		}
	}
	e.ranges = e.model.Features.Ranges(
		e.ranges[:0],
		e.matters.Features,
		c.Features,
		c.First,
		from*moment.MinuteMillis,
		to*moment.MinuteMillis,
	)
	return least - e.model.factorMost(e.ranges, stages)
}
