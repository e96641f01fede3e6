package line

import (
	"ebb/pipeline"
	"ebb/scoring/profile"
)

// A customer who is silent for the retention, and has no deadline left, is gone: a deadline like any other removes its
// state (docs/adr/0010). The removal is a function of the log alone, so a customer who comes back later is new in every
// replay.

// goneMinute is the first minute of event time at which c has been silent for the retention.
func (l *Line) goneMinute(c *customer) int64 {
	return pipeline.FloorDiv(c.profile.At+l.retention, pipeline.MinuteMillis) + 1
}

// gone reports whether c has state, and has been silent for the retention as of minute.
func (l *Line) gone(c *customer, minute int64) bool {
	return l.retention > 0 && !c.profile.Empty() && l.goneMinute(c) <= minute
}

// retire looks at a customer without further deadlines as of minute. It removes the state of one that is gone, and arms
// the minute at which another would be.
func (l *Line) retire(c *customer, minute int64) {
	if l.retention == 0 || c.profile.Armed != 0 || c.profile.Empty() {
		return
	}
	if l.gone(c, minute) {
		c.profile = profile.Profile{}
		l.cache.keep(c, nil)
		l.staged.Tally.Removed++
		return
	}
	c.profile.Armed = l.goneMinute(c)
}
