package scoring

import "math"

// What the terms of the core have to come to for a tier is where the tier begins at the customer's stage, less what the
// factors add. Stages begin and end, tiles leave windows, and spans pass at known instants, and between these it does not
// change: a function of time in steps. The search for a deadline (search.go) rests on its value at a minute, on the minute
// of its next step, and on a bound below it over an interval.

// need is what the terms have to come to from a minute to just before until.
func (s *Scorer) need(c *Customer, tier Tier, minute int64) (need float64, until int64) {
	if !s.steps {
		return s.Stages.tiers[StageActive].enter(tier), math.MaxInt64
	}
	at := minute * minuteMillis
	stage := s.stage(c.Profile, at)
	s.trial = s.features.values(s.trial[:0], s.matters.set, c.Features, c.First, at)
	need = s.Stages.tiers[stage].enter(tier) - s.factorSum(s.trial, stage, nil)
	edge := min(s.features.edge(&s.matters, s.trial, c.Features, c.First, at), s.stageEdge(c.Profile, at))
	if edge == math.MaxInt64 {
		return need, edge
	}
	return need, max(ceilMinute(edge), minute+1)
}

// leastNeed is a bound that need does not fall below from one minute to another, both included.
func (s *Scorer) leastNeed(c *Customer, tier Tier, from, to int64) float64 {
	if !s.steps {
		return s.Stages.tiers[StageActive].enter(tier)
	}
	stages := s.stagesBetween(c.Profile, from*minuteMillis, to*minuteMillis)
	least := math.Inf(1)
	for stage := range NumStages {
		if stages.Has(stage) {
			least = min(least, s.Stages.tiers[stage].enter(tier))
		}
	}
	s.ranges = s.features.ranges(s.ranges[:0], s.matters.set, c.Features, c.First, from*minuteMillis, to*minuteMillis)
	return least - s.factorMost(s.ranges, stages)
}
