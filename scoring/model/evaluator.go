package model

import (
	"ebb/scoring/feature"
	"ebb/scoring/profile"
)

// Evaluator computes a model's results for customers: scores, and the minutes at which they reach a tier. It holds the
// memory for that and belongs to one goroutine. NewEvaluator makes one.
type Evaluator struct {
	model   *Model
	steps   bool             // whether anything but the core depends on time: factors, stages, or where a lapse opens
	matters feature.Interest // the features' values that matter to these

	values []feature.Value // of the features in the newest score
	trial  []feature.Value // at a trial minute of the search
	ranges []feature.Range
}

// NewEvaluator prepares an evaluator.
func NewEvaluator(m *Model) Evaluator {
	return Evaluator{
		model:   m,
		steps:   len(m.Factors) > 0 || m.Stages.tiered() || m.Raise.byValue(),
		matters: m.Features.InterestOf(m.curves()),
	}
}

// Score is the risk of c as of at, in ms since the epoch. A customer without activity has none: the zero Score. Its
// values are valid until the next call of e.
func (e *Evaluator) Score(c *profile.Customer, at int64) Score {
	m := e.model
	score := m.coreScore(c.Profile, at)
	if c.Visits > 0 {
		e.values = m.Features.Values(e.values[:0], feature.All, c.Features, c.First, at)
		score.Values, score.Stage = e.values, m.Stage(c.Profile, at)
		score.Factors = m.FactorSum(score.Values, score.Stage, nil)
	}
	return score
}

// Tier is the tier and the stage of c, which has activity, by its score as of at, in ms since the epoch. The newest
// score's values stay valid.
func (e *Evaluator) Tier(c *profile.Customer, at int64) (profile.Tier, profile.Stage) {
	m := e.model
	e.trial = m.Features.Values(e.trial[:0], e.matters.Features, c.Features, c.First, at)
	stage := m.Stage(c.Profile, at)
	score := m.coreScore(c.Profile, at)
	score.Factors = m.FactorSum(e.trial, stage, nil)
	return m.TierAt(stage, score.Sum()), stage
}
