package feature

import (
	"math"
	"slices"

	"ebb/scoring/moment"
)

// never is later than any instant and any tile.
const never = math.MaxInt64

// Values appends what every feature of a set says at an instant, in ms since the epoch, to dst; of the others what
// they say where there was no event. First is the customer's first activity, 0 for none. What happened after that
// instant counts as if it were the newest event's.
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

// Ranges appends bounds of what every feature of a set says from one instant to a later one, both included, to dst.
// First is as in Values.
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

// tenureBetween is what tenure says from one instant to another.
func tenureBetween(first, from, to int64) Range {
	if first == 0 {
		return Range{}
	}
	return always(elapsed(first, from, moment.DayMillis), elapsed(first, to, moment.DayMillis))
}

// read is what the feature says from one instant to another, by what its cell keeps. False: there was no event of its
// signal.
func (d *compiled) read(c *cell, b []byte, from, to int64) (Range, bool) {
	switch d.kind {
	case Since:
		at := newestTime(b)
		return always(elapsed(at, from, moment.DayMillis), elapsed(at, to, moment.DayMillis)), true
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

// readWindow is what a feature with a window says while that ends with a tile between from and to.
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
