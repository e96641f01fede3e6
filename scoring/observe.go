package scoring

import (
	"ebb/scoring/feature"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// Observation is one event in the form that scoring reads.
type Observation struct {
	Time       int64 // event time, ms since the epoch
	Signal     pack.Signal
	Value      int64 // money in minor units of Currency
	HasValue   bool
	Currency   profile.Currency   // zero: the event names none
	Properties []feature.Property // in the order of Pack.Properties; the last ones may be missing
}

// Observe folds one event into c and pop, re-arms c, and returns the decisions of the event itself: a lapse ends with
// activity newer than the last (activity that only arrives late ends no silence), and episodes of other kinds open, get
// worse or end. The decisions are valid until the next call of s. An event without effect changes nothing.
func (s *Scorer) Observe(c *profile.Customer, pop *profile.Population, o *Observation) []Decision {
	s.decisions = s.decisions[:0]
	if !o.Signal.Effective() {
		return nil
	}
	silence := o.Time - c.Last
	known := c.Visits > 0
	m, signal := &s.Pack.Model, &o.Signal
	m.Fold(c.Profile, pop, o.Time, signal.Activity, signal.Friction)
	// money of a second currency is not added to that of the first
	priced := o.HasValue && (signal.Named&s.Pack.Money == 0 || c.Money.Takes(o.Currency))
	c.Features, _ = m.Features.Fold(
		c.Features,
		&feature.Event{Time: o.Time, Set: signal.Named, Value: o.Value, HasValue: priced, Properties: o.Properties},
	)
	if signal.Named&m.Stages.Until != 0 {
		c.Onboarded = true
	}
	if signal.Named&s.Pack.Eligible.By != 0 {
		c.Eligible = true
	}
	if s.Pack.Alerts(c.Profile) {
		m.Plan(c) // others say nothing about the customers whose probability is needed
	}
	if signal.Activity && known && silence > 0 {
		m.NoteReturn(c.Profile, silence, o.Time)
		if c.Lapse.Tier != profile.TierNone {
			s.endLapse(c, silence, o.Time)
		}
	}
	if signal.Named&s.Pack.Triggers != 0 {
		s.applyTriggers(c, o)
	}
	s.rearm(c)
	return s.decisions
}
