package line

import (
	"math"

	"ebb/pipeline"
	"ebb/scoring/profile"
)

// A customer who is silent for the retention, and has no deadline left, is gone: a deadline like any other removes its
// state (docs/adr/0010). The removal is a function of the log alone, so a customer who comes back later is new in every
// replay.

// goneMinute is the first minute of event time at which c has been silent for the retention.
func (l *Line) goneMinute(c *customer) int64 {
	after := l.retentionOf(c)
	if after == 0 {
		return math.MaxInt64
	}
	return pipeline.FloorDiv(c.profile.At+after, pipeline.MinuteMillis) + 1
}

// retentionOf is how long c's state is kept while it is silent, in ms; 0: for ever.
func (l *Line) retentionOf(c *customer) int64 {
	return l.packOf(c).Retention(&c.profile, l.settings.RetentionMillis)
}

// gone reports whether c has state, and has been silent for the retention as of minute.
func (l *Line) gone(c *customer, minute int64) bool {
	return !c.profile.Empty() && l.goneMinute(c) <= minute
}

// retire looks at a customer without further deadlines as of minute. It removes the state of one that is gone, and arms
// the minute at which another would be.
func (l *Line) retire(c *customer, minute int64) {
	if c.profile.Armed != 0 || c.profile.Empty() {
		return
	}
	end := l.goneMinute(c)
	if end <= minute {
		l.empty(c, pipeline.EndGone, minute)
		l.staged.Tally.Removed++
		return
	}
	if end != math.MaxInt64 {
		c.profile.Armed = end
	}
}

// empty removes c's state and all that is held of it, as of a minute.
func (l *Line) empty(c *customer, end string, minute int64) {
	l.withdrawAll(c, end, minute)
	l.forgetArm(c)
	c.profile = profile.Profile{}
	l.cache.keep(c, &profile.Customer{})
}
