package feature

// Feature is one declared feature of a pack.
type Feature struct {
	Name       string
	Kind       Kind
	Of         int   // signal, 0 to 63; for a ratio an earlier feature; -1 where there is none
	To         int   // open: signal that solves; ratio: the earlier feature that is the denominator; else -1
	Property   int   // of the event, 0 to 15; -1: none, which for a sum is money
	Priced     bool  // count: only events with money
	Within     int   // window: days, or hours where Hourly is set; 0: none
	Hourly     bool  // the window is a sum of hours instead of days, all UTC
	Least      int64 // trend, ratio: least denominator; below it, the feature has no data
	AbsentZero bool  // without any event the value is zero from the first activity on, instead of unknown
}

// IsMoney reports whether the value is an amount of money.
func (d *Feature) IsMoney() bool { return d.Kind == Sum && d.Property < 0 }

// Value is a feature's value at one instant.
type Value struct {
	N  int64 // count, minor units, thousandths, seconds or permille; 0 without data
	OK bool  // it has data
}

// Range bounds a feature's value between two instants if no event comes.
type Range struct {
	Least, Greatest int64 // of its values while it has data
	Always          bool  // it has data throughout
	Sometimes       bool  // false: it never has
}
