package model

import (
	"ebb/scoring/moment"
	"ebb/scoring/profile"
)

// The stream labels itself. At certain instants a customer's score is noted as a probe. A horizon later the stream
// shows whether the customer was silent throughout. The outcomes of the probes, by score and by class of customer, turn
// a score into a probability.

// probedSilence is for how many horizons of silence a customer is probed: longer silences contain nothing about the
// customers whose probability is needed.
const probedSilence = 2

// Probe updates c's probes up to until, in ms: it adds to table what has resolved by then, and begins the next. One
// begins at each instant drawn for the customer, a horizon apart or, if the table requires it, a power of two of
// horizons. The instants do not depend on what the customer does, and those after a long silence are skipped. c must
// hold the events up to until, so Probe is called before each event with the ms before that, and before each Wake with
// the ms of its minute. Several calls have the effect of the last alone. Only c.Probe changes: nothing else about c,
// and no deadline, depends on its probes. It takes constant time after a silence of any length.
func (e *Evaluator) Probe(c *profile.Customer, until int64, table *Calibration) {
	m, p := e.model, &c.Profile.Probe
	for p.Next != 0 && p.At() <= until {
		if p.Cell != 0 {
			table.add(p.Cell-1, p.Class, c.Last <= p.At()-m.probeStep*moment.MinuteMillis)
			p.Cell, p.Class = 0, 0
		}
		if m.unprobed(c.Profile) {
			return
		}
		if p.At() < c.Last { // events came in disorder, so the score at that time is lost
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
		p.Class = 1 + uint8(m.ClassOf(&score))
		p.Next += uint32(m.probeStep)
	}
}

// ProbeMinute is the minute of the next update of the customer's probes if no event comes before; 0: none.
func (m *Model) ProbeMinute(p *profile.Profile) int64 {
	if p.Probe.Cell == 0 && m.unprobed(p) {
		return 0
	}
	return int64(p.Probe.Next)
}

// unprobed reports whether p will have been silent for too long at its next instant for a probe to begin.
func (m *Model) unprobed(p *profile.Profile) bool {
	return p.Probe.At()-p.Last > probedSilence*m.probeStep*moment.MinuteMillis
}

// Plan gives a customer without a pending probe its next instant after its last activity.
func (m *Model) Plan(c *profile.Customer) {
	if p := &c.Profile.Probe; c.Visits > 0 && p.Cell == 0 && (p.Next == 0 || p.At() < c.Last) {
		p.Next = uint32(max(m.instant(c, c.Last, 0)/moment.MinuteMillis, 1))
	}
}

// instant is c's first instant not before a time in ms, where instants are so many doublings of a horizon apart.
func (m *Model) instant(c *profile.Customer, from int64, seldom uint8) int64 {
	step := m.probeStep << seldom
	return firstInstant(moment.CeilMinute(from), int64(c.Hash%uint64(step)), step) * moment.MinuteMillis
}

// firstInstant is the first time not before from that is phase after a multiple of step.
func firstInstant(from, phase, step int64) int64 {
	behind := (from - phase) % step
	switch {
	case behind > 0:
		return from + step - behind
	default:
		return from - behind
	}
}
