package pack

import (
	"slices"
	"time"

	"ebb/scoring/feature"
	"ebb/scoring/moment"
	"ebb/scoring/profile"
)

// lintValue notes value tiers without customers.
func (k *Pack) lintValue(note func(string, ...any)) {
	if v := &k.Value; v.Feature >= 0 {
		if _, most := k.reach(v.Feature); v.High > most {
			note("value: %s is never %d, %d at most", k.Features[v.Feature].Name, v.High, most)
		}
	}
}

// Value is what a customer is worth to the business.
type Value struct {
	Feature   int           // index into the pack's features; -1: the pack declares none
	Orders    int           // the feature that counts the orders of the same window; -1: none
	High, Mid int64         // where the value tiers begin, in the feature's unit
	IsMoney   bool          // the feature is an amount of money
	Within    time.Duration // the window over which the feature adds up; 0: it is no sum

	decimals int // of a feature that is no money
}

// Decimals is the number of decimals of an amount: a customer's money is in a currency.
func (v *Value) Decimals(c profile.Currency) int {
	if v.IsMoney {
		return c.Decimals()
	}
	return v.decimals
}

// ValueTier is how much a customer is worth relative to others. The names are a contract.
type ValueTier uint8

// Value tiers.
const (
	ValueUnknown ValueTier = iota
	ValueLow
	ValueMid
	ValueHigh
	numValueTiers
)

var valueTierNames = [numValueTiers]string{"unknown", "low", "mid", "high"}

// String is the value tier's stable name.
func (t ValueTier) String() string { return valueTierNames[t] }

// Tier is the value tier of a feature's value.
func (v *Value) Tier(of feature.Value) ValueTier {
	switch {
	case !of.OK:
		return ValueUnknown
	case of.N >= v.High:
		return ValueHigh
	case of.N >= v.Mid:
		return ValueMid
	}
	return ValueLow
}

type valueFile struct {
	Feature string `json:"feature"          yaml:"feature"`
	Orders  string `json:"orders,omitempty" yaml:"orders"`
	High    int64  `json:"high"             yaml:"high"`
	Mid     int64  `json:"mid"              yaml:"mid"`
}

// checkValue notes what is wrong with the value.
func (f *file) checkValue() {
	if v := f.Value; v != nil {
		at := f.at("value")
		if v.Feature == "" {
			f.broken(at+".feature", "is missing")
		}
		f.checkNamed(at+".feature", "feature", v.Feature, f.featureNames())
		f.checkNamed(at+".orders", "feature", v.Orders, f.featureNames())
		f.checkOrders(at+".orders", v)
		if !(0 < v.Mid && v.Mid < v.High) {
			f.broken(at+".mid", "mid %d, high %d: must rise, above 0", v.Mid, v.High)
		}
	}
}

// checkOrders notes orders that are not of the same money as the value: a mean of the two would be of nothing.
func (f *file) checkOrders(at string, v *valueFile) {
	orders, declared := f.Features[v.Orders]
	value, valued := f.Features[v.Feature]
	switch {
	case !declared || !valued: // reported elsewhere, or there are none
	case value.Kind != feature.Sum.String() || value.Property != "":
		f.broken(at, "%s is no sum of money, which alone has orders", v.Feature)
	case orders.Kind != feature.Count.String() || !orders.Priced:
		f.broken(at, "%s is no count of events with money (kind: count, priced: true)", v.Orders)
	case orders.Within != value.Within:
		f.broken(at, "%s is within %s and %s within %s, must be the same", v.Orders, orders.Within, v.Feature, value.Within)
	}
}

// buildValue compiles the value.
func (k *Pack) buildValue(f *file) {
	k.Value = Value{Feature: -1, Orders: -1}
	v := f.Value
	if v == nil {
		return
	}
	order, _ := f.featureOrder()
	k.Value.Feature, k.Value.Orders = slices.Index(order, v.Feature), slices.Index(order, v.Orders)
	k.Value.High, k.Value.Mid = v.High, v.Mid
	d := &k.Features[k.Value.Feature]
	k.Value.IsMoney = d.IsMoney()
	if d.Property >= 0 && d.Kind.Traits().Form != feature.FormCount {
		k.Value.decimals = 3 // numbers are in thousandths
	}
	if d.Kind == feature.Sum || d.Kind == feature.Count {
		unit := moment.DayMillis
		if d.Hourly {
			unit = moment.HourMillis
		}
		k.Value.Within = time.Duration(int64(d.Within)*int64(unit)) * time.Millisecond
	}
}
