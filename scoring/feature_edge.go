package scoring

import "slices"

// The search for a deadline asks when what a customer's factors add may change if no event comes. Not every value of
// a feature makes a difference to them: a factor that counts an open ticket from 72 hours on need not be asked about
// each hour.

// featureSet is a set of features, by index.
type featureSet [2]uint64

// AllFeatures holds every feature.
var AllFeatures = featureSet{^uint64(0), ^uint64(0)} //nolint:gochecknoglobals // a constant

func (s *featureSet) add(i int) { s[i>>6] |= 1 << (i & 63) }

func (s *featureSet) has(i int) bool { return s[i>>6]>>(i&63)&1 != 0 }

// interest is what somebody wants to know of the features.
type interest struct {
	all    bool             // whatever they say
	set    featureSet       // those looked at, what ratios divide included
	curves [][]FeatureCurve // over its values, by feature
}

// interestOf is what matters to curves over the features' values, by feature.
func (f *Features) interestOf(curves [][]FeatureCurve) interest {
	in := interest{curves: curves}
	for i := range curves {
		if len(curves[i]) > 0 {
			in.set.add(i)
		}
	}
	for _, i := range slices.Backward(f.ratios) {
		if in.set.has(i) {
			in.set.add(f.list[i].of)
			in.set.add(f.list[i].to)
		}
	}
	return in
}

// read reports whether there is a curve over the feature's values.
func (in *interest) read(i int) bool { return i < len(in.curves) && len(in.curves[i]) > 0 }

// above is the least value of a feature beyond v at which what is made of it may be another than at v; never: none.
func (in *interest) above(feature int, v int64) int64 {
	least := int64(never)
	for _, c := range in.curves[feature] {
		least = min(least, c.above(v))
	}
	return least
}

// Edge is the first instant after the given one, in ms, at which what is made of the features may be another if no
// event comes; math.MaxInt64 if there is none. Values are those at the given instant, first is as in Values.
func (f *Features) Edge(in *interest, values []FeatureValue, state []byte, first, after int64) int64 {
	next, exact := int64(never), f.exactly(in, values)
	for _, i := range f.tenures {
		if first != 0 && (exact.has(i) || in.read(i)) {
			next = min(next, in.passes(i, exact.has(i), first, after, dayMillis))
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

// exactly is the set of features of which every change matters: all, or those that a ratio divides. It leaves out
// those of ratios that have no data and will not have any without an event.
func (f *Features) exactly(in *interest, values []FeatureValue) (set featureSet) {
	if in.all {
		return AllFeatures
	}
	for _, i := range slices.Backward(f.ratios) {
		if d := &f.list[i]; (set.has(i) || in.read(i)) && !f.ended(i, values) {
			set.add(d.of)
			set.add(d.to)
		}
	}
	return set
}

// ended reports whether a ratio has no data, nor ever will have without a further event: a count only falls.
func (f *Features) ended(i int, values []FeatureValue) bool {
	d := &f.list[i]
	switch f.list[d.to].kind {
	case FeatureCount, FeatureActiveDays, FeatureDistinct:
		return !values[i].OK && values[d.to].N < d.least
	case FeatureRatio:
		return !values[i].OK && f.ended(d.to, values)
	default:
		return false
	}
}

// next is the first instant after the given one at which what is made of a feature with value v may be another, by
// what its cell keeps. Exact: any change of it counts.
func (f *Features) next(in *interest, i int, exact bool, c *cell, b []byte, v, after int64) int64 {
	d := &f.list[i]
	switch d.kind {
	case FeatureSince:
		return in.passes(i, exact, newestTime(b), after, dayMillis)
	case FeatureOpen:
		q, _ := readQueue(b)
		if at, ok := q.oldest(); ok {
			return in.passes(i, exact, at, after, hourMillis)
		}
		return never
	case FeatureCount, FeatureActiveDays, FeatureDistinct:
		if !exact && in.above(i, 0) > v { // it only falls
			return never
		}
	default:
	}
	tile := d.nextTile(c, b, d.unit.tile(after))
	if tile == never {
		return never
	}
	return d.unit.start(tile)
}

// passes is the first instant after the given one at which what is made of the time that has passed since another may
// be another.
func (in *interest) passes(i int, exact bool, since, after, unit int64) int64 {
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
