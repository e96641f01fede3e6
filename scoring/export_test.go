package scoring

import (
	"strconv"
)

// What tests in package scoring_test look at from the inside.

func AppendString(dst, s []byte) []byte { return appendString(dst, s) }

// LogitSilent is the log-odds that a silence of r days lasts a horizon more.
func (m *Model) LogitSilent(lnTypical, regularity, r float64) float64 {
	return m.logitSilent(lnTypical, regularity, r)
}

// Bound is what bounds the score from minute a to minute b.
func (m *Model) Bound(p *Profile, a, b int64) float64 {
	from, to := m.point(p, a), m.point(p, b)
	return from.bound(&to)
}

// BoundFrom is Bound as an event has it worked out, for an a at which p is overdue.
func (m *Model) BoundFrom(p *Profile, a, b int64) float64 {
	from, to := m.begin(p, a), m.point(p, b)
	return from.bound(&to)
}

// Valid reports whether a decoder would accept p.
func (p *Profile) Valid() bool { return p.valid() }

// Reaches reports whether a lapse would be raised, or escalated, at a minute.
func (s *Scorer) Reaches(c *Customer, minute int64) bool {
	tier, from := s.watch(c.Profile)
	if tier == TierNone || minute < from {
		return false
	}
	score := s.Eval.Score(c, minute*minuteMillis)
	return s.Pack.Model.tierAt(score.Stage, score.Sum()) >= tier
}

// Expires is the minute at which the next episode of another kind than lapse ends by itself; 0: none does.
func (s *Scorer) Expires(c *Customer) int64 { return s.nextExpiry(c.Profile) }

// Add notes a probe of this score that resolved.
func (c *Calibration) Add(score float64, silent bool) { c.add(uint8(scoreCell(score)), silent) }

// ScoreCell is the cell of a score.
func ScoreCell(score float64) int { return scoreCell(score) }

// Need is what the terms of c have to come to for a tier from a minute to just before until.
func (e *Evaluator) Need(c *Customer, tier Tier, minute int64) (need float64, until int64) {
	return e.need(c, tier, minute)
}

// NeedAt is Need of one minute, worked out of the score there.
func (e *Evaluator) NeedAt(c *Customer, tier Tier, minute int64) float64 {
	score := e.Score(c, minute*minuteMillis)
	return e.model.Stages.tiers[score.Stage].enter(tier) - score.Factors
}

// LeastNeed is a bound that Need does not fall below from one minute to another.
func (e *Evaluator) LeastNeed(c *Customer, tier Tier, from, to int64) float64 {
	return e.leastNeed(c, tier, from, to)
}

// Sentences are those of all reasons that the pack can give, each as it is of d.
func (r *Renderer) Sentences(d *Decision) map[string]string {
	all := map[string]string{}
	say := func(code string, feature int) {
		all[code+" "+strconv.Itoa(feature)] = string(r.appendSentence(nil, d, weighed{code, 0, feature}))
	}
	for code := range Reasons() {
		say(code, -1)
	}
	for i := range r.Pack.Model.Factors {
		say(r.Pack.Model.Factors[i].Code, r.Pack.Model.Factors[i].Feature)
	}
	for n := range r.Pack.Kinds {
		for _, o := range r.Pack.Kinds[n].Opens {
			say(o.Code, o.Feature)
		}
	}
	return all
}
