package shop

import (
	"math/bits"
	"math/rand/v2"
)

// dice is a customer's own source of chance, so that what one customer does changes nothing for the others. Its results
// have the same bits on every architecture. It does not use math.Exp and math.Log, which differ, and it rounds every
// product by an explicit conversion before an addition, so that the compiler cannot fuse the two.
type dice struct{ pcg rand.PCG }

// newDice is the source of one stream of numbers of a seed. The stream's number is stirred (by the finalizer of
// SplitMix64), so that neighbouring streams are unrelated.
func newDice(seed uint64, stream int) dice {
	z := uint64(stream)*0x9e3779b97f4a7c15 + 0x632be59bd9b4e019
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return dice{*rand.NewPCG(seed, z^z>>31)}
}

// below is a number from 0 to n-1.
func (d *dice) below(n int64) int64 {
	high, _ := bits.Mul64(d.pcg.Uint64(), uint64(n)) // uneven by n in 2^64, which does not matter here
	return int64(high)
}

// between is a number from low to high-1.
func (d *dice) between(low, high int64) int64 { return low + d.below(high-low) }

// chance is true so many times in a hundred.
func (d *dice) chance(percent int64) bool { return d.below(100) < percent }

// normal is close to a standard normal: the sum of twelve uniform numbers, less its mean. It ends at six.
func (d *dice) normal() float64 {
	var sum int64
	for range 3 {
		for u, i := d.pcg.Uint64(), 0; i < 4; i++ {
			sum += int64(u & 0xffff)
			u >>= 16
		}
	}
	return float64(sum-12*0xffff/2) / 0x10000
}

// logNormal is log-normal with this median and this standard deviation of its logarithm.
func (d *dice) logNormal(median int64, spread float64) int64 {
	return int64(float64(median) * exp(float64(spread*d.normal())))
}

// exp is e to the power of x, for x from -8 to 8 to nine digits: the series for a sixteenth of x, squared four times.
func exp(x float64) float64 {
	x /= 16
	sum, term := 1.0, 1.0
	for i := 1.0; i <= 10; i++ {
		term = float64(term*x) / i
		sum += term
	}
	for range 4 {
		sum = float64(sum * sum)
	}
	return sum
}
