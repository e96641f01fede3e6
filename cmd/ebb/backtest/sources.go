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

// thaw takes into account how long the customer's source has been stalled up to a minute.
func (e *Engine) thaw(c *customer, minute int64) { e.sources.Thaw(&c.profile, minute) }

// probe updates the customer's probes up to an instant, each as of its own minute.
func (e *Engine) probe(c *customer, until int64) {
	e.sources.EachProbe(&c.profile, until, func(minute int64) { e.thaw(c, minute) }, func(at int64) {
		e.scorer.Eval.Probe(e.look(c), at, &e.calibration)
	})
}
