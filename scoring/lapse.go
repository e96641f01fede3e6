package scoring

import (
	"ebb/scoring/model"
	"ebb/scoring/moment"
	"ebb/scoring/profile"
)

// watch is what p waits for: the score to reach an aim, at a minute not before from. An aim of TierNone: nothing.
func (s *Scorer) watch(p *profile.Profile) (aim model.Aim, from int64) {
	if p.Visits == 0 || p.Course.Over || !s.Pack.Alerts(p) {
		return model.Aim{}, 0
	}
	from = moment.CeilMinute(p.At)
	switch p.Lapse.Tier {
	case profile.TierNone:
		if aim = s.lapseFloor(p); aim.Tier != profile.TierNone {
			return aim, max(from, s.Pack.Model.OverdueMinute(p))
		}
	case profile.Watch, profile.AtRisk:
		return model.Aim{Tier: p.Lapse.Tier + 1}, max(from, p.Lapse.LastTransition/moment.MinuteMillis)
	default:
	}
	return model.Aim{}, 0
}

// lapseFloor is at which tier a lapse raises an alert beside the open episodes of other kinds, as of the newest event:
// the one from which the customer's lapses open, and above the floors of these. TierNone: at none. A customer who
// cannot pay has not decided to leave, whatever the silence.
func (s *Scorer) lapseFloor(p *profile.Profile) model.Aim {
	aim := model.Aim{Tier: profile.Watch, Opens: true}
	if p.Touched == 0 { // nearly all customers, at every event: the stage is not needed
		return aim
	}
	switch floor := s.floored(p, s.Pack.Model.Stage(p, p.At)); {
	case floor == profile.Critical || p.EpisodeOf(profile.Involuntary).Open():
		return model.Aim{}
	case floor != profile.TierNone:
		aim.Tier = floor + 1
	}
	return aim
}

// rearm updates Armed after an event.
func (s *Scorer) rearm(c *profile.Customer) {
	if c.Armed > moment.CeilMinute(c.At) && !s.Pack.Alerts(c.Profile) {
		return // the line waits for the end of its state: a look that comes early costs less than a new one with each event
	}
	minute := int64(0)
	if aim, from := s.watch(c.Profile); aim.Tier != profile.TierNone {
		minute = s.Eval.Rearm(c, from, aim)
	}
	c.Armed = earliest(minute, s.nextTimed(c.Profile))
}

// nextTimed is the minute of the next look at p for what does not depend on its score; 0: there is none.
func (s *Scorer) nextTimed(p *profile.Profile) int64 {
	return earliest(s.nextExpiry(p), s.nextCourse(p))
}

// Wake looks at c as of minute c.Armed. It ends what is over by then, raises or escalates a lapse if the conditions hold
// then, comes to a due step of its play, and moves Armed to a later minute, or to 0 where nothing can happen without a further event. The caller wakes c
// as long as Armed is not 0 and not beyond the watermark. The decisions are valid until the next call of s.
func (s *Scorer) Wake(c *profile.Customer) []Decision {
	s.decisions = s.decisions[:0]
	minute := c.Armed
	s.expire(c, minute)
	s.churn(c, minute)
	c.Armed = s.lapse(c, minute)
	s.remind(c, minute)
	c.Armed = earliest(c.Armed, s.nextTimed(c.Profile))
	return s.decisions
}

// lapse raises or escalates at a minute if the conditions hold then, and returns the minute of the next look, 0: none.
func (s *Scorer) lapse(c *profile.Customer, minute int64) int64 {
	aim, from := s.watch(c.Profile)
	if aim.Tier == profile.TierNone {
		return 0
	}
	if from > minute {
		return s.Eval.Search(c, from, aim)
	}
	score := s.Eval.Score(c, minute*moment.MinuteMillis)
	if !s.Pack.Model.Reaches(&score, aim) {
		return s.Eval.Search(c, minute+1, aim)
	}
	s.raiseLapse(c, &score, s.Pack.Model.TierOf(&score))
	if aim, _ = s.watch(c.Profile); aim.Tier == profile.TierNone {
		return 0
	}
	return s.Eval.Rearm(c, minute+1, aim)
}

// raiseLapse opens or escalates c's lapse with a score that reaches a tier.
func (s *Scorer) raiseLapse(c *profile.Customer, score *model.Score, reached profile.Tier) {
	floor := s.floored(c.Profile, score.Stage)
	d := Decision{
		Transition: change{was: float64(c.Lapse.Tier), now: float64(reached)}.transition(),
		Previous:   max(c.Lapse.Tier, floor), Tier: max(reached, floor),
		At: score.At, Since: c.Active(), Missed: c.Missed(), Score: *score,
	}
	if d.Transition == Raised {
		before, stage := s.Eval.Tier(c, c.At)
		d.Previous = max(before, s.floored(c.Profile, stage))
	}
	c.Lapse.Tier = reached
	s.note(c, d)
	if d.Transition == Raised {
		s.await(c, d.At)
	}
}

// endLapse ends the lapse: the customer is back after a silence. Activity that arrives late may be older than the raise,
// and show that the customer was not silent for long enough at the time. Then the lapse is corrected, as of that time,
// and nothing that follows is its doing.
func (s *Scorer) endLapse(c *profile.Customer, silence, at int64) {
	was, raised := c.Lapse.Tier, max(c.Lapse.Opened, c.At) // an earlier score than that of the newest event is lost
	c.Lapse.Tier = profile.TierNone
	d := Decision{
		Transition: change{was: float64(was)}.transition(),
		At:         at,
		Since:      at - silence - c.Missed(),
		Missed:     c.Missed(),
	}
	if at < c.Lapse.Opened && !s.raises(c, raised) {
		d.Transition, d.At, c.Awaited = Corrected, raised, profile.Awaited{}
	}
	d.Score = s.Eval.Score(c, d.At)
	d.Previous, d.Tier = max(was, s.floored(c.Profile, d.Score.Stage)), s.standing(c, &d.Score)
	s.note(c, d)
	s.closeLapse(c.Profile)
}

// closeLapse closes p's lapse, which has ended. It may still convert.
func (s *Scorer) closeLapse(p *profile.Profile) {
	if p.Awaited.RaisedAt != 0 {
		p.Awaited.Sequence = p.Lapse.Sequence
	}
	p.Lapse.Close()
}

// raises reports whether a lapse of c opens by its score at a time in ms, not before its newest event.
func (s *Scorer) raises(c *profile.Customer, at int64) bool {
	score := s.Eval.Score(c, at)
	return at >= s.Pack.Model.OverdueMinute(c.Profile)*moment.MinuteMillis &&
		s.Pack.Model.Reaches(&score, s.lapseFloor(c.Profile))
}
