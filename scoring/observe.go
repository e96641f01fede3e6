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
	Texts      [][]byte           // in the order of Pack.Carry, as sent; none where nothing is carried
	Contact    profile.ContactChange
}

// Observe folds one event into c and pop, re-arms c, and returns the decisions of the event itself: a lapse ends with
// activity newer than the last (activity that only arrives late ends no silence), then it converts with the pack's
// value action, then episodes of other kinds open, get worse or end. Of an event that is activity and friction the
// friction is folded first: the trouble that brings somebody back counts in the score with which the lapse ends. The
// decisions are valid until the next call of s. An event without effect changes nothing but how the customer may be
// written to.
func (s *Scorer) Observe(c *profile.Customer, pop *profile.Population, o *Observation) []Decision {
	s.decisions, s.TooLate = s.decisions[:0], false
	if o.Contact != (profile.ContactChange{}) {
		s.contact(c, o)
	}
	if !o.Signal.Effective() {
		return nil
	}
	if c.Contacted() {
		c.At = 0 // the event is the first that counts, whenever the customer said how to be written to
	}
	silence := o.Time - c.Last
	known := c.Visits > 0
	m, signal := &s.Pack.Model, &o.Signal
	if signal.Trouble != 0 {
		s.noteTrouble(c.Profile, o)
	}
	m.Fold(c.Profile, pop, o.Time, signal.Activity, signal.Friction)
	// money of a second currency is not added to that of the first
	priced := o.HasValue && (signal.Named&s.Pack.Money == 0 || c.Money.Takes(o.Currency))
	c.Features, s.TooLate = m.Features.Fold(
		c.Features,
		&feature.Event{Time: o.Time, Set: signal.Named, Value: o.Value, HasValue: priced, Properties: o.Properties},
	)
	if len(o.Texts) > 0 {
		s.carry(c, o)
	}
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
		c.Course.Over = false
		m.NoteReturn(c.Profile, silence, o.Time)
		if c.Lapse.Tier != profile.TierNone {
			s.endLapse(c, silence, o.Time)
		}
	}
	if c.Awaited.RaisedAt != 0 {
		s.convert(c, o)
	}
	if signal.Named&s.Pack.Triggers != 0 {
		s.applyTriggers(c, o)
	}
	s.rearm(c)
	return s.decisions
}

// contact keeps what an event says of how its customer may be written to. Of a customer who is not known yet this is
// the first state: a sign-up says so once, before anything else.
func (s *Scorer) contact(c *profile.Customer, o *Observation) {
	c.Contact = c.Contact.Apply(o.Time, &o.Contact)
	if c.Empty() {
		c.At = o.Time
	}
}

// carry keeps the facts of an event.
func (s *Scorer) carry(c *profile.Customer, o *Observation) {
	for i, text := range o.Texts {
		f := &s.Pack.Carry[i]
		if len(text) == 0 || o.Signal.Named&f.Signal == 0 {
			continue
		}
		if s.text = pack.AppendFact(s.text[:0], text); len(s.text) > 0 {
			c.Facts = c.Facts.Put(f.Mark, o.Time, s.text)
		}
	}
}
