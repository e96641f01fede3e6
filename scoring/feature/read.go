package feature

import (
	"math"
	"slices"

	"ebb/scoring/moment"
)

// never is later than any instant and any tile.
const never = math.MaxInt64

// Values appends to dst the value of every feature of a set at an instant, in ms since the epoch; for features outside
// the set, the value without any event. First is the customer's first activity, 0 for none. Events after that instant
// count as if they were at it.
func (f *Set) Values(dst []Value, set Indexes, state []byte, first, at int64) []Value {
	n := len(dst)
	dst = slices.Grow(dst, len(f.list))[:n+len(f.list)]
	v := dst[n:]
	for i := range v {
		v[i] = Value{OK: first != 0 && f.unseen[i].Always}
	}
	for _, i := range f.tenures {
		v[i] = tenureBetween(first, at, at).value()
	}
	for end := 0; end < len(state); {
		var b []byte
		c := &f.cells[state[end]]
		b, end = payload(state, end)
		for _, i := range c.readers {
			if !set.has(i) {
				continue
			}
			if r, ok := f.list[i].read(c, b, at, at); ok {
				v[i] = r.value()
			}
		}
	}
	for _, i := range f.ratios {
		d := &f.list[i]
		v[i] = ratio(v[d.of].span(), v[d.to].span(), d.least).value()
	}
	return dst
}

// Ranges appends to dst bounds of every feature of a set from one instant to a later one, both included. First is as in
// Values.
func (f *Set) Ranges(dst []Range, set Indexes, state []byte, first, from, to int64) []Range {
	n := len(dst)
	dst = slices.Grow(dst, len(f.list))[:n+len(f.list)]
	v := dst[n:]
	clear(v)
	if first != 0 {
		copy(v, f.unseen)
	}
	for _, i := range f.tenures {
		v[i] = tenureBetween(first, from, to)
	}
	for end := 0; end < len(state); {
		var b []byte
		c := &f.cells[state[end]]
		b, end = payload(state, end)
		for _, i := range c.readers {
			if !set.has(i) {
				continue
			}
			if r, ok := f.list[i].read(c, b, from, to); ok {
				v[i] = r
			}
		}
	}
	for _, i := range f.ratios {
		d := &f.list[i]
		v[i] = ratio(v[d.of], v[d.to], d.least)
	}
	return dst
}

// tenureBetween is the range of tenure from one instant to another.
func tenureBetween(first, from, to int64) Range {
	if first == 0 {
		return Range{}
	}
	return always(elapsed(first, from, moment.DayMillis), elapsed(first, to, moment.DayMillis))
}

// read is the feature's range from one instant to another, by its cell. False: there was no event of its signal.
func (d *compiled) read(c *cell, b []byte, from, to int64) (Range, bool) {
	switch d.kind {
	case Since:
		at := newestTime(b)
		return always(elapsed(at, from, moment.DayMillis), elapsed(at, to, moment.DayMillis)), true
	case Total:
		n := readTotal(b)
		return always(n, n), true
	case Open:
		q, _ := readQueue(b)
		at, ok := q.oldest()
		if !ok {
			at = never
		}
		return always(elapsed(at, from, moment.HourMillis), elapsed(at, to, moment.HourMillis)), q.ever
	default:
		return d.readWindow(c, b, d.unit.tile(from), d.unit.tile(to)), true
	}
}

// readWindow is the range of a feature with a window that ends with a tile between from and to.
func (d *compiled) readWindow(c *cell, b []byte, from, to int64) Range {
	var t tiles
	switch d.kind {
	case Last:
		at, number := readLast(b)
		end := d.unit.tile(at) + d.window
		if from >= end {
			return Range{}
		}
		return Range{Least: number, Greatest: number, Always: to < end, Sometimes: true}
	case Distinct:
		return always(distinct(b, from, to, d.window))
	case Trend:
		t.open(c, b, false)
		return t.trend(from, to, d.window, d.least)
	default:
		t.open(c, b, d.kind == ActiveDays)
		return always(t.sum(from, to, d.window))
	}
}
