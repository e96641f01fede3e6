package model

import (
	"encoding/binary"
	"math"

	"ebb/scoring/encode"
	"ebb/scoring/exact"
	"ebb/scoring/profile"
)

const (
	EnoughProbes = 100 // weight of resolved probes below which no probability is learnt from them
	pointProbes  = 30  // least weight of the probes behind a point of the curve
)

// Curve turns scores into probabilities: monotone, linear between its points, level beyond them. The zero value is
// without probes.
type Curve struct {
	Probes float64 // weight of the resolved probes behind it

	n      int
	points [profile.ScoreCells]pooled
}

// pooled is a point of the curve while it is computed.
type pooled struct {
	ReadPoint
	weight float64
}

// ReadPoint is a point of a curve.
type ReadPoint struct{ LogOdds, Probability float64 }

// Curve computes the curve as of the last closed epoch: neighbouring cells are gathered until each group holds enough
// probes, and groups whose shares of silent customers would fall with the score are pooled.
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
		if group >= pointProbes || i == profile.ScoreCells-1 && group > 0 {
			curve.push(pooled{ReadPoint{score / group, (silent + 0.5) / (group + 1)}, group})
			group, silent, score = 0, 0, 0
		}
	}
	return curve
}

// push appends a point and pools those at the end that do not rise.
func (c *Curve) push(p pooled) {
	for c.n > 0 && c.points[c.n-1].Probability >= p.Probability {
		c.n--
		q := c.points[c.n]
		weight := q.weight + p.weight
		p = pooled{
			ReadPoint{
				LogOdds:     (float64(q.LogOdds*q.weight) + float64(p.LogOdds*p.weight)) / weight,
				Probability: (float64(q.Probability*q.weight) + float64(p.Probability*p.weight)) / weight,
			},
			weight,
		}
	}
	c.points[c.n] = p
	c.n++
}

// Provisional reports whether too few probes have resolved: then a probability is the score's own.
func (c *Curve) Provisional() bool { return c.Probes < EnoughProbes }

// Probability is the chance of a silent horizon at a score in log-odds.
func (c *Curve) Probability(score float64) float64 {
	r := c.At(score)
	return r.Probability(score)
}

// At is the reading at a score in log-odds.
func (c *Curve) At(score float64) Reading {
	r := Reading{Probes: uint32(min(c.Probes, 1<<32-1))}
	if c.n == 0 {
		return r
	}
	i := 0
	for i < c.n && c.points[i].LogOdds < score {
		i++
	}
	if i > 0 {
		r.Points[r.Number] = c.points[i-1].ReadPoint
		r.Number++
	}
	if i < c.n {
		r.Points[r.Number] = c.points[i].ReadPoint
		r.Number++
	}
	return r
}

// Reading is the part of a curve that a probability is read from, enough to read it again, bit for bit. The zero value
// is without probes.
type Reading struct {
	Probes uint32       // weight of the resolved probes behind the curve, rounded down
	Number uint8        // of points; 0: too few probes
	Points [2]ReadPoint // the neighbours, ascending; the one at the end where the score is beyond it
}

// Provisional reports whether too few probes have resolved.
func (r *Reading) Provisional() bool { return r.Number == 0 }

// Probability is the chance of a silent horizon at a score in log-odds.
func (r *Reading) Probability(score float64) float64 {
	low, high := r.Points[0], r.Points[1]
	switch r.Number {
	case 0:
		return exact.Sigmoid(score)
	case 1:
		return low.Probability
	}
	share := (score - low.LogOdds) / (high.LogOdds - low.LogOdds)
	return low.Probability + float64(share*(high.Probability-low.Probability))
}

// Append appends the reading: Probes as a varint, the number of points, 16 bytes each.
func (r *Reading) Append(dst []byte) []byte {
	dst = append(binary.AppendUvarint(dst, uint64(r.Probes)), r.Number)
	for _, p := range r.Points[:r.Number] {
		dst = encode.AppendFloat(encode.AppendFloat(dst, p.LogOdds), p.Probability)
	}
	return dst
}

// Read reads the bytes of Append. Bytes that are no reading leave from damaged.
func (r *Reading) Read(from *encode.Reader) {
	*r = Reading{Probes: uint32(from.UvarintUpTo(math.MaxUint32)), Number: from.Byte()}
	if int(r.Number) > len(r.Points) {
		from.Damage()
		r.Number = 0
	}
	for i := range r.Points[:r.Number] {
		r.Points[i] = ReadPoint{from.Finite(), from.Finite()}
	}
}
