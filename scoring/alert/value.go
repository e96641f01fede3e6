package alert

import (
	"strconv"

	"ebb/scoring"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// ExplainedValue is what the customer is worth, and how much of it is at risk. Amounts are in minor units of the
// currency, or in the unit of the pack's feature where that is no money.
type ExplainedValue struct {
	Amount    int64  `json:"amount"`
	Currency  string `json:"currency,omitempty"`
	Other     uint32 `json:"other,omitempty"` // events with money in a second currency
	Orders    *int64 `json:"orders,omitempty"`
	MeanOrder *int64 `json:"mean_order,omitempty"`
	AtRisk    int64  `json:"at_risk"`
	Expected  *int64 `json:"expected,omitempty"` // of the next horizon
	Tier      string `json:"tier"`
}

// appendValue appends what a decision's customer is worth; null where nothing is known of it.
func appendValue(dst []byte, k *pack.Pack, w *scoring.Worth, known bool) []byte {
	if !known {
		return append(dst, `,"value":null`...)
	}
	dst = strconv.AppendInt(append(dst, `,"value":{"amount":`...), w.Amount, 10)
	if w.Currency != (profile.Currency{}) {
		dst = append(append(append(dst, `,"currency":"`...), w.Currency[:]...), '"')
	}
	if w.Other > 0 {
		dst = strconv.AppendUint(append(dst, `,"other":`...), uint64(w.Other), 10)
	}
	if w.Counted {
		dst = strconv.AppendInt(append(dst, `,"orders":`...), w.Orders, 10)
	}
	if mean, ok := w.MeanOrder(); ok {
		dst = strconv.AppendInt(append(dst, `,"mean_order":`...), mean, 10)
	}
	dst = strconv.AppendInt(append(dst, `,"at_risk":`...), w.AtRisk, 10)
	if k.Value.Within > 0 {
		dst = strconv.AppendInt(append(dst, `,"expected":`...), w.Expected, 10)
	}
	return append(append(append(dst, `,"tier":"`...), w.Tier.String()...), `"}`...)
}

// decodeValue is the inverse of appendValue, for what the features' values do not hold.
func (r *Renderer) decodeValue(v *ExplainedValue, d *scoring.Decision) {
	if d.Unvalued = v == nil && r.Pack.Value.Feature >= 0; v == nil {
		return
	}
	var c profile.Currency
	if copy(c[:], v.Currency); c.Valid() {
		d.Money = profile.Money{Currency: c, Other: v.Other}
	}
}

// addValue adds the features' values that an alert holds in its value. A feature of which nothing is known is 0 where the
// pack declares so of a customer with activity.
func (r *Renderer) addValue(all map[string]int64, said *saidAlert) {
	v := &r.Pack.Value
	if v.Feature < 0 {
		return
	}
	name := r.Pack.Features[v.Feature].Name
	if said.Value == nil {
		if r.Pack.Features[v.Feature].AbsentZero && *said.Visits > 0 {
			all[name] = 0
		}
		return
	}
	if all[name] = said.Value.Amount; v.Orders >= 0 && said.Value.Orders != nil {
		all[r.Pack.Features[v.Orders].Name] = max(*said.Value.Orders, 0)
	}
}
