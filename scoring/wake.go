package scoring

// Wake looks at c as of minute c.Armed: it ends what has expired, raises or escalates a lapse if the conditions hold
// there, and moves Armed on to a later minute, or to 0 where nothing can happen without a further event. The caller wakes
// c as long as Armed is not 0 and not beyond the watermark. The decisions are valid until s is asked again.
func (s *Scorer) Wake(c *Customer) []Decision {
	s.decisions = s.decisions[:0]
	s.expire(c, c.Armed)
	c.Armed = s.lapse(c, c.Armed)
	c.Armed = earliest(c.Armed, s.nextExpiry(c.Profile))
	return s.decisions
}

// lapse raises or escalates at a minute if the conditions hold there, and returns at which to look again, 0: none.
func (s *Scorer) lapse(c *Customer, minute int64) int64 {
	p := c.Profile
	tier, from := s.watch(p)
	if tier == TierNone || minute > s.lastMinute(p) {
		return 0
	}
	if minute < from {
		return s.search(c, from, tier, fineEffort)
	}
	need, until := s.need(c, tier, minute)
	a := s.point(p, minute)
	if a.score() < need-slack {
		return s.searchSteps(c, a, tier, need, until, fineEffort)
	}
	at := minute * minuteMillis
	score := s.Score(c, at)
	reached := s.tierAt(score.Stage, score.Sum())
	if reached < tier { // by less than slack
		return minute + 1
	}
	s.turn(c, &score, reached)
	if tier, _ = s.watch(p); tier == TierNone {
		return 0
	}
	if need, until = s.need(c, tier, minute); a.score() >= need-slack {
		return minute + 1
	}
	return s.searchSteps(c, a, tier, need, until, fineEffort)
}

// turn opens or escalates c's lapse by the score that takes it to a tier.
func (s *Scorer) turn(c *Customer, score *Score, reached Tier) {
	d := Decision{Transition: Escalated, Previous: c.Episode.Tier, Tier: reached, At: score.At, Silence: score.At - c.Last, Score: *score}
	if c.Episode.Tier == TierNone {
		s.trial = s.features.values(s.trial[:0], s.matters.set, c.Features, c.First, c.At)
		stage := s.stage(c.Profile, c.At)
		core := s.coreScore(c.Profile, c.At)
		core.Factors = s.factorSum(s.trial, stage, nil)
		d.Transition, d.Previous = Raised, s.tierAt(stage, core.Sum())
		c.Episodes = next(c.Episodes)
	}
	c.Episode = Episode{Tier: reached, Sequence: next(c.Episode.Sequence), Since: score.At / minuteMillis}
	d.Episode, d.Sequence = c.Episodes, c.Episode.Sequence
	s.decisions = append(s.decisions, d)
}
