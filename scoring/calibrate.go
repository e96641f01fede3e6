package scoring

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
)

// The stream labels itself. At instants of its own a customer's score is noted as a probe; a horizon later the same stream
// shows whether the customer was silent throughout. What became of the probes, by score, turns a score into a probability.
const (
	scoreCells   = 64
	lowestCell   = -8.0 // log-odds at which the first cell begins; lower scores belong to it too
	cellsPerUnit = 4.0  // of log-odds

	enoughProbes = 100     // weight of resolved probes below which a probability is not learnt from them
	pointProbes  = 30      // weight of the probes that a point of the curve rests on, at least
	leastProbes  = 0x1p-20 // weight below which a cell is empty
	mostProbes   = 1e15    // weight that no cell reaches

	// probedSilence is for how many horizons of silence a customer is probed: who has been gone for longer says nothing
	// about those whose probability is asked for.
	probedSilence = 2
)

// Probe is a customer's pending probe: what there is to remember until it is resolved. The zero value has begun nothing.
type Probe struct {
	Start int64 // instant of the latest probe, ms since the epoch; 0: none yet
	Cell  uint8 // 1 + cell of the score at Start; 0: nothing is pending
}

// Calibration is what became of probes, by cell of the score: how many there were and how many of their customers stayed
// silent. Both fade with event time, with a time constant of a horizon: measured on five logs, what was learnt longer ago
// misleads where the customers change, and no log loses a hundredth by forgetting it. The order of additions does not matter,
// apart from rounding. The zero value has seen no probe.
type Calibration struct {
	At       int64 // event time that the weights refer to, ms since the epoch
	Resolved [scoreCells]float64
	Silent   [scoreCells]float64
}

// ErrCalibrationDamaged says that bytes are no calibration.
var ErrCalibrationDamaged = errors.New("calibration is damaged")

// Probe brings a customer's probes up to until: it adds to c what has resolved by then, and begins the next. One begins at
// each instant drawn for the customer, a horizon apart, whatever the customer does. customer must hold the events up to
// until, so call it before each event with the ms before that, and wherever the calibration is asked for. draw is a hash of
// the customer. It takes constant time after however long a silence.
func (s *Scorer) Probe(probe *Probe, customer *Customer, draw uint64, until int64, c *Calibration) {
	p := customer.Profile
	if p.Visits == 0 {
		return
	}
	horizon := s.Horizon.Milliseconds()
	for {
		next := probe.Start + horizon
		if probe.Cell == 0 {
			next = firstInstant(max(next, p.First, p.Last), int64(draw%uint64(horizon)), horizon)
		}
		if next > until {
			return
		}
		if probe.Cell != 0 {
			c.add(int(probe.Cell-1), p.Last <= probe.Start, next, s.horizon)
		}
		*probe = Probe{Start: next}
		if next-p.Last > probedSilence*horizon {
			return // and nothing begins before the customer is back
		}
		score := s.Score(customer, next)
		probe.Cell = uint8(1 + scoreCell(score.Sum()))
	}
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

// scoreCell is the cell of a score in log-odds.
func scoreCell(score float64) int {
	return int(min(max(float64((score-lowestCell)*cellsPerUnit), 0), scoreCells-1))
}

// cellScore is the score in the middle of a cell.
func cellScore(cell int) float64 { return lowestCell + (float64(cell)+0.5)/cellsPerUnit }

// add notes a probe that resolved at a time; fade is the time constant in days.
func (c *Calibration) add(cell int, silent bool, at int64, fade float64) {
	weight := 1.0
	if at > c.At {
		c.fade(faded(1, at-c.At, fade))
		c.At = at
	} else {
		weight = faded(1, c.At-at, fade)
	}
	if weight < leastProbes {
		return
	}
	c.Resolved[cell] += weight
	if silent {
		c.Silent[cell] += weight
	}
}

// fade multiplies all weights. What has all but gone is forgotten.
func (c *Calibration) fade(by float64) {
	for i := range c.Resolved {
		c.Resolved[i] = float64(c.Resolved[i] * by)
		c.Silent[i] = float64(c.Silent[i] * by)
		if c.Resolved[i] < leastProbes {
			c.Resolved[i], c.Silent[i] = 0, 0
		}
	}
}

// Curve turns scores into probabilities: monotone, linear between its points, level beyond them. The zero value has learnt
// nothing.
type Curve struct {
	Probes float64 // weight of the resolved probes behind it

	n      int
	points [scoreCells]curvePoint
}

type curvePoint struct{ score, probability, weight float64 }

// Curve reads the table: neighbouring cells are gathered until each group holds enough probes, and groups whose shares of
// silent ones would fall with the score are pooled.
func (c *Calibration) Curve() Curve {
	var curve Curve
	for _, n := range c.Resolved {
		curve.Probes += n
	}
	if curve.Provisional() {
		return curve
	}
	var group, silent, score float64
	for i, n := range c.Resolved {
		group += n
		silent += c.Silent[i]
		score += float64(n * cellScore(i))
		if group >= pointProbes || i == scoreCells-1 && group > 0 {
			curve.push(curvePoint{score / group, (silent + 0.5) / (group + 1), group})
			group, silent, score = 0, 0, 0
		}
	}
	return curve
}

// push appends a point and pools those at the end that do not rise.
func (c *Curve) push(p curvePoint) {
	for c.n > 0 && c.points[c.n-1].probability >= p.probability {
		c.n--
		q := c.points[c.n]
		weight := q.weight + p.weight
		p = curvePoint{
			score:       (float64(q.score*q.weight) + float64(p.score*p.weight)) / weight,
			probability: (float64(q.probability*q.weight) + float64(p.probability*p.weight)) / weight,
			weight:      weight,
		}
	}
	c.points[c.n] = p
	c.n++
}

// Provisional reports whether too few probes have resolved to learn from: then a probability is the score's own.
func (c *Curve) Provisional() bool { return c.Probes < enoughProbes }

// Probability is the chance of a silent horizon at a score in log-odds.
func (c *Curve) Probability(score float64) float64 {
	if c.n == 0 {
		return sigmoid(score)
	}
	below := c.points[0]
	if score <= below.score {
		return below.probability
	}
	for _, above := range c.points[1:c.n] {
		if score <= above.score {
			share := (score - below.score) / (above.score - below.score)
			return below.probability + float64(share*(above.probability-below.probability))
		}
		below = above
	}
	return below.probability
}

// AppendCalibration appends c to dst: 16 bytes, and 16 for each cell in which there is anything.
func AppendCalibration(dst []byte, c *Calibration) []byte {
	le := binary.LittleEndian
	var used uint64
	for i, n := range c.Resolved {
		if n > 0 {
			used |= 1 << i
		}
	}
	dst = le.AppendUint64(dst, uint64(c.At))
	dst = le.AppendUint64(dst, used)
	for ; used != 0; used &= used - 1 {
		i := bits.TrailingZeros64(used)
		dst = le.AppendUint64(dst, math.Float64bits(c.Resolved[i]))
		dst = le.AppendUint64(dst, math.Float64bits(c.Silent[i]))
	}
	return dst
}

// ReadCalibration is the inverse of AppendCalibration. Errors: ErrCalibrationDamaged.
func ReadCalibration(b []byte, c *Calibration) error {
	*c = Calibration{}
	if len(b) < 16 {
		return ErrCalibrationDamaged
	}
	used := binary.LittleEndian.Uint64(b[8:])
	if len(b) != 16+16*bits.OnesCount64(used) {
		return ErrCalibrationDamaged
	}
	var read Calibration
	read.At = getInt(b)
	for b = b[16:]; used != 0; used &= used - 1 {
		i := bits.TrailingZeros64(used)
		n, silent := getFloat(b), getFloat(b[8:])
		if !within(n, leastProbes, mostProbes) || !within(silent, 0, n) {
			return ErrCalibrationDamaged
		}
		read.Resolved[i], read.Silent[i] = n, silent
		b = b[16:]
	}
	if read.At < 0 || read.At > maxTime {
		return ErrCalibrationDamaged
	}
	*c = read
	return nil
}
