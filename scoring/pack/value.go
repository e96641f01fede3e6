package pack

import (
	"slices"

	"ebb/scoring/feature"
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
	Feature   int   // index into the pack's features; -1: the pack declares none
	High, Mid int64 // where the value tiers begin, in the feature's unit
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
	Feature string `json:"feature" yaml:"feature"`
	High    int64  `json:"high"    yaml:"high"`
	Mid     int64  `json:"mid"     yaml:"mid"`
}

// checkValue notes what is wrong with the value.
func (f *file) checkValue() {
	if v := f.Value; v != nil {
		at := f.at("value")
		if v.Feature == "" {
			f.broken(at+".feature", "is missing")
		}
		f.checkNamed(at+".feature", "feature", v.Feature, f.featureNames())
		if !(0 < v.Mid && v.Mid < v.High) {
			f.broken(at+".mid", "mid %d, high %d: must rise, above 0", v.Mid, v.High)
		}
	}
}

// buildValue compiles the value.
func (k *Pack) buildValue(f *file) {
	k.Value.Feature = -1
	if v := f.Value; v != nil {
		order, _ := f.featureOrder()
		k.Value = Value{slices.Index(order, v.Feature), v.High, v.Mid}
	}
}
