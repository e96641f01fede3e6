package feature

import (
	"slices"

	"ebb/scoring/moment"
)

// The search for a deadline needs the next time at which the sum of a customer's factors may change without an event.
// Not every value of a feature changes it: a factor that counts an open ticket from 72 hours on needs no look at each
// hour.

// Indexes is a set of features, by index.
type Indexes [2]uint64

// All holds every feature.
var All = Indexes{^uint64(0), ^uint64(0)} //nolint:gochecknoglobals // a constant

func (s *Indexes) add(i int) { s[i>>6] |= 1 << (i & 63) }

func (s *Indexes) has(i int) bool { return s[i>>6]>>(i&63)&1 != 0 }

// Interest is which values of features matter to a reader.
type Interest struct {
	all      bool      // all values
	Features Indexes   // those that are read, including the sources of ratios
	curves   [][]Curve // over its values, by feature
}

// InterestOf is what matters to curves over the features' values, by feature.
func (f *Set) InterestOf(curves [][]Curve) Interest {
	in := Interest{curves: curves}
	for i := range curves {
		if len(curves[i]) > 0 {
			in.Features.add(i)
		}
	}
	for _, i := range slices.Backward(f.ratios) {
		if in.Features.has(i) {
			in.Features.add(f.list[i].of)
			in.Features.add(f.list[i].to)
		}
	}
	return in
}

// read reports whether there is a curve over the feature's values.
func (in *Interest) read(i int) bool { return i < len(in.curves) && len(in.curves[i]) > 0 }

// above is the least value of a feature beyond v at which the reader's result may differ from that at v; never: none.
func (in *Interest) above(feature int, v int64) int64 {
	least := int64(never)
	for _, c := range in.curves[feature] {
		least = min(least, c.above(v))
	}
	return least
}

// Edge is the first instant after the given one, in ms, at which the reader's result may change if no event comes;
// math.MaxInt64 if there is none. Values are those at the given instant, first is as in Values.
func (f *Set) Edge(in *Interest, values []Value, state []byte, first, after int64) int64 {
	next, exact := int64(never), f.exactly(in, values)
	for _, i := range f.tenures {
		if first != 0 && (exact.has(i) || in.read(i)) {
			next = min(next, in.passes(i, exact.has(i), first, after, moment.DayMillis))
		}
	}
	for end := 0; end < len(state); {
		var b []byte
		c := &f.cells[state[end]]
		b, end = payload(state, end)
		for _, i := range c.readers {
			if exact.has(i) || in.read(i) {
				next = min(next, f.next(in, i, exact.has(i), c, b, values[i].N, after))
			}
		}
	}
	return next
}

// exactly is the set of features of which every change matters: all, or the sources of ratios. It leaves out those of
// ratios that have no data and will not have any without an event.
func (f *Set) exactly(in *Interest, values []Value) (set Indexes) {
	if in.all {
		return All
	}
	for _, i := range slices.Backward(f.ratios) {
		if d := &f.list[i]; (set.has(i) || in.read(i)) && !f.ended(i, values) {
			set.add(d.of)
			set.add(d.to)
		}
	}
	return set
}

// ended reports whether a ratio has no data and will not have any without a further event: a count only falls.
func (f *Set) ended(i int, values []Value) bool {
	d := &f.list[i]
	switch to := &f.list[d.to]; {
	case to.falls:
		return !values[i].OK && values[d.to].N < d.least
	case to.kind == Ratio:
		return !values[i].OK && f.ended(d.to, values)
	default:
		return false
	}
}

// next is the first instant after the given one at which the result for a feature with value v may change, by its cell.
// Exact: any change of the value counts.
func (f *Set) next(in *Interest, i int, exact bool, c *cell, b []byte, v, after int64) int64 {
	d := &f.list[i]
	switch d.kind {
	case Since:
		return in.passes(i, exact, newestTime(b), after, moment.DayMillis)
	case Total:
		return never
	case Open:
		q, _ := readQueue(b)
		if at, ok := q.oldest(); ok {
			return in.passes(i, exact, at, after, moment.HourMillis)
		}
		return never
	default:
	}
	if d.falls && !exact && in.above(i, 0) > v {
		return never
	}
	tile := d.nextTile(c, b, d.unit.tile(after))
	if tile == never {
		return never
	}
	return d.unit.start(tile)
}

// passes is the first instant after the given one at which the result for the time since another instant may change.
func (in *Interest) passes(i int, exact bool, since, after, unit int64) int64 {
	if exact {
		return nextElapsed(since, after, unit)
	}
	value := in.above(i, elapsed(since, after, unit))
	if value == never {
		return never
	}
	seconds := unit / 1000
	return since + (value+seconds-1)/seconds*unit
}

// nextTile is the first tile after the given one at which the value over a window that ends there changes.
func (d *compiled) nextTile(c *cell, b []byte, after int64) int64 {
	var t tiles
	switch d.kind {
	case Last:
		if end := d.unit.tile(newestTime(b)) + d.window; end > after {
			return end
		}
		return never
	case Distinct:
		return leavesDistinct(b, after, d.window)
	case Trend:
		t.open(c, b, false)
		return min(t.leaves(after, d.window), t.leaves(after, 2*d.window)) // the second goes on where the first has stopped
	default:
		t.open(c, b, false)
		return t.leaves(after, d.window)
	}
}
