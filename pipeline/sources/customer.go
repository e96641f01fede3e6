package sources

import "ebb/scoring/profile"

// Thaw takes into account for a customer how long its source has been stalled up to a minute. It reports whether the
// customer's times have moved on, and whether the source is stalled then.
func (t *Table) Thaw(p *profile.Profile, minute int64) (moved, stalled bool) {
	if !t.Froze {
		return false, false
	}
	frozen, stalled := t.Frozen(p.Source.Number, minute)
	return p.Thaw(frozen), stalled
}

// Depend notes that a customer, who was active at a minute, depends on the source of a number.
func (t *Table) Depend(p *profile.Profile, number uint8, minute int64) {
	frozen, _ := t.Frozen(number, minute)
	p.Depend(number, frozen)
}

// recheck is after how many minutes a customer is looked at again whose source may be back.
const recheck = 10

// Waits thaws a customer who is to be looked at at its armed minute, and reports whether it is not to be: some of the
// time up to there does not count, or does not yet. Then it is armed again.
func (t *Table) Waits(p *profile.Profile, minute int64) (moved, waits bool) {
	moved, stalled := t.Thaw(p, minute)
	if stalled && p.Armed == minute { // its source may be back, which the end of the hour tells
		p.Armed = minute + recheck
	}
	return moved, p.Armed != minute
}

// EachProbe calls probe with the instants, in ms, as of which a customer's probes are updated up to one: with that alone
// where no source was ever stalled, else with each one's own, for whose minute thaw has thawed the customer.
func (t *Table) EachProbe(p *profile.Profile, until int64, thaw, probe func(at int64)) {
	for {
		next := p.Probe.Next
		if next == 0 || p.Probe.At() > until {
			return
		}
		at := until
		if t.Froze {
			at = p.Probe.At()
			thaw(int64(next))
		}
		if p.Probe.At() <= at {
			probe(at)
		}
		if at == until || p.Probe.Next == next {
			return
		}
	}
}
