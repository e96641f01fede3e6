package backtest

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// ranked is customers with scores, many of them equal, of whom some churned.
func ranked(t *rapid.T) (scores []float64, churned []bool) {
	n := rapid.IntRange(1, 60).Draw(t, "customers")
	for range n {
		scores = append(scores, float64(rapid.IntRange(-4, 4).Draw(t, "score"))/2)
		churned = append(churned, rapid.Bool().Draw(t, "churned"))
	}
	return scores, churned
}

// same is equality up to rounding; two missing values are the same.
func same(a, b float64) bool {
	return math.Abs(a-b) < 1e-12 || !Figure(a).Known() && !Figure(b).Known()
}

// pairsAUC compares every pair.
func pairsAUC(scores []float64, churned []bool) float64 {
	var right, pairs float64
	for i := range scores {
		for j := range scores {
			if !churned[i] || churned[j] {
				continue
			}
			pairs++
			switch {
			case scores[i] > scores[j]:
				right++
			case scores[i] == scores[j]:
				right += 0.5
			}
		}
	}
	return right / pairs
}

func TestAUC(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scores, churned := ranked(t)
		if got, want := newRanking(scores, churned).auc(), pairsAUC(scores, churned); !same(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
	})
}

// TestWeightedAUC: a customer with weight three counts like three customers.
func TestWeightedAUC(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scores, churned := ranked(t)
		var counts []uint16
		var everyScore []float64
		var everyChurned []bool
		for i := range scores {
			n := rapid.Uint16Range(0, 3).Draw(t, "times")
			counts = append(counts, n)
			everyScore = append(everyScore, slices.Repeat(scores[i:i+1], int(n))...)
			everyChurned = append(everyChurned, slices.Repeat(churned[i:i+1], int(n))...)
		}
		got, want := newRanking(scores, churned).weightedAUC(counts), pairsAUC(everyScore, everyChurned)
		if !same(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
	})
}

// TestAveragePrecision: for everybody who churned, the share who did among those scored at least as high.
func TestAveragePrecision(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scores, churned := ranked(t)
		var sum, left float64
		for i := range scores {
			if !churned[i] {
				continue
			}
			left++
			var seen, found float64
			for j := range scores {
				if scores[j] >= scores[i] {
					seen++
					if churned[j] {
						found++
					}
				}
			}
			sum += found / seen
		}
		if got := newRanking(scores, churned).averagePrecision(); !same(got, sum/left) {
			t.Fatalf("%v, want %v", got, sum/left)
		}
	})
}

// TestPrecisionOf: each customer is among the first n with the probability that its equals leave.
func TestPrecisionOf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scores, churned := ranked(t)
		n := rapid.IntRange(1, len(scores)).Draw(t, "n")
		want := 0.0
		for i := range scores {
			above, equal := 0, 0
			for j := range scores {
				if scores[j] > scores[i] {
					above++
				} else if scores[j] == scores[i] {
					equal++
				}
			}
			if churned[i] {
				want += min(max(float64(n-above)/float64(equal), 0), 1)
			}
		}
		if got := newRanking(scores, churned).precisionOf(n); !same(got, want/float64(n)) {
			t.Fatalf("%v, want %v", got, want/float64(n))
		}
	})
}

// TestRanks: a rank is half a place behind all that are lower or equal, less half of those equal.
func TestRanks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values, _ := ranked(t)
		for i, got := range ranks(values) {
			lower, equal := 0.0, 0.0
			for _, v := range values {
				if v < values[i] {
					lower++
				} else if v == values[i] {
					equal++
				}
			}
			if got != lower+(equal+1)/2 {
				t.Fatalf("rank of %v among %v is %v", values[i], values, got)
			}
		}
	})
}

// TestROC: the curve rises from corner to corner, and with all its points the area below it is the AUC.
func TestROC(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scores, churned := ranked(t)
		r := newRanking(scores, churned)
		points := r.roc(1 << 20)
		if r.left == 0 || r.left == len(scores) {
			return // there is no curve
		}
		area := 0.0
		for i, p := range points[1:] {
			q := points[i]
			if p.X < q.X || p.Y < q.Y {
				t.Fatalf("%v after %v", p, q)
			}
			area += (p.X - q.X) * (p.Y + q.Y) / 2
		}
		if last := points[len(points)-1]; last != (Point{1, 1}) || !same(area, r.auc()) {
			t.Fatalf("ends at %v, area %v, AUC %v", last, area, r.auc())
		}
	})
}

// TestCalibrationError: bins hold all customers, in order, never separate equals, and their figures follow from their
// customers.
func TestCalibrationError(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scores, churned := ranked(t)
		probabilities := make([]float64, len(scores))
		for i, s := range scores {
			probabilities[i] = (s + 2.5) / 5
		}
		sum, n, squares := 0.0, 0, 0.0
		low := math.Inf(-1)
		for _, b := range calibrationBins(probabilities, churned) {
			// A bin holds the customers with the next probabilities, as many as it reports.
			var predicted, left float64
			high := low
			for size := 0; size < b.Customers; {
				next := math.Inf(1)
				for _, p := range probabilities {
					if p > high {
						next = min(next, p)
					}
				}
				high = next
				for i, p := range probabilities {
					if p == high {
						size++
						predicted += p
						if churned[i] {
							left++
						}
					}
				}
				if size > b.Customers {
					t.Fatalf("a bin of %d customers parts equals at %v", b.Customers, high)
				}
			}
			size := float64(b.Customers)
			if !same(b.Predicted, predicted/size) || !same(b.Churned, left/size) {
				t.Fatalf("%+v, want %v and %v", b, predicted/size, left/size)
			}
			sum += math.Abs(predicted - left)
			n += b.Customers
			low = high
		}
		for i, p := range probabilities {
			outcome := map[bool]float64{true: 1}[churned[i]]
			squares += (p - outcome) * (p - outcome)
		}
		all := float64(len(scores))
		if got := calibrationError(calibrationBins(probabilities, churned)); n != len(scores) || !same(got, sum/all) {
			t.Fatalf("%d of %d customers, error %v, want %v", n, len(scores), got, sum/all)
		}
		if got := brier(probabilities, churned); !same(got, squares/all) {
			t.Fatalf("Brier %v, want %v", got, squares/all)
		}
	})
}

// TestBootstrap: the interval lies around the AUC, about as wide as in theory (Hanley and McNeil's standard error), and
// is the same for the same seed. A score is ahead of itself by nothing.
func TestBootstrap(t *testing.T) {
	var scores, noise []float64
	var churned []bool
	for i := range 2000 {
		scores = append(scores, float64(i%97))
		noise = append(noise, float64(i*7919%2003))
		churned = append(churned, i*31%97 > 60 == (i%5 > 0))
	}
	rankings := []*ranking{newRanking(scores, churned), newRanking(noise, churned)}
	aucs, leads := bootstrap(1, rankings)
	again, _ := bootstrap(1, rankings)
	if aucs[0] != again[0] || leads[0] != (Interval{}) {
		t.Errorf("%v, then %v; ahead of itself by %v", aucs[0], again[0], leads[0])
	}
	for i, r := range rankings {
		a, left := r.auc(), float64(r.left)
		stayed := float64(len(scores)) - left
		variance := (a*(1-a) + (left-1)*(a/(2-a)-a*a) + (stayed-1)*(2*a*a/(1+a)-a*a)) / (left * stayed)
		half := 1.96 * math.Sqrt(variance)
		width := float64(aucs[i].High - aucs[i].Low)
		if Figure(a) < aucs[i].Low || Figure(a) > aucs[i].High || width < 1.6*half || width > 2.4*half {
			t.Errorf("AUC %v in %v, want about %v to either side", a, aucs[i], half)
		}
	}
	if none, _ := bootstrap(1, []*ranking{newRanking(scores, make([]bool, len(scores)))}); none[0].Low.Known() {
		t.Errorf("an interval %v where nobody churned", none[0])
	}
}
