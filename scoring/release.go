package scoring

import (
	"ebb/scoring/moment"
	"ebb/scoring/profile"
)

// Release decides anew, as of minute, the raise of c's episode of a kind that is open and was never published: the
// episode is raised then, as the first of its transitions, with its number and its begin. It is a minute not before c's
// newest event. No decision: no such episode is open, or is any more: where some of c's silence has turned out not to
// count, and without it no lapse would open, the lapse never was. The decisions are valid until the next call of s.
func (s *Scorer) Release(c *profile.Customer, n profile.Kind, minute int64) []Decision {
	s.decisions = s.decisions[:0]
	e := c.Episode(n)
	if !e.Open() {
		return nil
	}
	e.Close()
	e.Number--
	at := max(minute, moment.CeilMinute(c.At)) * moment.MinuteMillis
	switch {
	case n != profile.Lapse:
		s.releaseTriggered(c, n, at)
	case c.Missed() > 0 && !s.raises(c, at):
		s.withdrawLapse(c, at/moment.MinuteMillis)
	default:
		s.releaseLapse(c, at)
		c.Armed = earliest(c.Armed, s.nextCourse(c.Profile))
	}
	return s.decisions
}

// withdrawLapse makes c's lapse one that never opened, as of a minute, and waits for it anew.
func (s *Scorer) withdrawLapse(c *profile.Customer, minute int64) {
	c.Lapse.Tier, c.Awaited, c.Course = profile.TierNone, profile.Awaited{}, profile.Course{}
	c.Plays[profile.Lapse], c.Steps[profile.Lapse] = 0, 0
	c.Armed = s.nextExpiry(c.Profile)
	if aim, from := s.watch(c.Profile); aim.Tier != profile.TierNone {
		c.Armed = earliest(s.Eval.Search(c, max(from, minute+1), aim), c.Armed)
	}
}

// releaseLapse raises c's lapse at the tier that it has reached by then.
func (s *Scorer) releaseLapse(c *profile.Customer, at int64) {
	reached := c.Lapse.Tier
	c.Lapse.Tier = profile.TierNone // the score is that of a raise
	score := s.Eval.Score(c, at)
	s.raiseLapse(c, &score, max(reached, s.Pack.Model.TierOf(&score)))
}

func (s *Scorer) releaseTriggered(c *profile.Customer, n profile.Kind, at int64) {
	h := c.EpisodeOf(n)
	before := *h
	before.Openings = 0
	s.emit(c, n, &before, Decision{Transition: Raised, About: s.Pack.Kinds[n].Top(h.Openings), At: at})
}
