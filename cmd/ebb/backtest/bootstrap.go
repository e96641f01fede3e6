package backtest

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Interval bounds the middle 95 % of what the draws gave.
type Interval struct{ Low, High Figure }

// bootstrap draws as many customers as there are, many times, and returns the interval of each ranking's AUC and of the
// difference between the first ranking's AUC and each. All rankings are of the same customers and share every draw. The
// same seed gives the same intervals.
func bootstrap(seed uint64, rankings []*ranking) (aucs, leads []Interval) {
	n := len(rankings[0].order)
	random := rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15)) //nolint:gosec // a sample, not a secret
	counts := make([]uint16, n)
	values := make([][]float64, len(rankings))
	differences := make([][]float64, len(rankings))
	for range draws(n) {
		clear(counts)
		for range n {
			counts[random.IntN(n)]++
		}
		first := rankings[0].weightedAUC(counts)
		for i, r := range rankings {
			auc := r.weightedAUC(counts)
			values[i] = append(values[i], auc)
			differences[i] = append(differences[i], first-auc)
		}
	}
	for i := range rankings {
		aucs = append(aucs, middle(values[i]))
		leads = append(leads, middle(differences[i]))
	}
	return aucs, leads
}

// draws is how often n customers are drawn: often enough for 95 %, less often where there are many customers and each
// draw is more precise.
func draws(n int) int { return min(max(20_000_000/max(n, 1), 100), 500) }

// middle is the interval from the 2.5th to the 97.5th percentile. A draw without both kinds of customers does not
// count.
func middle(values []float64) Interval {
	values = slices.DeleteFunc(values, math.IsNaN)
	if len(values) == 0 {
		return Interval{Figure(math.NaN()), Figure(math.NaN())}
	}
	slices.Sort(values)
	at := func(share float64) Figure { return Figure(values[int(math.Round(share*float64(len(values)-1)))]) }
	return Interval{at(0.025), at(0.975)}
}
