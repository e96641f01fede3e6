package backtest

import (
	"cmp"
	"math"
	"slices"
)

// ranking is customers in order of a score, highest first. Equal scores form one group, and no figure depends on the
// order within a group.
type ranking struct {
	order   []int32 // customers, by index
	ends    []int32 // of the groups, in order
	churned []bool  // by customer
	left    int     // who churned
}

// newRanking sorts by score.
func newRanking(scores []float64, churned []bool) *ranking {
	r := &ranking{
		order:   orderOf(len(scores), func(a, b int32) int { return cmp.Compare(scores[b], scores[a]) }),
		churned: churned,
	}
	for _, left := range churned {
		if left {
			r.left++
		}
	}
	for i := range r.order {
		if i+1 == len(r.order) || scores[r.order[i]] != scores[r.order[i+1]] {
			r.ends = append(r.ends, int32(i+1))
		}
	}
	return r
}

// orderOf is the indexes below n, sorted.
func orderOf(n int, compare func(a, b int32) int) []int32 {
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, compare)
	return order
}

// groups calls f for each group with its size and the number of its customers who churned.
func (r *ranking) groups(f func(size, left int)) {
	at := int32(0)
	for _, end := range r.ends {
		left := 0
		for _, i := range r.order[at:end] {
			if r.churned[i] {
				left++
			}
		}
		f(int(end-at), left)
		at = end
	}
}

// auc is the chance that of two customers, one who churned and one who stayed, the one who churned has the higher
// score; equal scores count half. NaN where there is only one kind.
func (r *ranking) auc() float64 {
	above, pairs := 0.0, 0.0 // churned in higher groups; pairs in the right order
	r.groups(func(size, left int) {
		stayed := float64(size - left)
		pairs += stayed * (above + float64(left)/2)
		above += float64(left)
	})
	return pairs / (float64(r.left) * float64(len(r.order)-r.left))
}

// weightedAUC is auc with each customer repeated as often as counts gives.
func (r *ranking) weightedAUC(counts []uint16) float64 {
	var above, below, pairs float64 // churned and stayed so far
	at := int32(0)
	for _, end := range r.ends {
		var left, stayed float64
		for _, i := range r.order[at:end] {
			if r.churned[i] {
				left += float64(counts[i])
			} else {
				stayed += float64(counts[i])
			}
		}
		pairs += stayed * (above + left/2)
		above += left
		below += stayed
		at = end
	}
	return pairs / (above * below)
}

// averagePrecision is the precision among the customers down to each group, weighted by the share of all who churned
// that the group holds. NaN where nobody churned.
func (r *ranking) averagePrecision() float64 {
	var seen, found int
	sum := 0.0
	r.groups(func(size, left int) {
		seen += size
		found += left
		sum += float64(left) * float64(found) / float64(seen)
	})
	return sum / float64(r.left)
}

// precisionOf is the share who churned among the first n; for the group that n cuts through it takes the expected
// share. NaN where n is 0.
func (r *ranking) precisionOf(n int) float64 {
	found, room := 0.0, n
	r.groups(func(size, left int) {
		take := min(size, room)
		found += float64(left) * float64(take) / float64(size)
		room -= take
	})
	return found / float64(n)
}

// topTenth is the size of the highest tenth.
func (r *ranking) topTenth() int { return (len(r.order) + 9) / 10 }

// Point is a point of a chart.
type Point struct{ X, Y float64 }

// roc is the curve from (0,0) to (1,1): the share of those who stayed and of those who churned, among the highest. It
// has at most about n points.
func (r *ranking) roc(n int) []Point {
	points := []Point{{}}
	var seen, found int
	r.groups(func(size, left int) {
		seen += size
		found += left
		p := Point{float64(seen-found) / float64(len(r.order)-r.left), float64(found) / float64(r.left)}
		last := points[len(points)-1]
		if seen == len(r.order) || math.Hypot(p.X-last.X, p.Y-last.Y) >= 2/float64(n) {
			points = append(points, p)
		}
	})
	return points
}

// ranks are the ranks of values from 1. Equal values share their mean rank.
func ranks(values []float64) []float64 {
	order := orderOf(len(values), func(a, b int32) int { return cmp.Compare(values[a], values[b]) })
	out := make([]float64, len(values))
	for i := 0; i < len(order); {
		j := i + 1
		for j < len(order) && values[order[j]] == values[order[i]] {
			j++
		}
		for _, k := range order[i:j] {
			out[k] = float64(i+j+1) / 2
		}
		i = j
	}
	return out
}
