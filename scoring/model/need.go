package model

import (
	"math"

	"ebb/scoring/feature"
	"ebb/scoring/moment"
	"ebb/scoring/profile"
)

// For a tier the terms of the core have to reach the begin of the tier at the customer's stage, less the factors' sum.
// Stages begin and end, tiles leave windows, and spans pass at known instants, and between these the needed sum does
// not change: it is a step function of time. The search for a deadline (deadline.go) uses its value at a minute, the
// minute of its next step, and a lower bound over an interval.

// need is the sum that the terms have to reach for an aim from a minute to just before until.
func (e *Evaluator) need(c *profile.Customer, aim Aim, minute int64) (need float64, until int64) {
	m := e.model
	if !e.steps {
		return m.Stages.Tiers[profile.StageActive].enter(m.tierOf(c.Profile, aim, feature.Value{})), math.MaxInt64
	}
	at := minute * moment.MinuteMillis
	stage := m.Stage(c.Profile, at)
	e.trial = m.Features.Values(e.trial[:0], e.matters.Features, c.Features, c.First, at)
	tier := m.tierOf(c.Profile, aim, valueOf(e.trial, m.Raise.Feature))
	need = m.Stages.Tiers[stage].enter(tier) - m.FactorSum(e.trial, stage, nil)
	edge := min(m.Features.Edge(&e.matters, e.trial, c.Features, c.First, at), m.stageEdge(c.Profile, at))
	if edge == math.MaxInt64 {
		return need, edge
	}
	return need, max(moment.CeilMinute(edge), minute+1)
}

// leastNeed is a lower bound of need from one minute to another, both included.
func (e *Evaluator) leastNeed(c *profile.Customer, aim Aim, from, to int64) float64 {
	m := e.model
	if !e.steps {
		return m.Stages.Tiers[profile.StageActive].enter(m.tierOf(c.Profile, aim, feature.Value{}))
	}
	from, to = from*moment.MinuteMillis, to*moment.MinuteMillis
	e.ranges = m.Features.Ranges(e.ranges[:0], e.matters.Features, c.Features, c.First, from, to)
	tier := aim.Tier
	if aim.Opens {
		var values feature.Range
		if m.Raise.byValue() {
			values = e.ranges[m.Raise.Feature]
		}
		tier = max(tier, m.Raise.earliest(m.Regular(c.Visits, c.M), values))
	}
	stages := m.stagesBetween(c.Profile, from, to)
	least := math.Inf(1)
	for stage := range profile.NumStages {
		if stages.Has(stage) {
			least = min(least, m.Stages.Tiers[stage].enter(tier))
		}
	}
	return least - m.factorMost(e.ranges, stages)
}
