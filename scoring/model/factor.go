package model

import (
	"ebb/scoring/feature"
	"ebb/scoring/profile"
)

// Factor is what a feature adds to the score.
type Factor struct {
	Code    string // of its reason
	Feature int    // index into the pack's features
	Curve   feature.Curve
	Stages  profile.StageSet // in which it counts
	Ends    bool             // an event other than the customer's activity takes its feature to 0
	Quiet   float64          // days of silence after which its feature is 0 for that alone; 0: there is no such time
}

// Bounds of factors, in log-odds.

const (
	MaxFactors = 32
)

// FactorSum adds up the factors' parts at a customer's stage, within the cap. each, if not nil, takes each part.
func (m *Model) FactorSum(values []feature.Value, stage profile.Stage, each []float64) float64 {
	sum := 0.0
	for i := range m.Factors {
		c := &m.Factors[i]
		add := 0.0
		if c.Feature < len(values) && values[c.Feature].OK && c.Stages.Has(stage) {
			add = c.Curve.Add(values[c.Feature].N)
		}
		if each != nil {
			each[i] = add
		}
		sum += add
	}
	return Capped(sum, m.Cap)
}

// curves are those over the features' values, by feature: the factors', and where a value opens a lapse at another
// tier.
func (m *Model) curves() (all [][]feature.Curve) {
	add := func(i int, c ...feature.Curve) {
		for len(all) <= i {
			all = append(all, nil)
		}
		all[i] = append(all[i], c...)
	}
	for i := range m.Factors {
		add(m.Factors[i].Feature, m.Factors[i].Curve)
	}
	if m.Raise.byValue() {
		add(m.Raise.Feature, m.Raise.curves()...)
	}
	return all
}

// Capped is a sum of factors within a cap; with a cap of 0 it is the zero without a sign.
func Capped(sum, limit float64) float64 { return min(max(sum, -limit), limit) + 0 }

// factorMost bounds FactorSum while features are within ranges, at any of the stages.
func (m *Model) factorMost(ranges []feature.Range, stages profile.StageSet) float64 {
	sum := 0.0
	for i := range m.Factors {
		c := &m.Factors[i]
		r := &ranges[c.Feature]
		if !r.Sometimes || c.Stages&stages == 0 {
			continue
		}
		top := c.Curve.Most(r.Least, r.Greatest)
		if !r.Always || stages&^c.Stages != 0 {
			top = max(top, 0)
		}
		sum += top
	}
	return Capped(sum, m.Cap)
}
