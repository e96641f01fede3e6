package scoring

import (
	"io/fs"
	"strconv"
)

// What tests in package scoring_test look at from the inside.

func Exp(x float64) float64 { return exp(x) }

func Log(x float64) float64 { return log(x) }

func AppendString(dst, s []byte) []byte { return appendString(dst, s) }

// LogitSilent is the log-odds that a silence of r days lasts a horizon more.
func (k *Pack) LogitSilent(m, regularity, r float64) float64 { return k.logitSilent(m, regularity, r) }

// OverdueMinute is the first minute at which p is overdue.
func (k *Pack) OverdueMinute(p *Profile) int64 { return k.overdueMinute(p) }

// Bound is what bounds the score from minute a to minute b.
func (k *Pack) Bound(p *Profile, a, b int64) float64 {
	from, to := k.point(p, a), k.point(p, b)
	return from.bound(&to)
}

// BoundFrom is Bound as an event has it worked out, for an a at which p is overdue.
func (k *Pack) BoundFrom(p *Profile, a, b int64) float64 {
	from, to := k.begin(p, a), k.point(p, b)
	return from.bound(&to)
}

// Valid reports whether a decoder would accept p.
func (p *Profile) Valid() bool { return p.valid() }

// Observe is Scorer.Observe for a pack without features, of which an event decides one thing at most.
func (k *Pack) Observe(p *Profile, pop *Population, o Observation) (Decision, bool) {
	return only(k.NewScorer().Observe(&Customer{Profile: p}, pop, &o))
}

// Wake is Scorer.Wake for such a pack.
func (k *Pack) Wake(p *Profile) (Decision, bool) {
	return only(k.NewScorer().Wake(&Customer{Profile: p}))
}

// Score is Scorer.Score for such a pack.
func (k *Pack) Score(p *Profile, at int64) Score {
	return k.NewScorer().Score(&Customer{Profile: p}, at)
}

// Probe is Scorer.Probe for such a pack, of a customer whose draw is 0.
func (k *Pack) Probe(p *Profile, until int64, c *Calibration) {
	k.NewScorer().Probe(&Customer{Profile: p}, until, c)
}

// EpochMinutes is how long an epoch lasts.
func (k *Pack) EpochMinutes() int64 { return k.epochStep }

func only(all []Decision) (Decision, bool) {
	switch len(all) {
	case 0:
		return Decision{}, false
	case 1:
		return all[0], true
	}
	panic("more than one decision")
}

// Reaches reports whether a lapse would be raised, or escalated, at a minute.
func (s *Scorer) Reaches(c *Customer, minute int64) bool {
	tier, from := s.watch(c.Profile)
	if tier == TierNone || minute < from {
		return false
	}
	score := s.Score(c, minute*minuteMillis)
	return s.tierAt(score.Stage, score.Sum()) >= tier
}

// LastMinute is that beyond which nobody looks at c any more.
func (s *Scorer) LastMinute(c *Customer) int64 { return s.lastMinute(c.Profile) }

// Expires is the minute at which the next episode of another kind than lapse ends by itself; 0: none does.
func (s *Scorer) Expires(c *Customer) int64 { return s.nextExpiry(c.Profile) }

// Add notes a probe of this score that resolved.
func (c *Calibration) Add(score float64, silent bool) { c.add(uint8(scoreCell(score)), silent) }

// ScoreCell is the cell of a score.
func ScoreCell(score float64) int { return scoreCell(score) }

// Need is what the terms of c have to come to for a tier from a minute to just before until.
func (s *Scorer) Need(c *Customer, tier Tier, minute int64) (need float64, until int64) {
	return s.need(c, tier, minute)
}

// NeedAt is Need of one minute, worked out of the score there.
func (s *Scorer) NeedAt(c *Customer, tier Tier, minute int64) float64 {
	score := s.Score(c, minute*minuteMillis)
	return s.Stages.tiers[score.Stage].enter(tier) - score.Factors
}

// LeastNeed is a bound that Need does not fall below from one minute to another.
func (s *Scorer) LeastNeed(c *Customer, tier Tier, from, to int64) float64 {
	return s.leastNeed(c, tier, from, to)
}

// LoadIn is Load with the catalogues in files.
func LoadIn(files fs.FS, nameOrPath string, read func(string) ([]byte, error)) (*Pack, error) {
	return load(nameOrPath, read, Overrides{}, files)
}

// Sentences are those of all reasons that the pack can give, each as it is of d.
func (k *Pack) Sentences(d *Decision) map[string]string {
	all := map[string]string{}
	say := func(code string, feature int) {
		all[code+" "+strconv.Itoa(feature)] = string(k.appendSentence(nil, d, weighed{code, 0, feature}))
	}
	for _, code := range coreReasons {
		say(code, -1)
	}
	for i := range k.Factors {
		say(k.Factors[i].Code, k.Factors[i].Feature)
	}
	for n := range k.Kinds {
		for _, o := range k.Kinds[n].Opens {
			say(o.Code, o.Feature)
		}
	}
	return all
}
