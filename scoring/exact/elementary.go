package exact

import (
	"math"
)

//go:generate go run tables_gen.go

// The standard library's Exp and Log give different bits on different processors, and a compiler may fuse x*y + z where
// the processor has an instruction for it. So the package has its own functions, and every product in it is in a
// conversion, float64(x*y), which the language defines to round (docs/adr/0002-numbers.md). A test checks this.

// split is a number as the sum of two, with the second small relative to the first.
type split struct{ hi, lo float64 }

// center is one entry of logTable.
type center struct {
	at, inverse float64
	log         split
}

// logLow is the least significand that log reduces to, as a bit pattern: 0.689453125. Ranges of 2^45 patterns follow;
// one of them has 1 in its middle.
const logLow = 0x3fe6100000000000

const (
	expOverflow  = 709.78
	expUnderflow = -708.0
)

// Exp is e^x to within 0.6 units in the last place. It is 0 below -708, where the result would no longer be a normal
// number.
func Exp(x float64) float64 {
	switch {
	case x > expOverflow:
		return math.Inf(1)
	case x < expUnderflow:
		return 0
	case math.IsNaN(x):
		return x
	}
	// x = n * expStep + r with n whole: e^x = 2^(n/tableSteps) * e^r.
	const nearest = 3 << 51 // a sum with it has no bits left for a fraction
	n := float64(float64(x*expInverse)+nearest) - nearest
	r := x - float64(n*expStepHigh) - float64(n*expStepLow)
	whole := int64(n)
	t := &expTable[whole&(tableSteps-1)]
	// e^r - 1 for |r| <= ln 2 / 256; the next term is below 2^-60.
	square := float64(r * r)
	p := r + float64(square*(0.5+float64(r*(1.0/6))+float64(square*(1.0/24+float64(r*(1.0/120))))))
	y := t.hi + (t.lo + float64(t.hi*p))
	return math.Float64frombits(math.Float64bits(y) + uint64(whole>>7)<<52)
}

// Log is the natural logarithm of x to within 1.1 units in the last place: -Inf at 0, NaN below.
func Log(x float64) float64 {
	u := math.Float64bits(x)
	shift := 0.0
	if u-1<<52 >= 0x7fe<<52 { // not a positive normal number
		switch {
		case x == 0:
			return math.Inf(-1)
		case x < 0 || math.IsNaN(x):
			return math.NaN()
		case math.IsInf(x, 1):
			return x
		}
		u, shift = math.Float64bits(float64(x*(1<<52))), -52
	}
	// x = 2^n * z with z from 0.689 to 1.379, and z = c * (1+r): ln x = n ln 2 + ln c + ln(1+r).
	offset := u - logLow
	t := &logTable[offset>>45&(tableSteps-1)]
	n := float64(int64(offset)>>52) + shift
	z := math.Float64frombits(u - offset&(0xfff<<52))
	r := float64((z - t.at) * t.inverse)
	high := float64(n*ln2High) + t.log.hi
	sum := high + r
	rest := high - sum + r + (float64(n*ln2Low) + t.log.lo)
	// ln(1+r) - r for |r| <= 2^-8; the next term is below 2^-59 of the first.
	square := float64(r * r)
	a := -0.5 + float64(r*(1.0/3))
	b := -1.0/4 + float64(r*(1.0/5))
	c := -1.0/6 + float64(r*(1.0/7))
	p := float64(square * (a + float64(square*(b+float64(square*c)))))
	return sum + (rest + p)
}
