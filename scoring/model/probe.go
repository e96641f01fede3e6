package model

import (
	"ebb/scoring/moment"
	"ebb/scoring/profile"
)

// The stream labels itself. At instants of its own a customer's score is noted as a probe; a horizon later the same
// stream shows whether the customer was silent throughout. What became of the probes, by score, turns a score into a
// probability.

// probedSilence is for how many horizons of silence a customer is probed: who has been gone for longer says nothing
// about those whose probability is asked for.
const probedSilence = 2

// Probe brings c's probes up to until, in ms: it adds to table what has resolved by then, and begins the next. One
// begins at each instant drawn for the customer, a horizon apart or by the table's choice a power of two of them,
// whatever the customer does; an instant at which it has been gone for long is passed over. c must hold the events up
// to until, so call it before each event with the ms before that, and before each Wake with the ms of its minute.
// Several calls do what the last alone would, and nothing but c.Probe is changed: what happens to c otherwise, and
// when it is looked at, does not depend on its probes. It takes constant time after however long a silence.
func (e *Evaluator) Probe(c *profile.Customer, until int64, table *Calibration) {
	m, p := e.model, &c.Profile.Probe
	for p.Next != 0 && p.At() <= until {
		if p.Cell != 0 {
			table.add(p.Cell-1, c.Last <= p.At()-m.probeStep*moment.MinuteMillis)
			p.Cell = 0
		}
		if m.unprobed(c.Profile) {
			return
		}
		if p.At() < c.Last { // events came in disorder: what its score was then is no longer known
			m.Plan(c)
			continue
		}
		if next := m.instant(c, p.At(), table.Seldom); next > p.At() {
			p.Next = uint32(next / moment.MinuteMillis)
			continue
		}
		table.begin()
		score := e.Score(c, p.At())
		p.Cell = uint8(1 + scoreCell(score.Sum()))
		p.Next += uint32(m.probeStep)
	}
}

// ProbeMinute is the minute at which to bring the customer's probes up to date if no event does so before; 0: none.
func (m *Model) ProbeMinute(p *profile.Profile) int64 {
	if p.Probe.Cell == 0 && m.unprobed(p) {
		return 0
	}
	return int64(p.Probe.Next)
}

// unprobed reports whether p will have been gone for too long at its next instant for a probe to begin.
func (m *Model) unprobed(p *profile.Profile) bool {
	return p.Probe.At()-p.Last > probedSilence*m.probeStep*moment.MinuteMillis
}

// Plan gives a customer of whom nothing is pending its next instant after its last activity.
func (m *Model) Plan(c *profile.Customer) {
	if p := &c.Profile.Probe; c.Visits > 0 && p.Cell == 0 && (p.Next == 0 || p.At() < c.Last) {
		p.Next = uint32(max(m.instant(c, c.Last, 0)/moment.MinuteMillis, 1))
	}
}

// instant is c's first one not before a time in ms, where instants are so many doublings of a horizon apart.
func (m *Model) instant(c *profile.Customer, from int64, seldom uint8) int64 {
	step := m.probeStep << seldom
	return firstInstant(moment.CeilMinute(from), int64(c.Hash%uint64(step)), step) * moment.MinuteMillis
}

// firstInstant is the first time not before from that lies phase beyond a multiple of step.
func firstInstant(from, phase, step int64) int64 {
	behind := (from - phase) % step
	switch {
	case behind > 0:
		return from + step - behind
	default:
		return from - behind
	}
}
