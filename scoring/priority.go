package scoring

import (
	"ebb/scoring/exact"
	"ebb/scoring/pack"
)

const (
	minorUnits = 100 // of a major one

	// unknownWorth is what a customer of unknown worth is taken for where the pack declares no value tiers to go by, in
	// major units.
	unknownWorth = 100

	mostPriority = 1000
	perTenfold   = 200 // points of priority for ten times the money: with 100,000 units at risk it is the greatest
	lnTen        = 2.302585092994046
)

// AtRisk is the part of a customer's worth that is at risk where it is so likely to leave.
func AtRisk(worth int64, likely float64) int64 {
	return int64(float64(float64(max(worth, 0))*likely) + 0.5)
}

// Priority is in which order alerts are worth acting on, 0 to 1000, comparable over all packs of a tenant whose money is
// of one currency: 200 points for each tenfold of 1 + money at risk in major units. A customer of unknown worth counts as
// one at whom the pack's middle value tier begins. A decision that ends an episode has 0: there is nothing to do.
func (d *Decision) Priority(k *pack.Pack) int {
	if d.Transition.Ends() {
		return 0
	}
	likely := d.Likelihood(d.Floor(k))
	worth := float64(unknownWorth)
	if v := &k.Value; v.Feature >= 0 {
		worth = float64(v.Mid) / minorUnits
		if known := d.Score.Value(v.Feature); known.OK {
			worth = float64(max(known.N, 0)) / minorUnits
		}
	}
	points := float64(float64(perTenfold/lnTen) * exact.Log(1+float64(worth*likely)))
	return min(int(points+0.5), mostPriority)
}
