package uplift

import "math"

// Quantiles of the normal distribution: what 95 % of it lie within, and 80 % below.
const (
	z95 = 1.959963984540054
	z80 = 0.8416212335729143
)

// sample is some customers of an arm, and how many of them had the outcome.
type sample struct{ n, outcomes float64 }

// rate is the share with the outcome; 0 of nobody.
func (s sample) rate() float64 {
	if s.n == 0 {
		return 0
	}
	return s.outcomes / s.n
}

// wilson is the 95 % score interval of the rate (E. B. Wilson, Journal of the American Statistical Association 22, 1927).
func (s sample) wilson() (low, high float64) {
	p, square := s.rate(), z95*z95
	middle, half := p+square/(2*s.n), z95*math.Sqrt(p*(1-p)/s.n+square/(4*s.n*s.n))
	return (middle - half) / (1 + square/s.n), (middle + half) / (1 + square/s.n)
}

// newcombe is the 95 % interval of a's rate less b's, from the score intervals of both: method 10 of R. G. Newcombe,
// Statistics in Medicine 17, 1998, 873-890. Unlike that of the normal distribution it holds where outcomes are few.
func newcombe(a, b sample) (low, high float64) {
	lowA, highA := a.wilson()
	lowB, highB := b.wilson()
	p, q := a.rate(), b.rate()
	return p - q - math.Hypot(p-lowA, highB-q), p - q + math.Hypot(highA-p, q-lowB)
}

// visible is the smallest difference between two rates that a test at 95 % finds with a probability of 80 %, where both
// are about p.
func visible(p, n, m float64) float64 {
	return (z95 + z80) * math.Sqrt(p*(1-p)*(1/n+1/m))
}

// heldOutFor is how many held-out customers are needed to find a difference of that size, where they are that share of all.
func heldOutFor(size, p, share float64) float64 {
	return (z95 + z80) * (z95 + z80) * p * (1 - p) / ((1 - share) * size * size)
}

// ratioP is how likely the arms' sizes differ from the share by so much by chance: the chi-square test of one degree of
// freedom.
func ratioP(treated, heldOut, share float64) float64 {
	all := treated + heldOut
	if all == 0 {
		return 1
	}
	off := heldOut - all*share
	return math.Erfc(math.Sqrt(off * off / (all * share * (1 - share)) / 2))
}
