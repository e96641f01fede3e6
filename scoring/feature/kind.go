package feature

import (
	"ebb/scoring/moment"
)

// Kind is how a feature is computed from its signal's events. The list is closed; docs/packs.md defines each kind.
type Kind uint8

// The kinds of features.
const (
	Count      Kind = iota // events within the window
	Sum                    // money or a number, added up within the window
	ActiveDays             // days with an event within the window
	Since                  // seconds since the newest event, in whole days
	Trend                  // permille of the window before
	Distinct               // different values of a property within the window, 16 at most
	Last                   // number in the newest event
	Open                   // seconds for which the oldest open item has been open, in whole hours
	Ratio                  // one feature as permille of another
	Tenure                 // seconds since the first activity, in whole days
	Total                  // events in all
	NumKinds
)

// kinds is everything about the kinds but how each is read: that is in read.go, and in edge.go where the value changes
// with time otherwise than by a tile that leaves the window.
var kinds = [NumKinds]Traits{
	Count: {
		Name: "count", Form: FormCount, Windowed: true, MayBeZero: true,
		MayBePriced: true, cell: cellCounts, added: true, falls: true,
	},
	Sum: {
		Name: "sum", Form: FormSum, Windowed: true, Property: Optional, MayBeZero: true, signed: true,
		cell: cellSums, added: true,
	},
	ActiveDays: {
		Name: "active_days", Form: FormCount, Windowed: true, DaysOnly: true, MayBeZero: true,
		cell: cellCounts, falls: true, most: func(d *Feature) int64 { return int64(d.Within) },
	},
	Since: {Name: "since", Form: FormDays, cell: cellNewest},
	Trend: {
		Name: "trend", Form: FormShare, Windowed: true, Least: 3,
		cell: cellCounts, added: true, compares: true,
	},
	Distinct: {
		Name: "distinct", Form: FormCount, Windowed: true, Property: Required, MayBeZero: true,
		cell: cellDistinct, falls: true, most: func(*Feature) int64 { return MaxDistinct },
	},
	Last:   {Name: "last", Form: FormNumber, Windowed: true, Property: Required, signed: true, cell: cellLast},
	Open:   {Name: "open", Form: FormHours, Until: true, MayBeZero: true, cell: cellOpen},
	Ratio:  {Name: "ratio", Form: FormQuotient, Source: OfFeatures, Least: 1},
	Tenure: {Name: "tenure", Form: FormDays, Source: OfNothing},
	Total:  {Name: "total", Form: FormCount, MayBeZero: true, cell: cellTotal, falls: true},
}

// Traits is what a kind of feature asks of its declaration, and what its values are.
type Traits struct {
	Name      string // in packs
	Form      Form
	Source    Source
	Until     bool // another signal solves what its signal opens
	Windowed  bool
	DaysOnly  bool // its window is made of days, never of hours
	Property  Presence
	Least     int64 // the least denominator where none is declared; 0: nothing is divided
	MayBeZero bool  // a pack may declare that it is zero without any event

	MayBePriced bool // a pack may declare that it is of events with money alone

	signed   bool                   // it may be negative
	most     func(d *Feature) int64 // its greatest value; nil: there is none
	cell     CellKind               // that it reads; of a signal only
	added    bool                   // up over its window, of which a long one is made of weeks
	compares bool                   // its window with the one before
	falls    bool                   // without an event it never rises
}

// Source is what a feature is computed from.
type Source uint8

// Sources.
const (
	OfSignal   Source = iota
	OfFeatures        // two features declared before it
	OfNothing         // the customer's first activity alone
)

// Presence is whether a feature is of a property.
type Presence uint8

// Presences.
const (
	Absent Presence = iota
	Optional
	Required
)

// Form is what the number of a feature's value counts, and so how packs and alerts write it.
type Form uint8

// Forms.
const (
	FormCount    Form = iota // a whole number
	FormSum                  // minor units of money; thousandths where it is of a property
	FormNumber               // thousandths
	FormShare                // permille
	FormQuotient             // permille; of money to something else, thousandths of minor units
	FormDays                 // seconds, in whole days
	FormHours                // seconds, in whole hours
)

// Step is the step between possible values.
func (f Form) Step() int64 {
	switch f {
	case FormDays:
		return moment.SecondsPerDay
	case FormHours:
		return moment.HourMillis / 1000
	default:
		return 1
	}
}

// IsSpan reports whether values are spans of time, in seconds.
func (f Form) IsSpan() bool { return f == FormDays || f == FormHours }

// Traits are what there is to know of a kind, which has to be one of the list.
func (k Kind) Traits() *Traits { return &kinds[k] }

// KindNames are the names of the kinds of features, in order.
func KindNames() []string {
	names := make([]string, NumKinds)
	for k := range kinds {
		names[k] = kinds[k].Name
	}
	return names
}

// String is the kind's name in packs.
func (k Kind) String() string {
	if k < NumKinds {
		return kinds[k].Name
	}
	return "unknown"
}

// Endless is beyond what a feature's value can be in practice.
const Endless = 1 << 53

// Reach is the range of a feature's possible values; of one of two features it depends on these.
func (d *Feature) Reach() (least, most int64) {
	k := d.Kind.Traits()
	if k.signed {
		least = -Endless
	}
	if k.most != nil {
		return least, k.most(d)
	}
	return least, Endless
}
