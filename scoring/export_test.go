package scoring

import (
	"ebb/scoring/moment"
	"ebb/scoring/profile"
)

// Reaches reports whether a lapse would be raised, or escalated, at a minute.
func (s *Scorer) Reaches(c *profile.Customer, minute int64) bool {
	aim, from := s.watch(c.Profile)
	if aim.Tier == profile.TierNone || minute < from {
		return false
	}
	score := s.Eval.Score(c, minute*moment.MinuteMillis)
	return s.Pack.Model.Reaches(&score, aim)
}

// Expires is the minute at which the next episode of another kind than lapse ends by itself; 0: none does.
func (s *Scorer) Expires(c *profile.Customer) int64 { return s.nextExpiry(c.Profile) }
