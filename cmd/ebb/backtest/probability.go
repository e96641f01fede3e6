package backtest

import "cmp"

// bins is the number of groups of customers, in order of their probability, for which it is compared with what
// happened.
const bins = 10

// Bin is a group of customers of about the same probability.
type Bin struct {
	Customers int
	Predicted float64 // mean probability
	Churned   float64 // share who did
}

// calibrationBins sorts customers by probability into bins of about as many each. Customers of equal probability stay
// in one bin.
func calibrationBins(probabilities []float64, churned []bool) []Bin {
	order := orderOf(len(probabilities), func(a, b int32) int { return cmp.Compare(probabilities[a], probabilities[b]) })
	var all []Bin
	var b Bin
	for i, k := range order {
		p := probabilities[k]
		b.Customers++
		b.Predicted += p
		if churned[k] {
			b.Churned++
		}
		last := i+1 == len(order)
		if last || (b.Customers*bins >= len(order) && probabilities[order[i+1]] != p) {
			b.Predicted /= float64(b.Customers)
			b.Churned /= float64(b.Customers)
			all = append(all, b)
			b = Bin{}
		}
	}
	return all
}

// calibrationError is how far predicted and actual share lie apart, averaged over the bins by their size.
func calibrationError(all []Bin) float64 {
	sum, n := 0.0, 0
	for _, b := range all {
		off := b.Predicted - b.Churned
		sum += max(off, -off) * float64(b.Customers)
		n += b.Customers
	}
	return sum / float64(n)
}

// brier is the mean squared distance between the probability and what happened, 1 or 0.
func brier(probabilities []float64, churned []bool) float64 {
	sum := 0.0
	for i, p := range probabilities {
		if churned[i] {
			p--
		}
		sum += p * p
	}
	return sum / float64(len(probabilities))
}
