package model

import (
	"math/bits"

	"ebb/scoring/encode"
	"ebb/scoring/profile"
)

const (
	lowestCell   = -8.0 // log-odds at which the first cell begins; lower scores belong to it too
	cellsPerUnit = 4.0  // of log-odds

	leastProbes = 0x1p-20 // weight below which a cell is empty
	mostProbes  = 1e15    // weight that no cell reaches

	epochsPerHorizon = 8

	// enoughBegun is how many probes an epoch has to begin: with eight epochs to a horizon of fading, this makes a table
	// of some nine thousand. With more customers, each of them is probed less often.
	enoughBegun = 1024
	mostSeldom  = 16 // doublings
)

// Calibration is the outcomes of probes, by class of customer and cell of the score: how many there were and how many
// of their customers stayed silent. Event time is cut into epochs of an eighth of a horizon. Outcomes in the open epoch
// are counted in whole numbers, so that the order of additions does not matter. When it closes, the earlier counts fade
// and its own are added. So a curve is fixed for an epoch, and holds what was known when that began. The time constant
// is a horizon: by measurement on five logs, older outcomes mislead where the customers change, and fading costs no log
// a hundredth. The zero value has no probe, and no epoch has begun.
type Calibration struct {
	End       int64                     // minute since the epoch at which the open epoch ends; 0: none has begun
	Classes   [profile.NumClasses]Table // outcomes by class of customer
	Unclassed Table                     // outcomes of probes that began before classes were kept
	Begun     uint32                    // probes that began in the open epoch
	Seldom    uint8                     // how often the time between two probes of a customer is doubled
}

// Table is the outcomes of some customers' probes, by cell of the score.
type Table struct {
	Resolved [profile.ScoreCells]float64 // of closed epochs, as of the end of the last
	Silent   [profile.ScoreCells]float64
	Open     [profile.ScoreCells]Outcomes // of the open epoch
}

// Outcomes counts probes.
type Outcomes struct{ Resolved, Silent uint32 }

// scoreCell is the cell of a score in log-odds.
func scoreCell(score float64) int {
	return int(min(max(float64((score-lowestCell)*cellsPerUnit), 0), profile.ScoreCells-1))
}

// cellScore is the score in the middle of a cell.
func cellScore(cell int) float64 { return lowestCell + (float64(cell)+0.5)/cellsPerUnit }

// add notes a probe that has resolved, of 1 + a class; 0: it is not known.
func (c *Calibration) add(cell, class uint8, silent bool) {
	t := &c.Unclassed
	if class > 0 {
		t = &c.Classes[class-1]
	}
	o := &t.Open[cell]
	o.Resolved = encode.Increment(o.Resolved)
	if silent && o.Silent < o.Resolved {
		o.Silent++
	}
}

// begin notes a probe that begins.
func (c *Calibration) begin() { c.Begun = encode.Increment(c.Begun) }

// thin sets how seldom customers are probed in the next epoch: as seldom as possible without running short of probes.
// It reduces the number at once, and raises it by one doubling per epoch.
func (c *Calibration) thin() {
	all := uint64(c.Begun) << c.Seldom
	seldom := uint8(min(bits.Len64(all/(enoughBegun+1)), mostSeldom))
	c.Begun, c.Seldom = 0, max(seldom, max(c.Seldom, 1)-1)
}

// EpochEnd is the end of the epoch of a minute; no time is before the first epoch.
func (m *Model) EpochEnd(minute int64) int64 { return (max(minute, 0)/m.epochStep + 1) * m.epochStep }

// Advance closes every epoch of c that ends at or before a minute, in order, and reports whether there was one: then
// the curve has changed. Where none has begun it begins that of the minute. It skips time after which nothing is left
// to fade, so the work is bounded however far away the minute is.
func (m *Model) Advance(c *Calibration, minute int64) bool {
	beyond := m.EpochEnd(minute)
	if c.End == 0 {
		c.End = beyond
	}
	if minute < c.End {
		return false
	}
	for c.End < beyond {
		c.End += m.epochStep
		if !c.close(m.epochFade) {
			c.End = beyond
		}
	}
	return true
}

// close adds the open epoch's counts to the faded rest of those before it, and reports whether anything is left.
func (c *Calibration) close(fade float64) (any bool) {
	any = c.Unclassed.close(fade)
	for i := range c.Classes {
		any = c.Classes[i].close(fade) || any
	}
	c.thin()
	return any
}

// close is Calibration.close of one table. It drops counts that have faded to almost nothing.
func (t *Table) close(fade float64) (any bool) {
	for i := range t.Resolved {
		t.Resolved[i] = float64(t.Resolved[i]*fade) + float64(t.Open[i].Resolved)
		t.Silent[i] = float64(t.Silent[i]*fade) + float64(t.Open[i].Silent)
		if t.Resolved[i] < leastProbes {
			t.Resolved[i], t.Silent[i] = 0, 0
		}
		any = any || t.Resolved[i] > 0
	}
	t.Open = [profile.ScoreCells]Outcomes{}
	return any
}

// All is the outcomes of all customers' probes.
func (c *Calibration) All() Table {
	all := c.Unclassed
	for k := range c.Classes {
		t := &c.Classes[k]
		for i := range t.Resolved {
			all.Resolved[i] += t.Resolved[i]
			all.Silent[i] += t.Silent[i]
			all.Open[i].Resolved += t.Open[i].Resolved
			all.Open[i].Silent += t.Open[i].Silent
		}
	}
	return all
}
