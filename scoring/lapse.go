package scoring

import (
	"ebb/scoring/encode"
	"ebb/scoring/model"
	"ebb/scoring/moment"
	"ebb/scoring/profile"
)

// watch tells what p is waiting for: the score to reach where the tier begins, at a minute not before from. TierNone:
// for nothing.
func (s *Scorer) watch(p *profile.Profile) (tier profile.Tier, from int64) {
	if p.Visits == 0 {
		return profile.TierNone, 0
	}
	from = moment.CeilMinute(p.At)
	switch p.Episode.Tier {
	case profile.TierNone:
		if tier = s.lapseFloor(p); tier != profile.TierNone {
			return tier, max(from, s.Pack.Model.OverdueMinute(p))
		}
	case profile.AtRisk:
		return profile.Critical, max(from, p.Episode.Since)
	default:
	}
	return profile.TierNone, 0
}

// lapseFloor is the tier from which on a lapse says more than the open episodes of other kinds do, as of the newest
// event: TierNone, it would not. Who cannot pay has not decided to leave, whatever the silence.
func (s *Scorer) lapseFloor(p *profile.Profile) profile.Tier {
	if p.Touched == 0 { // nearly everybody, at every event: the stage need not be known
		return profile.AtRisk
	}
	switch floor := s.floored(p, s.Pack.Model.Stage(p, p.At)); {
	case floor == profile.Critical || p.EpisodeOf(profile.Involuntary).Open():
		return profile.TierNone
	case floor == profile.AtRisk:
		return profile.Critical
	}
	return profile.AtRisk
}

// rearm makes Armed hold again after an event.
func (s *Scorer) rearm(c *profile.Customer) {
	minute := int64(0)
	if tier, from := s.watch(c.Profile); tier != profile.TierNone {
		minute = s.Eval.Rearm(c, from, tier)
	}
	c.Armed = earliest(minute, s.nextExpiry(c.Profile))
}

// Wake looks at c as of minute c.Armed: it ends what has expired, raises or escalates a lapse if the conditions hold
// there, and moves Armed on to a later minute, or to 0 where nothing can happen without a further event. The caller
// wakes c as long as Armed is not 0 and not beyond the watermark. The decisions are valid until s is asked again.
func (s *Scorer) Wake(c *profile.Customer) []Decision {
	s.decisions = s.decisions[:0]
	s.expire(c, c.Armed)
	c.Armed = s.lapse(c, c.Armed)
	c.Armed = earliest(c.Armed, s.nextExpiry(c.Profile))
	return s.decisions
}

// lapse raises or escalates at a minute if the conditions hold there, and returns at which to look again, 0: none.
func (s *Scorer) lapse(c *profile.Customer, minute int64) int64 {
	tier, from := s.watch(c.Profile)
	if tier == profile.TierNone {
		return 0
	}
	if next := s.Eval.Search(c, max(minute, from), tier); next == 0 || next != minute {
		return next
	}
	score := s.Eval.Score(c, minute*moment.MinuteMillis)
	reached := s.Pack.Model.TierOf(&score)
	if reached < tier { // by less than the search's slack
		return minute + 1
	}
	s.raiseLapse(c, &score, reached)
	if tier, _ = s.watch(c.Profile); tier == profile.TierNone {
		return 0
	}
	next := s.Eval.Search(c, minute, tier)
	if next == minute {
		return minute + 1
	}
	return next
}

// raiseLapse opens or escalates c's lapse by the score that takes it to a tier.
func (s *Scorer) raiseLapse(c *profile.Customer, score *model.Score, reached profile.Tier) {
	floor := s.floored(c.Profile, score.Stage)
	d := Decision{
		Transition: Escalated, Previous: max(c.Episode.Tier, floor), Tier: max(reached, floor),
		At: score.At, Since: c.Last, Score: *score,
	}
	if c.Episode.Tier == profile.TierNone {
		before, stage := s.Eval.Tier(c, c.At)
		d.Transition, d.Previous = Raised, max(before, s.floored(c.Profile, stage))
		c.Episodes = encode.Increment(c.Episodes)
	}
	c.Episode = profile.Episode{Tier: reached, Sequence: encode.Increment(c.Episode.Sequence), Since: score.At / moment.MinuteMillis}
	d.Episode, d.Sequence = c.Episodes, c.Episode.Sequence
	s.decisions = append(s.decisions, d)
}

// endLapse ends the lapse: the customer is back after a silence.
func (s *Scorer) endLapse(c *profile.Customer, silence, at int64) {
	d := Decision{
		Transition: Recovered, Episode: c.Episodes, Sequence: encode.Increment(c.Episode.Sequence),
		At: at, Since: at - silence,
	}
	was := c.Episode.Tier
	c.Episode = profile.Episode{}
	d.Score = s.Eval.Score(c, at)
	d.Previous, d.Tier = max(was, s.floored(c.Profile, d.Score.Stage)), s.standing(c, &d.Score)
	s.decisions = append(s.decisions, d)
}
