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
	PointProbes  = 30  // least weight of the probes behind a point of the curve
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

// Curves are those of all customers, and of each class. The zero value is without probes.
type Curves struct {
	All     Curve
	Classes [profile.NumClasses]Curve
}

// Curves computes the curves as of the last closed epoch.
func (c *Calibration) Curves() Curves {
	curves := Curves{All: c.Curve()}
	for i := range c.Classes {
		curves.Classes[i] = c.Classes[i].Curve()
	}
	return curves
}

// Curve computes the curve of all customers.
func (c *Calibration) Curve() Curve {
	all := c.All()
	return all.Curve()
}

// Of is the reading at a score of a customer with activity, under a model.
func (c *Curves) Of(m *Model, s *Score) Reading { return c.At(m.ClassOf(s), s.Sum()) }

// At is the reading at a score in log-odds of a customer of a class: by the customers of that class where enough of
// their probes have resolved, else by all.
func (c *Curves) At(class profile.Class, score float64) Reading {
	if own := &c.Classes[class]; !own.Provisional() {
		r := own.At(score)
		r.OfClass = true
		return r
	}
	return c.All.At(score)
}

// Curve computes the curve as of the last closed epoch: neighbouring cells are gathered until each group holds enough
// probes, and groups whose shares of silent customers would fall with the score are pooled. What is left at the end
// belongs to the last group.
func (t *Table) Curve() Curve {
	var curve Curve
	for _, n := range t.Resolved {
		curve.Probes += n
	}
	if curve.Provisional() {
		return curve
	}
	var last, next gathered
	for i, n := range t.Resolved {
		next.add(gathered{n, t.Silent[i], float64(n * cellScore(i))})
		if next.probes >= PointProbes {
			if last.probes > 0 {
				curve.push(last.point())
			}
			last, next = next, gathered{}
		}
	}
	last.add(next)
	curve.push(last.point())
	for i := range curve.points[:curve.n] { // an alert holds the points, so they have few digits
		p := &curve.points[i]
		p.LogOdds, p.Probability = micro(p.LogOdds), micro(p.Probability)
	}
	return curve
}

// micro is v to six decimals.
func micro(v float64) float64 {
	if v < 0 {
		return -micro(-v)
	}
	return float64(int64(float64(v*1e6)+0.5)) / 1e6
}

// gathered is some cells together: their probes, those of them that stayed silent, and the sum of their scores.
type gathered struct{ probes, silent, score float64 }

func (g *gathered) add(o gathered) {
	g.probes += o.probes
	g.silent += o.silent
	g.score += o.score
}

func (g *gathered) point() pooled {
	return pooled{ReadPoint{g.score / g.probes, (g.silent + 0.5) / (g.probes + 1)}, g.probes}
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
func (c *Curve) At(score float64) (r Reading) {
	if c.n == 0 {
		r.Probes = uint32(c.Probes)
		return r
	}
	i, behind := 0, 0.0
	for i < c.n && c.points[i].LogOdds < score {
		i++
	}
	for _, p := range c.points[max(i-1, 0):min(i+1, c.n)] {
		r.Points[r.Number] = p.ReadPoint
		r.Number++
		behind += p.weight
	}
	r.Probes = uint32(min(behind, math.MaxUint32))
	return r
}

// Reading is the part of a curve that a probability is read from, enough to read it again, bit for bit. The zero value
// is without probes.
type Reading struct {
	// weight of the resolved probes behind the points, rounded down, so never more than there were; without a point, of
	// all that have resolved
	Probes  uint32
	Number  uint8        // of points; 0: too few probes
	Points  [2]ReadPoint // the neighbours, ascending; the one at the end where the score is beyond it
	OfClass bool         // the probes are those of customers of the same class
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

// ofClass in the byte for the number of points marks a reading by the customer's class.
const ofClass = 0x80

// Append appends the reading: Probes as a varint, the number of points, 16 bytes each.
func (r *Reading) Append(dst []byte) []byte {
	number := r.Number
	if r.OfClass {
		number |= ofClass
	}
	dst = append(binary.AppendUvarint(dst, uint64(r.Probes)), number)
	for _, p := range r.Points[:r.Number] {
		dst = encode.AppendFloat(encode.AppendFloat(dst, p.LogOdds), p.Probability)
	}
	return dst
}

// Read reads the bytes of Append. Bytes that are no reading leave from damaged.
func (r *Reading) Read(from *encode.Reader) {
	*r = Reading{Probes: uint32(from.UvarintUpTo(math.MaxUint32))}
	number := from.Byte()
	if r.Number, r.OfClass = number&^ofClass, number&ofClass != 0; int(r.Number) > len(r.Points) {
		from.Damage()
		r.Number = 0
	}
	for i := range r.Points[:r.Number] {
		r.Points[i] = ReadPoint{from.Finite(), from.Finite()}
	}
}
