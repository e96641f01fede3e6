package scoring

import (
	"ebb/scoring/exact"
	"ebb/scoring/pack"
)

const (
	// unknownWorth is what a customer of unknown worth is taken for where the pack declares no value tiers to go by, in
	// major units.
	unknownWorth = 100

	mostPriority = 1000
	perTenfold   = 200 // points of priority for ten times the money: with 100,000 units at risk it is the greatest
	lnTen        = 2.302585092994046
)

// Priority is in which order alerts are worth acting on, 0 to 1000, comparable over all packs of a tenant whose money
// is of one currency: 200 points for each tenfold of 1 + money at risk in major units. A customer of unknown worth
// counts as one at whom the pack's middle value tier begins. A decision that ends an episode has 0: there is nothing to
// do.
func (d *Decision) Priority(k *pack.Pack) int {
	if d.Transition.Ends() {
		return 0
	}
	likely := d.Likelihood(d.Floor(k))
	worth := float64(unknownWorth)
	if v := &k.Value; v.Feature >= 0 {
		amount := v.Mid
		if known := d.amount(k); known.OK {
			amount = max(known.N, 0)
		}
		worth = float64(amount) / unit(v.Decimals(d.Money.Currency))
	}
	points := float64(float64(perTenfold/lnTen) * exact.Log(1+float64(worth*likely)))
	return min(int(points+0.5), mostPriority)
}
