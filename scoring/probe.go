package scoring

// The stream labels itself. At instants of its own a customer's score is noted as a probe; a horizon later the same
// stream shows whether the customer was silent throughout. What became of the probes, by score, turns a score into a
// probability.

// probedSilence is for how many horizons of silence a customer is probed: who has been gone for longer says nothing
// about those whose probability is asked for.
const probedSilence = 2

// Probe is what a customer's profile remembers of its probes. The zero value has no instant yet: the customer's next
// activity gives it one.
type Probe struct {
	Next uint32 // minute since the epoch of the customer's next instant: what is pending resolves, and another begins
	Cell uint8  // 1 + cell of the score a horizon before Next; 0: nothing is pending
}

// at is the next instant, in ms since the epoch.
func (p *Probe) at() int64 { return int64(p.Next) * minuteMillis }

// Probe brings c's probes up to until, in ms: it adds to table what has resolved by then, and begins the next. One
// begins at each instant drawn for the customer, a horizon apart or by the table's choice a power of two of them,
// whatever the customer does; an instant at which it has been gone for long is passed over. c must hold the events up
// to until, so call it before each event with the ms before that, and before each Wake with the ms of its minute.
// Several calls do what the last alone would, and nothing but c.Probe is changed: what happens to c otherwise, and
// when it is looked at, does not depend on its probes. It takes constant time after however long a silence.
func (e *Evaluator) Probe(c *Customer, until int64, table *Calibration) {
	m, p := e.model, &c.Profile.Probe
	for p.Next != 0 && p.at() <= until {
		if p.Cell != 0 {
			table.add(p.Cell-1, c.Last <= p.at()-m.probeStep*minuteMillis)
			p.Cell = 0
		}
		if m.unprobed(c.Profile) {
			return
		}
		if p.at() < c.Last { // events came in disorder: what its score was then is no longer known
			m.Plan(c)
			continue
		}
		if next := m.instant(c, p.at(), table.Seldom); next > p.at() {
			p.Next = uint32(next / minuteMillis)
			continue
		}
		table.begin()
		score := e.Score(c, p.at())
		p.Cell = uint8(1 + scoreCell(score.Sum()))
		p.Next += uint32(m.probeStep)
	}
}

// ProbeMinute is the minute at which to bring the customer's probes up to date if no event does so before; 0: none.
func (m *Model) ProbeMinute(p *Profile) int64 {
	if p.Probe.Cell == 0 && m.unprobed(p) {
		return 0
	}
	return int64(p.Probe.Next)
}

// unprobed reports whether p will have been gone for too long at its next instant for a probe to begin.
func (m *Model) unprobed(p *Profile) bool {
	return p.Probe.at()-p.Last > probedSilence*m.probeStep*minuteMillis
}

// Plan gives a customer of whom nothing is pending its next instant after its last activity.
func (m *Model) Plan(c *Customer) {
	if p := &c.Profile.Probe; c.Visits > 0 && p.Cell == 0 && (p.Next == 0 || p.at() < c.Last) {
		p.Next = uint32(max(m.instant(c, c.Last, 0)/minuteMillis, 1))
	}
}

// instant is c's first one not before a time in ms, where instants are so many doublings of a horizon apart.
func (m *Model) instant(c *Customer, from int64, seldom uint8) int64 {
	step := m.probeStep << seldom
	return firstInstant(ceilMinute(from), int64(c.Draw%uint64(step)), step) * minuteMillis
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
