package alert

import (
	"strconv"

	"ebb/scoring"
	"ebb/scoring/profile"
)

// ExplainedValue is what the customer is worth, and how much of it is at risk. Amounts are in minor units of the
// currency, or in the unit of the pack's feature where that is no money.
type ExplainedValue struct {
	Feature   string `json:"feature"`
	Amount    int64  `json:"amount"`
	Currency  string `json:"currency,omitempty"`
	Other     uint32 `json:"other,omitempty"` // events with money in a second currency
	Orders    *int64 `json:"orders,omitempty"`
	MeanOrder *int64 `json:"mean_order,omitempty"`
	AtRisk    int64  `json:"at_risk"`
	Expected  *int64 `json:"expected,omitempty"` // of the next horizon
	Tier      string `json:"tier"`
}

// explainValue is what a decision's customer is worth; nil: nothing is known of it.
func (r *Renderer) explainValue(d *scoring.Decision) *ExplainedValue {
	w, known := d.Worth(r.Pack)
	if !known {
		return nil
	}
	v := &ExplainedValue{
		Feature: r.Pack.Features[r.Pack.Value.Feature].Name, Amount: w.Amount, Other: w.Other, AtRisk: w.AtRisk,
		Tier: w.Tier.String(),
	}
	if w.Currency != (profile.Currency{}) {
		v.Currency = string(w.Currency[:])
	}
	if w.Counted {
		v.Orders = &w.Orders
	}
	if mean, ok := w.MeanOrder(); ok {
		v.MeanOrder = &mean
	}
	if r.Pack.Value.Within > 0 {
		v.Expected = &w.Expected
	}
	return v
}

// appendWorth appends what a decision's customer is worth, null where nothing is known of it.
func (r *Renderer) appendWorth(dst []byte, d *scoring.Decision) []byte {
	w, known := d.Worth(r.Pack)
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
	if r.Pack.Value.Within > 0 {
		dst = strconv.AppendInt(append(dst, `,"expected":`...), w.Expected, 10)
	}
	return append(append(append(dst, `,"tier":"`...), w.Tier.String()...), `"}`...)
}

// saidValue is the part of an alert's value that does not follow from the rest.
type saidValue struct {
	Currency string `json:"currency"`
	Other    uint32 `json:"other"`
}

// decodeValue is the inverse of appendWorth, for what the features' values do not hold.
func (r *Renderer) decodeValue(v *saidValue, d *scoring.Decision) {
	if v == nil { // what is not 0 is known
		d.Unvalued = r.Pack.Value.Feature >= 0 && d.Score.Value(r.Pack.Value.Feature).N == 0
		return
	}
	var c profile.Currency
	if copy(c[:], v.Currency); c.Valid() {
		d.Money = profile.Money{Currency: c, Other: v.Other}
	}
}
