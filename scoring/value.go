package scoring

import (
	"encoding/binary"
	"math"

	"ebb/scoring/encode"
	"ebb/scoring/feature"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// Worth is what a decision's customer is worth to the business. Amounts are in minor units of the currency, or in the
// unit of the pack's feature where that is no money.
type Worth struct {
	Amount   int64            // over the window of the pack's feature; it may be negative
	Currency profile.Currency // zero: no event has named one, or the amount is no money
	Other    uint32           // events with money in a second currency, which is in no amount
	Orders   int64            // within the same window
	Counted  bool             // the pack counts orders
	AtRisk   int64            // amount x likelihood; 0 of less than 0
	Expected int64            // over the next horizon: see Decision.Worth
	Tier     pack.ValueTier

	decimals int // of an amount
}

// Worth is what the decision's customer is worth under k; false: nothing is known of it. A customer is known from the
// first event on that counts for the pack's feature. From then on an amount of 0 is one, such as that of a window
// without orders. Before, there is none, even where the pack declares the feature to be 0 without events.
//
// Expected is the rate of orders per horizon x the mean order x the probability to stay, 1 - likelihood. The number of
// orders cancels out of the first two: what is left is the amount, from its window to the horizon.
func (d *Decision) Worth(k *pack.Pack) (w Worth, known bool) {
	v, amount := &k.Value, d.amount(k)
	if !amount.OK {
		return w, false
	}
	w = Worth{Amount: amount.N, Other: d.Money.Other, Tier: v.Tier(amount), decimals: v.Decimals(d.Money.Currency)}
	if v.IsMoney {
		w.Currency = d.Money.Currency
	}
	if v.Orders >= 0 {
		orders := d.Score.Value(v.Orders)
		w.Orders, w.Counted = orders.N, orders.OK
	}
	likely := d.Likelihood(d.Floor(k))
	w.AtRisk = rounded(float64(float64(amount.N) * likely))
	if v.Within > 0 {
		horizons := float64(k.Horizon.Milliseconds()) / float64(v.Within.Milliseconds())
		w.Expected = rounded(float64(float64(float64(amount.N)*horizons) * (1 - likely)))
	}
	return w, true
}

// amount is the value of the decision's customer under k; without data where nothing is known of it.
func (d *Decision) amount(k *pack.Pack) (v feature.Value) {
	if d.Unvalued || k.Value.Feature < 0 {
		return v
	}
	return d.Score.Value(k.Value.Feature)
}

// ValueTier is the value tier of the decision's customer under k.
func (d *Decision) ValueTier(k *pack.Pack) pack.ValueTier { return k.Value.Tier(d.amount(k)) }

// MeanOrder is the amount by order; false: there is no order in the window, or the pack counts none.
func (w *Worth) MeanOrder() (amount int64, ok bool) {
	if !w.Counted || w.Orders <= 0 {
		return 0, false
	}
	return rounded(float64(w.Amount) / float64(w.Orders)), true
}

// AtRiskMajor is the part at risk in major units of the currency (12.90 for 1290 cents), or as the number that the
// feature stands for where it is no money.
func (w *Worth) AtRiskMajor() float64 { return float64(w.AtRisk) / unit(w.decimals) }

// unit is how many minor units a major one has.
func unit(decimals int) float64 {
	minor := int64(1)
	for range decimals {
		minor *= 10
	}
	return float64(minor)
}

// rounded is a whole number of units, half up; 0 for less than 0.
func rounded(v float64) int64 { return int64(min(max(v, 0), 1<<62) + 0.5) }

const (
	codeUnvalued = 1 << iota
	codeMoney
)

func appendMoney(dst []byte, d *Decision) []byte {
	var code byte
	if d.Unvalued {
		code |= codeUnvalued
	}
	if d.Money.Currency == (profile.Currency{}) {
		return append(dst, code)
	}
	dst = append(append(dst, code|codeMoney), d.Money.Currency[:]...)
	return binary.AppendUvarint(dst, uint64(d.Money.Other))
}

func readMoney(r *encode.Reader, d *Decision) {
	code := r.Byte()
	d.Unvalued = code&codeUnvalued != 0
	if code&codeMoney != 0 {
		copy(d.Money.Currency[:], r.Fixed(len(d.Money.Currency)))
		d.Money.Other = uint32(r.UvarintUpTo(math.MaxUint32))
	}
	if code > codeUnvalued|codeMoney || code&codeMoney != 0 && !d.Money.Currency.Valid() {
		r.Damage()
	}
}
