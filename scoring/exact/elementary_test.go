package exact_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"ebb/scoring/exact"
)

const bigBits = 160

// bigExp is e^x by its power series, after halving x until it is small.
func bigExp(x *big.Float) *big.Float {
	const halvings = 24
	small := new(big.Float).SetMantExp(x, -halvings)
	sum, power := new(big.Float).SetPrec(bigBits).SetInt64(1), new(big.Float).SetPrec(bigBits).SetInt64(1)
	for n := int64(1); n < 16; n++ {
		power = new(big.Float).SetPrec(bigBits).Mul(power, small)
		power.Quo(power, new(big.Float).SetInt64(n))
		sum.Add(sum, power)
	}
	for range halvings {
		sum.Mul(sum, sum)
	}
	return sum
}

func bigOf(x float64) *big.Float { return new(big.Float).SetPrec(bigBits).SetFloat64(x) }

// ulps is the distance of got from want, in units of got's last place.
func ulps(got float64, want *big.Float) float64 {
	off, _ := new(big.Float).Sub(bigOf(got), want).Float64()
	unit := math.Nextafter(math.Abs(got), math.Inf(1)) - math.Abs(got)
	return math.Abs(off) / unit
}

func TestExp(t *testing.T) {
	r, worst := rand.New(rand.NewPCG(1, 2)), 0.0
	for i := range 20_000 {
		x := r.Float64()*1416 - 707
		if i%2 == 0 {
			x = r.Float64()*8 - 4
		}
		u := ulps(exact.Exp(x), bigExp(bigOf(x)))
		if worst = max(worst, u); u > 0.6 {
			t.Fatalf("exp(%v) = %v, %.3f units off in the last place", x, exact.Exp(x), u)
		}
	}
	t.Logf("at most %.3f units off in the last place", worst)
}

// TestLog measures y = log(x) by e^y: the error of y is (x - e^y) / e^y, as far as it is small.
func TestLog(t *testing.T) {
	r, worst := rand.New(rand.NewPCG(3, 4)), 0.0
	for i := range 20_000 {
		var x float64
		switch i % 4 {
		case 0:
			x = math.Exp(r.Float64()*1400 - 700)
		case 1:
			x = 0.5 + 1.5*r.Float64()
		case 2:
			x = 1 + (r.Float64()-0.5)/64
		case 3:
			x = math.Exp(r.Float64()*30 - 10)
		}
		y := exact.Log(x)
		back := bigExp(bigOf(y))
		off := new(big.Float).Sub(bigOf(x), back)
		off.Quo(off, back)
		u := ulps(y, new(big.Float).SetPrec(bigBits).Add(bigOf(y), off))
		if worst = max(worst, u); u > 1.1 {
			t.Fatalf("log(%v) = %v, %.3f units off in the last place", x, y, u)
		}
	}
	t.Logf("at most %.3f units off in the last place", worst)
}

func TestElementaryEdges(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	tests := []struct {
		name      string
		got, want float64
	}{
		{"exp 0", exact.Exp(0), 1},
		{"exp -0", exact.Exp(math.Copysign(0, -1)), 1},
		{"exp inf", exact.Exp(inf), inf},
		{"exp -inf", exact.Exp(-inf), 0},
		{"exp overflow", exact.Exp(710), inf},
		{"exp underflow", exact.Exp(-709), 0},
		{"exp nan", exact.Exp(nan), nan},
		{"log 1", exact.Log(1), 0},
		{"log 0", exact.Log(0), -inf},
		{"log -1", exact.Log(-1), nan},
		{"log inf", exact.Log(inf), inf},
		{"log nan", exact.Log(nan), nan},
		{"log of the smallest number", exact.Log(math.SmallestNonzeroFloat64), -744.4400719213812},
		{"log of the largest number", exact.Log(math.MaxFloat64), 709.782712893384},
	}
	for _, tt := range tests {
		if tt.got != tt.want && !(math.IsNaN(tt.got) && math.IsNaN(tt.want)) {
			t.Errorf("%s: %v, want %v", tt.name, tt.got, tt.want)
		}
	}
}
