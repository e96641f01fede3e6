package scoring

import (
	"math"

	"ebb/scoring/moment"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// A lapse goes on by itself: the later steps of its play fall due (reminded), and where the pack says so it ends as churned
// when the customer has done nothing for a horizon since the raise. Both are deadlines in the customer's own time, which
// stands still while its source is stalled. Any activity ends the lapse, and with it all that is left.
//
// Steps count from the raise, or from the escalation that chose another play. A raise that is held, or was never
// published, has none and does not churn; a release raises anew, and all counts from there.

// setCourse notes what a decision about p's lapse leaves to happen. begins: its play was not in force before.
func (s *Scorer) setCourse(p *profile.Profile, d *Decision, begins bool) {
	minute := uint32(min(d.At/moment.MinuteMillis, math.MaxUint32))
	switch o := &p.Course; {
	case d.Transition.Ends():
		*o = profile.Course{Over: d.Transition == Churned}
	case d.Transition == Raised && s.Pack.Churned:
		*o = profile.Course{Raised: minute}
	case d.Transition == Raised:
		*o = profile.Course{}
	}
	if begins {
		p.Course.Play = minute
	}
	if play := s.lapsePlay(p); play == nil || int(p.Steps[profile.Lapse]) > len(play.Steps) {
		p.Course.Play = 0
	}
}

// lapsePlay is the play in force for p's lapse; nil: the pack has none.
func (s *Scorer) lapsePlay(p *profile.Profile) *pack.Play {
	mark := p.Plays[profile.Lapse]
	if mark == 0 {
		return nil
	}
	if ref := s.Pack.PlayMarked(mark, pack.ValueUnknown); ref != 0 { // at each value tier it has the same steps
		return s.Pack.Play(ref)
	}
	return nil
}

// nextCourse is the minute at which p's lapse goes on next; 0: it does not.
func (s *Scorer) nextCourse(p *profile.Profile) int64 {
	next := s.churnMinute(p)
	if p.Course.Play != 0 {
		if play, step := s.lapsePlay(p), int(p.Steps[profile.Lapse]); play != nil && step <= len(play.Steps) {
			next = earliest(next, stepMinute(p, &play.Steps[step-1]))
		}
	}
	if next == 0 {
		return 0
	}
	return max(next, moment.CeilMinute(p.At), moment.CeilMinute(p.Lapse.LastTransition))
}

// churnMinute is when p's lapse ends as churned; 0: it does not.
func (s *Scorer) churnMinute(p *profile.Profile) int64 {
	if p.Course.Raised == 0 || !s.Pack.Churned {
		return 0
	}
	return moment.CeilMinute(int64(p.Course.Raised)*moment.MinuteMillis + s.Pack.Horizon.Milliseconds())
}

// stepMinute is when a step of the play in force is due.
func stepMinute(p *profile.Profile, step *pack.Step) int64 {
	return moment.CeilMinute(int64(p.Course.Play)*moment.MinuteMillis + step.After)
}

// churn ends c's lapse if its horizon is over by a minute.
func (s *Scorer) churn(c *profile.Customer, minute int64) {
	due := s.churnMinute(c.Profile)
	if due == 0 || due > minute || s.unpublished(c.Profile) {
		return
	}
	was := c.Lapse.Tier
	c.Lapse.Tier = profile.TierNone
	at := minute * moment.MinuteMillis
	d := Decision{Transition: Churned, At: at, Since: c.Active(), Missed: c.Missed(), Score: s.Eval.Score(c, at)}
	d.Previous, d.Tier = max(was, s.floored(c.Profile, d.Score.Stage)), s.standing(c, &d.Score)
	s.note(c, d)
	s.closeLapse(c.Profile)
}

// remind comes to the step of c's play that is due by a minute. Of several, as after a change of packs, the last counts.
func (s *Scorer) remind(c *profile.Customer, minute int64) {
	if c.Course.Play == 0 {
		return
	}
	play, step := s.lapsePlay(c.Profile), int(c.Steps[profile.Lapse])
	due := step
	for play != nil && due <= len(play.Steps) && stepMinute(c.Profile, &play.Steps[due-1]) <= minute {
		due++
	}
	if due == step || s.unpublished(c.Profile) {
		return
	}
	c.Steps[profile.Lapse] = uint8(due)
	at := minute * moment.MinuteMillis
	d := Decision{Transition: Reminded, At: at, Since: c.Active(), Missed: c.Missed(), Score: s.Eval.Score(c, at)}
	d.Tier = max(c.Lapse.Tier, s.floored(c.Profile, d.Score.Stage))
	d.Previous = d.Tier
	s.note(c, d)
}

// unpublished reports whether the raise of p's lapse did not go out. Then there is nothing to go on with until it is
// released.
func (s *Scorer) unpublished(p *profile.Profile) bool {
	if p.Withheld&(1<<profile.Lapse) == 0 {
		return false
	}
	p.Course = profile.Course{}
	return true
}
