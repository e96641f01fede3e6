package feature

import (
	"math"
)

// always is the range of a value with data throughout.
func always(least, greatest int64) Range {
	return Range{Least: least, Greatest: greatest, Always: true, Sometimes: true}
}

// value is the value of a range of one instant.
func (r Range) value() Value { return Value{N: r.Least, OK: r.Always} }

// span is the range of a single value.
func (v Value) span() Range {
	return Range{Least: v.N, Greatest: v.N, Always: v.OK, Sometimes: v.OK}
}

// with is r widened to include n.
func (r Range) with(n int64) Range {
	if !r.Sometimes {
		r.Least, r.Greatest, r.Sometimes = n, n, true
	}
	r.Least, r.Greatest = min(r.Least, n), max(r.Greatest, n)
	return r
}

// permille is a/b for a positive b, rounded towards zero. It rises with a and, apart from its sign, falls with b.
func permille(a, b int64) int64 {
	const most = math.MaxInt64 / 1000
	return min(max(a, -most), most) * 1000 / b
}

// ratio bounds of in permille of to. It has data only if both have, and to is at least least.
func ratio(of, to Range, least int64) Range {
	if !of.Sometimes || !to.Sometimes || to.Greatest < least {
		return Range{}
	}
	r := Range{Always: of.Always && to.Always && to.Least >= least}
	for _, b := range [2]int64{max(to.Least, least), to.Greatest} {
		r = r.with(permille(of.Least, b)).with(permille(of.Greatest, b))
	}
	return r
}
