package model

import (
	"math"

	"ebb/scoring/exact"
	"ebb/scoring/moment"
	"ebb/scoring/profile"
)

// Constants of the core, measured on event logs; none depends on the pack.
const (
	Version = 3 // of these constants and of the formulas; part of a pack's hash

	forget      = 0.9 // weight of older gaps, per new gap
	priorWeight = 4.0 // strength of the population's gap variance, in gaps
	firstGaps   = 3   // gaps of a customer that describe the population
	spells      = 12  // per horizon: visits closer together than a spell count once in the level
)

// Fold adds one event that has an effect to the profile and the population, at an instant, by activity or by a weight
// of friction. It does not change episode and deadline.
func (m *Model) Fold(p *profile.Profile, pop *profile.Population, at int64, activity bool, friction float64) {
	if at > p.At {
		p.Level = profile.Faded(p.Level, at-p.At, m.levelFade)
		p.Friction = profile.Faded(p.Friction, at-p.At, m.horizon)
		p.At = at
	}
	p.Friction = min(p.Friction+friction, profile.MaxFriction)
	if !activity {
		return
	}
	switch {
	case p.Visits == 0:
		p.First, p.Last, p.Counted = at, at, at
		p.Visits, p.Level = 1, 1
	case at-p.Last >= visitGap:
		m.visit(p, pop, at)
	}
	p.Last = max(p.Last, at) // a late activity adds no gap
	p.M, p.K = gapLaw(p, pop)
}

// visit folds the gap that ends with a new visit at t.
func (m *Model) visit(p *profile.Profile, pop *profile.Population, t int64) {
	x := exact.Log(moment.Days(t - p.Last))
	d := x - p.Mu
	if p.W > 0 {
		pop.Surprise(d, p.W, t, m.levelFade)
	}
	if p.Visits <= firstGaps {
		pop.FirstGap(x, t, m.levelFade)
	}
	p.W = float64(forget*p.W) + 1
	p.Mu += d / p.W
	p.M2 = max(float64(forget*p.M2)+float64(d*(x-p.Mu)), 0)
	if p.Visits < math.MaxUint32 {
		p.Visits++
	}
	if t-p.Counted >= m.spell {
		p.Level = min(p.Level+1, profile.MaxLevel)
		p.Counted = t
	}
}

// gapLaw is the customer's own gaps shrunk towards the population's: e^m days is the median gap, regularity the
// exponent of a log-logistic law.
func gapLaw(p *profile.Profile, pop *profile.Population) (m, regularity float64) {
	mean, within, between := pop.Moments()
	k0 := within / between // the prior is worth k0 gaps
	weight := k0 + p.W
	m = (float64(k0*mean) + float64(p.W*p.Mu)) / weight
	variance := (float64(priorWeight*within) + p.M2) / (priorWeight + p.W)
	regularity = math.Pi / math.Sqrt(float64(3*variance*(1+1/weight)))
	return min(
			max(m, -profile.MaxLnGap),
			profile.MaxLnGap,
		), min(
			max(regularity, profile.MinRegularity),
			profile.MaxRegularity,
		)
}

const (
	visitGap = moment.DayMillis / 2 // ms; activity closer than this to the last belongs to the same visit
)
