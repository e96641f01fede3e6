package feature

import (
	"ebb/scoring/encode"
)

// Valid reports whether the state is a possible result of Fold: every accepted state has one encoding and at most
// MaxState bytes, and may be read and folded into. An instant or tile in it is never beyond Max.
func (f *Set) Valid(state []byte) bool {
	last := -1
	for len(state) > 0 {
		if len(state) < 2 {
			return false
		}
		i, r := int(state[0]), encode.NewReader(state[1:])
		size := r.Uvarint()
		if i <= last || i >= len(f.cells) || r.Damaged() || size > uint64(len(r.Rest())) {
			return false
		}
		kept := r.Fixed(int(size))
		if !f.cells[i].valid(kept) {
			return false
		}
		last, state = i, r.Rest()
	}
	return true
}

func (c *cell) valid(b []byte) bool {
	switch c.Kind {
	case cellCounts, cellSums:
		return c.validTiles(b)
	case cellNewest:
		return validNewest(b)
	case cellLast:
		return validLast(b)
	case cellTotal:
		return validTotal(b)
	case cellDistinct:
		return c.validDistinct(b)
	default:
		return validOpen(b)
	}
}
