package model

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"

	"ebb/scoring/encode"
	"ebb/scoring/moment"
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

// Calibration is the outcomes of probes, by cell of the score: how many there were and how many of their customers
// stayed silent. Event time is cut into epochs of an eighth of a horizon. Outcomes in the open epoch are counted in
// whole numbers, so that the order of additions does not matter. When it closes, the earlier counts fade and its own
// are added. So a curve is fixed for an epoch, and holds what was known when that began. The time constant is a
// horizon: by measurement on five logs, older outcomes mislead where the customers change, and fading costs no log a
// hundredth. The zero value has no probe, and no epoch has begun.
type Calibration struct {
	End      int64                       // minute since the epoch at which the open epoch ends; 0: none has begun
	Resolved [profile.ScoreCells]float64 // of closed epochs, as of the end of the last
	Silent   [profile.ScoreCells]float64
	Open     [profile.ScoreCells]Outcomes // of the open epoch
	Begun    uint32                       // probes that began in the open epoch
	Seldom   uint8                        // how often the time between two probes of a customer is doubled
}

// Outcomes counts probes.
type Outcomes struct{ Resolved, Silent uint32 }

// ErrCalibrationDamaged means that bytes are no calibration.
var ErrCalibrationDamaged = errors.New("calibration is damaged")

// scoreCell is the cell of a score in log-odds.
func scoreCell(score float64) int {
	return int(min(max(float64((score-lowestCell)*cellsPerUnit), 0), profile.ScoreCells-1))
}

// cellScore is the score in the middle of a cell.
func cellScore(cell int) float64 { return lowestCell + (float64(cell)+0.5)/cellsPerUnit }

// add notes a probe that has resolved.
func (c *Calibration) add(cell uint8, silent bool) {
	o := &c.Open[cell]
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

// close adds the open epoch's counts to the faded rest of those before it, and reports whether anything is left. It
// drops counts that have faded to almost nothing.
func (c *Calibration) close(fade float64) (any bool) {
	for i := range c.Resolved {
		c.Resolved[i] = float64(c.Resolved[i]*fade) + float64(c.Open[i].Resolved)
		c.Silent[i] = float64(c.Silent[i]*fade) + float64(c.Open[i].Silent)
		if c.Resolved[i] < leastProbes {
			c.Resolved[i], c.Silent[i] = 0, 0
		}
		any = any || c.Resolved[i] > 0
	}
	c.Open = [profile.ScoreCells]Outcomes{}
	c.thin()
	return any
}

// AppendCalibration appends c to dst: where the open epoch ends, which cells of closed epochs hold anything, and which
// cells of the open one, 8 bytes each; how seldom customers are probed, a byte; then 16 for each of the former, and the
// counts of each of the latter and the probes begun as varints.
func AppendCalibration(dst []byte, c *Calibration) []byte {
	le := binary.LittleEndian
	var closed, open uint64
	for i := range c.Resolved {
		if c.Resolved[i] > 0 {
			closed |= 1 << i
		}
		if c.Open[i].Resolved > 0 {
			open |= 1 << i
		}
	}
	dst = le.AppendUint64(dst, uint64(c.End))
	dst = append(le.AppendUint64(le.AppendUint64(dst, closed), open), c.Seldom)
	for ; closed != 0; closed &= closed - 1 {
		i := bits.TrailingZeros64(closed)
		dst = le.AppendUint64(dst, math.Float64bits(c.Resolved[i]))
		dst = le.AppendUint64(dst, math.Float64bits(c.Silent[i]))
	}
	for ; open != 0; open &= open - 1 {
		o := &c.Open[bits.TrailingZeros64(open)]
		dst = binary.AppendUvarint(binary.AppendUvarint(dst, uint64(o.Resolved)), uint64(o.Silent))
	}
	return binary.AppendUvarint(dst, uint64(c.Begun))
}

// ReadCalibration is the inverse of AppendCalibration. Errors: ErrCalibrationDamaged.
func ReadCalibration(b []byte, c *Calibration) error {
	*c = Calibration{}
	const head = 25
	if len(b) < head {
		return ErrCalibrationDamaged
	}
	closed, open := binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:])
	read := Calibration{End: encode.Int(b), Seldom: b[head-1]}
	if b = b[head:]; len(b) < 16*bits.OnesCount64(closed) {
		return ErrCalibrationDamaged
	}
	for ; closed != 0; closed &= closed - 1 {
		i := bits.TrailingZeros64(closed)
		n, silent := encode.Float(b), encode.Float(b[8:])
		if !encode.Within(n, leastProbes, mostProbes) || !encode.Within(silent, 0, n) {
			return ErrCalibrationDamaged
		}
		read.Resolved[i], read.Silent[i] = n, silent
		b = b[16:]
	}
	for ; open != 0; open &= open - 1 {
		n, rest := encode.CutUvarint(b)
		silent, rest := encode.CutUvarint(rest)
		if rest == nil || n == 0 || n > math.MaxUint32 || silent > n {
			return ErrCalibrationDamaged
		}
		read.Open[bits.TrailingZeros64(open)] = Outcomes{uint32(n), uint32(silent)}
		b = rest
	}
	begun, rest := encode.CutUvarint(b)
	read.Begun = uint32(begun)
	if rest == nil || len(rest) > 0 || begun > math.MaxUint32 || read.Seldom > mostSeldom || read.End < 0 ||
		read.End > moment.Max/moment.MinuteMillis*2 {
		return ErrCalibrationDamaged
	}
	*c = read
	return nil
}
