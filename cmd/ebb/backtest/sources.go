package backtest

import "ebb/pipeline/sources"

// The same guard as in the line, where package line has the reasons. Time is that of the newest event, without lateness.
// A customer is looked at only at its own events and at dates, so what is known of past minutes is kept.

// hear notes the life of an event's source, and returns the source's number.
func (e *Engine) hear(ev *Event) uint8 {
	if !e.guard {
		return sources.Own
	}
	now := max(e.newest, ev.Time)
	e.sources.Reach(now)
	return e.sources.Heard(ev.SourceHash, ev.Source, now)
}

// thaw takes into account how long the customer's source has been stalled up to a minute, and reports whether it is then.
func (e *Engine) thaw(c *customer, minute int64) (stalled bool) {
	frozen, stalled := e.sources.Frozen(c.profile.Source.Number, minute)
	c.profile.Thaw(frozen)
	return stalled
}

// recheck is after how many minutes a customer is looked at again whose source may be back.
const recheck = 10

// waits reports whether a customer is not to be looked at at its armed minute.
func (e *Engine) waits(c *customer, minute int64) bool {
	if e.thaw(c, minute) && c.profile.Armed == minute {
		c.profile.Armed = minute + recheck
	}
	return c.profile.Armed != minute
}

// probe updates the customer's probes up to an instant, each as of its own minute.
func (e *Engine) probe(c *customer, until int64) {
	for {
		next := c.profile.Probe.Next
		if next == 0 || c.profile.Probe.At() > until {
			return
		}
		at := until
		if e.sources.Froze {
			at = c.profile.Probe.At()
			e.thaw(c, int64(next))
		}
		if c.profile.Probe.At() <= at {
			e.scorer.Eval.Probe(e.look(c), at, &e.calibration)
		}
		if at == until || c.profile.Probe.Next == next {
			return
		}
	}
}
