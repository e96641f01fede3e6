package scoring

import "slices"

// FeatureKind is what a feature keeps of the events of its signal. The list is closed; docs/packs.md defines each kind.
type FeatureKind uint8

// The kinds of features.
const (
	FeatureCount      FeatureKind = iota // events within the window
	FeatureSum                           // money or a number, added up within the window
	FeatureActiveDays                    // days with an event within the window
	FeatureSince                         // seconds since the newest event, in whole days
	FeatureTrend                         // permille of the window before
	FeatureDistinct                      // different values of a property within the window, 16 at most
	FeatureLast                          // number that the newest event held
	FeatureOpen                          // seconds for which the oldest open item has been open, in whole hours
	FeatureRatio                         // one feature as permille of another
	FeatureTenure                        // seconds since the first activity, in whole days
	NumFeatureKinds
)

var featureKindNames = [NumFeatureKinds]string{
	"count", "sum", "active_days", "since", "trend", "distinct", "last", "open", "ratio", "tenure",
}

// FeatureKindNames are the names of the kinds of features, in order.
func FeatureKindNames() []string { return slices.Clone(featureKindNames[:]) }

// String is the kind's name in packs.
func (k FeatureKind) String() string {
	if k < NumFeatureKinds {
		return featureKindNames[k]
	}
	return "unknown"
}

// Feature is one declared feature of a pack.
type Feature struct {
	Name       string
	Kind       FeatureKind
	Of         int   // signal, 0 to 63; for a ratio an earlier feature; -1 where there is none
	To         int   // open: signal that solves; ratio: earlier feature that is divided by; else -1
	Property   int   // of the event, 0 to 15; -1: none, which for a sum is money
	Within     int   // window: days, or hours where Hourly is set; 0: none
	Hourly     bool  // the window is a sum of hours instead of days, all UTC
	Least      int64 // trend, ratio: what is divided by; below, the feature has no data
	AbsentZero bool  // without any event the value is zero from the first activity on, instead of unknown
}

// FeatureValue is what a feature says at one instant.
type FeatureValue struct {
	N  int64 // count, minor units, thousandths, seconds or permille; 0 without data
	OK bool  // it has data
}

// FeatureRange bounds what a feature says between two instants if no event comes.
type FeatureRange struct {
	Least, Greatest int64 // of its values while it has data
	Always          bool  // it has data throughout
	Sometimes       bool  // false: it never has
}

// PropertyKind is the type of an event's property.
type PropertyKind uint8

// The types of properties.
const (
	PropertyNone PropertyKind = iota // missing
	PropertyNumber
	PropertyText
	PropertyBool
	PropertyOther // neither: it exists, and that is all
)

// PropertyValue is one property of an event.
type PropertyValue struct {
	Kind   PropertyKind
	Number int64  // of a number in thousandths; of a bool 0 or 1
	Hash   uint64 // of a text
}

// fingerprint tells values apart, a text from a number too: two of 16 are taken for one once in 36 million times.
func (v PropertyValue) fingerprint() uint32 {
	h := v.Hash
	if v.Kind != PropertyText {
		h = uint64(v.Number)
	}
	h = (h ^ uint64(v.Kind)<<56) * 0x9e3779b97f4a7c15
	h = (h ^ h>>32) * 0xd6e8feb86659fd93
	return uint32(h >> 32)
}

// FeatureEvent is one event as features see it.
type FeatureEvent struct {
	Time       int64  // event time, ms since the epoch, between 1971 and 2200
	Set        uint64 // a bit for each signal that the event is
	Value      int64  // money in minor units
	HasValue   bool
	Properties []PropertyValue // by index; what lies beyond is missing
}

// property is the property of that index.
func (o *FeatureEvent) property(i int) PropertyValue {
	if i < len(o.Properties) {
		return o.Properties[i]
	}
	return PropertyValue{}
}

// is reports whether the event is the signal.
func (o *FeatureEvent) is(signal int) bool { return o.Set>>signal&1 != 0 }
