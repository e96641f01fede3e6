package scoring

import (
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
	switch p.Lapse.Tier {
	case profile.TierNone:
		if tier = s.lapseFloor(p); tier != profile.TierNone {
			return tier, max(from, s.Pack.Model.OverdueMinute(p))
		}
	case profile.AtRisk:
		return profile.Critical, max(from, p.Lapse.LastTransition/60_000)
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
		Transition: change{was: float64(c.Lapse.Tier), now: float64(reached)}.transition(),
		Previous:   max(c.Lapse.Tier, floor), Tier: max(reached, floor),
		At: score.At, Since: c.Last, Score: *score,
	}
	if d.Transition == Raised {
		before, stage := s.Eval.Tier(c, c.At)
		d.Previous = max(before, s.floored(c.Profile, stage))
	}
	c.Lapse.Tier = reached
	s.pass(&c.Lapse.Episode, d)
}

// endLapse ends the lapse: the customer is back after a silence.
func (s *Scorer) endLapse(c *profile.Customer, silence, at int64) {
	was := c.Lapse.Tier
	c.Lapse.Tier = profile.TierNone
	d := Decision{
		Transition: change{was: float64(was)}.transition(),
		At:         at,
		Since:      at - silence,
		Score:      s.Eval.Score(c, at),
	}
	d.Previous, d.Tier = max(was, s.floored(c.Profile, d.Score.Stage)), s.standing(c, &d.Score)
	s.pass(&c.Lapse.Episode, d)
	c.Lapse.Close()
}
