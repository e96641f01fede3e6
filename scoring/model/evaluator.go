package model

import (
	"ebb/scoring/feature"
	"ebb/scoring/profile"
)

// Evaluator works out what a model makes of customers: scores, and the minutes at which they reach a tier. It holds
// the memory that this takes and belongs to one goroutine. Make one with NewEvaluator.
type Evaluator struct {
	model   *Model
	steps   bool             // whether anything but the core depends on time: factors or stages
	matters feature.Interest // what the factors make of features

	values []feature.Value // of the features in the newest score
	trial  []feature.Value // at a minute that is looked at
	ranges []feature.Range
}

// NewEvaluator prepares an evaluator.
func NewEvaluator(m *Model) Evaluator {
	return Evaluator{
		model:   m,
		steps:   len(m.Factors) > 0 || m.Stages.tiered(),
		matters: m.Features.InterestOf(curves(m.Factors)),
	}
}

// Score is the risk of c as of at, in ms since the epoch. A customer without activity has none: the zero Score. Its
// values are valid until e is asked again.
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
