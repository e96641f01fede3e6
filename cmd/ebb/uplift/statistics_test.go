package uplift

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestNewcombe: the examples of table II of the paper, by its method 10.
func TestNewcombe(t *testing.T) {
	for _, c := range []struct{ a, b, low, high float64 }{
		{56, 48, 0.0524, 0.3339}, // 56 of 70, 48 of 80
		{9, 3, 0.1705, 0.8090},   // 9 of 10, 3 of 10
		{10, 0, 0.6791, 1.0000},  // 10 of 10, 0 of 20
	} {
		sizes := map[float64][2]float64{56: {70, 80}, 9: {10, 10}, 10: {10, 20}}[c.a]
		low, high := newcombe(sample{sizes[0], c.a}, sample{sizes[1], c.b})
		if math.Abs(low-c.low) > 5e-5 || math.Abs(high-c.high) > 5e-5 {
			t.Errorf("%v: %.4f to %.4f, want %v to %v", c.a, low, high, c.low, c.high)
		}
	}
}

// TestIntervalCovers: of intervals over drawn samples 95 % hold the difference, with few outcomes as well.
func TestIntervalCovers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	draw := func(n int, p float64) (s sample) {
		s.n = float64(n)
		for range n {
			if r.Float64() < p {
				s.outcomes++
			}
		}
		return s
	}
	for _, c := range []struct {
		p, q float64
		n, m int
	}{
		{0.3, 0.2, 900, 100},
		{0.05, 0.04, 900, 100},
		{0.02, 0.02, 300, 30},
		{0.9, 0.8, 200, 20},
	} {
		const trials = 2000
		covered := 0
		for range trials {
			if low, high := newcombe(draw(c.n, c.p), draw(c.m, c.q)); low <= c.p-c.q && c.p-c.q <= high {
				covered++
			}
		}
		if share := float64(covered) / trials; share < 0.935 {
			t.Errorf("%+v: covered in %.1f %%", c, 100*share)
		}
	}
}

// TestVisible: an effect of the smallest visible size is found in 80 % of samples, and with so many held out as are needed
// it is that of the wanted size.
func TestVisible(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const p, share, size = 0.25, 0.1, 0.05
	m := math.Ceil(heldOutFor(size, p, share))
	n := math.Round(m * (1 - share) / share)
	if got := visible(p, n, m); math.Abs(got-size) > 1e-4 {
		t.Fatalf("%v held out show %v, want %v", m, got, size)
	}
	found := 0
	const trials = 1000
	for range trials {
		a, b := sample{n: n}, sample{n: m}
		for range int(n) {
			if r.Float64() < p+size*share {
				a.outcomes++
			}
		}
		for range int(m) {
			if r.Float64() < p-size*(1-share) {
				b.outcomes++
			}
		}
		if low, _ := newcombe(a, b); low > 0 {
			found++
		}
	}
	if found < 750 || found > 850 {
		t.Errorf("found in %d of %d", found, trials)
	}
}

// TestRatio: sizes as drawn are likely, and others are not.
func TestRatio(t *testing.T) {
	for _, c := range []struct {
		treated, heldOut, share, want float64
	}{
		{900, 100, 0.1, 1},
		{0, 0, 0.1, 1},
		{890, 110, 0.1, 0.2918}, // chi-square 1.1111
		{821, 15, 0.1, 1.2e-14},
	} {
		if got := ratioP(c.treated, c.heldOut, c.share); math.Abs(got-c.want) > 1e-4 {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
