package shop

import (
	"math"
	"testing"
)

func TestExp(t *testing.T) {
	for x := -8.0; x <= 8; x += 0.01 {
		if got, want := exp(x), math.Exp(x); math.Abs(got/want-1) > 1e-9 {
			t.Fatalf("exp(%g) = %g, want %g", x, got, want)
		}
	}
}

func TestDice(t *testing.T) {
	const n = 200_000
	d := newDice(1, 2)
	var sum, squares float64
	var counts [7]int
	for range n {
		x := d.normal()
		sum += x
		squares += x * x
		counts[d.below(7)]++
	}
	if mean, variance := sum/n, squares/n; math.Abs(mean) > 0.01 || math.Abs(variance-1) > 0.02 {
		t.Errorf("normal: mean %.4f, variance %.4f", mean, variance)
	}
	for i, c := range counts {
		if math.Abs(float64(c)-n/7.0) > 5*math.Sqrt(n/7.0) {
			t.Errorf("below(7) was %d %d times of %d", i, c, n)
		}
	}
}

// TestDiceStreams: the streams of neighbouring customers and seeds are unrelated.
func TestDiceStreams(t *testing.T) {
	seen := map[uint64]bool{}
	for seed := range uint64(100) {
		for stream := range 100 {
			d := newDice(seed, stream)
			seen[d.pcg.Uint64()>>32] = true // half of the bits: a bad mixture would repeat
		}
	}
	if len(seen) < 10_000-3 {
		t.Errorf("%d different beginnings of 10,000 streams", len(seen))
	}
}

// TestChoices: every table of choices adds up.
func TestChoices(t *testing.T) {
	sums := map[string]int64{"hours": sum(hours[:]), "tastes": sum(tastes[:]), "pauses": sum(pauses[:])}
	for _, b := range businesses() {
		sums[b.name+" kinds"], sums[b.name+" rhythms"] = sum(b.kinds), sum(b.rhythms)
		sums[b.name+" causes"], sums[b.name+" causes of tasters"] = sum(b.causes), sum(b.tasterCauses)
	}
	for name, sum := range sums {
		if sum != 100 {
			t.Errorf("%s add up to %d", name, sum)
		}
	}
}

func sum[T any](choices []weighted[T]) (percent int64) {
	for _, w := range choices {
		percent += w.percent
	}
	return percent
}
