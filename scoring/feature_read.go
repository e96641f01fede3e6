package scoring

import (
	"math"
	"slices"
)

// never is later than any instant and any tile.
const never = math.MaxInt64

// values appends what every feature says at an instant, in ms since the epoch, to dst. First is the customer's first
// activity, 0 for none. What happened after that instant counts as if it were the newest event's.
func (f *features) values(dst []FeatureValue, state []byte, first, at int64) []FeatureValue {
	n := len(dst)
	dst = slices.Grow(dst, len(f.list))[:n+len(f.list)]
	v := dst[n:]
	for i := range f.list {
		v[i] = f.list[i].unseen(first, at, at).value()
	}
	for end := 0; end < len(state); {
		var b []byte
		c := &f.cells[state[end]]
		b, end = payload(state, end)
		for _, i := range c.readers {
			if r, ok := f.list[i].read(c, b, at, at); ok {
				v[i] = r.value()
			}
		}
	}
	for i := range f.list {
		if d := &f.list[i]; d.kind == FeatureRatio {
			v[i] = ratio(v[d.of].span(), v[d.to].span(), d.least).value()
		}
	}
	return dst
}

// ranges appends bounds of what every feature says from one instant to a later one, both included, to dst. First is as in values.
func (f *features) ranges(dst []FeatureRange, state []byte, first, from, to int64) []FeatureRange {
	n := len(dst)
	dst = slices.Grow(dst, len(f.list))[:n+len(f.list)]
	v := dst[n:]
	for i := range f.list {
		v[i] = f.list[i].unseen(first, from, to)
	}
	for end := 0; end < len(state); {
		var b []byte
		c := &f.cells[state[end]]
		b, end = payload(state, end)
		for _, i := range c.readers {
			if r, ok := f.list[i].read(c, b, from, to); ok {
				v[i] = r
			}
		}
	}
	for i := range f.list {
		if d := &f.list[i]; d.kind == FeatureRatio {
			v[i] = ratio(v[d.of], v[d.to], d.least)
		}
	}
	return dst
}

// edge is the first instant after the given one, in ms, at which any feature may say something else if no event comes;
// math.MaxInt64 if there is none. First is as in values.
func (f *features) edge(state []byte, first, after int64) int64 {
	next := int64(never)
	for i := range f.list {
		if f.list[i].kind == FeatureTenure && first != 0 {
			next = min(next, nextElapsed(first, after, dayMillis))
		}
	}
	for end := 0; end < len(state); {
		var b []byte
		c := &f.cells[state[end]]
		b, end = payload(state, end)
		for _, i := range c.readers {
			next = min(next, f.list[i].next(c, b, after))
		}
	}
	return next
}

// unseen is what the feature says of a customer without any event of its signal.
func (d *compiledFeature) unseen(first, from, to int64) FeatureRange {
	switch {
	case first == 0:
		return FeatureRange{}
	case d.kind == FeatureTenure:
		return always(elapsed(first, from, dayMillis), elapsed(first, to, dayMillis))
	default:
		return FeatureRange{Always: d.absentZero, Sometimes: d.absentZero}
	}
}

// read is what the feature says from one instant to another, by what its cell keeps. False: there was no event of its signal.
func (d *compiledFeature) read(c *cell, b []byte, from, to int64) (FeatureRange, bool) {
	switch d.kind {
	case FeatureSince:
		at := newestTime(b)
		return always(elapsed(at, from, dayMillis), elapsed(at, to, dayMillis)), true
	case FeatureOpen:
		q, _ := readQueue(b)
		at, ok := q.oldest()
		if !ok {
			at = never
		}
		return always(elapsed(at, from, hourMillis), elapsed(at, to, hourMillis)), q.ever
	default:
		return d.readWindow(c, b, d.unit.tile(from), d.unit.tile(to)), true
	}
}

// readWindow is what a feature with a window says while that ends with a tile between from and to.
func (d *compiledFeature) readWindow(c *cell, b []byte, from, to int64) FeatureRange {
	var t tiles
	switch d.kind {
	case FeatureLast:
		at, number := readLast(b)
		end := d.unit.tile(at) + d.window
		if from >= end {
			return FeatureRange{}
		}
		return FeatureRange{Least: number, Greatest: number, Always: to < end, Sometimes: true}
	case FeatureDistinct:
		return always(distinct(b, from, to, d.window))
	case FeatureTrend:
		t.open(c, b, false)
		return t.trend(from, to, d.window, d.least)
	default:
		t.open(c, b, d.kind == FeatureActiveDays)
		return always(t.sum(from, to, d.window))
	}
}

// next is the first instant after the given one at which the feature may say something else, by what its cell keeps.
func (d *compiledFeature) next(c *cell, b []byte, after int64) int64 {
	switch d.kind {
	case FeatureSince:
		return nextElapsed(newestTime(b), after, dayMillis)
	case FeatureOpen:
		q, _ := readQueue(b)
		if at, ok := q.oldest(); ok {
			return nextElapsed(at, after, hourMillis)
		}
		return never
	default:
		tile := d.nextTile(c, b, d.unit.tile(after))
		if tile == never {
			return never
		}
		return d.unit.start(tile)
	}
}

// nextTile is the first tile after the given one with which a window that ends there says something else.
func (d *compiledFeature) nextTile(c *cell, b []byte, after int64) int64 {
	var t tiles
	switch d.kind {
	case FeatureLast:
		if end := d.unit.tile(newestTime(b)) + d.window; end > after {
			return end
		}
		return never
	case FeatureDistinct:
		return leavesDistinct(b, after, d.window)
	case FeatureTrend:
		t.open(c, b, false)
		return min(t.leaves(after, d.window), t.leaves(after, 2*d.window)) // the second goes on where the first stopped
	default:
		t.open(c, b, false)
		return t.leaves(after, d.window)
	}
}
