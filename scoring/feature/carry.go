package feature

import (
	"slices"
)

// Inherit are f's cells as indexes of the equal cells of old, -1: there is none. Names identify the cells of each:
// equal cells have the same name.
func (f *Set) Inherit(names []string, old *Set, oldNames []string) []int {
	places := map[string]int{}
	for i, name := range oldNames {
		places[name] = i
	}
	from := make([]int, len(f.cells))
	for i := range f.cells {
		c := &f.cells[i]
		at, same := places[names[i]]
		if !same || c.span > old.cells[at].span && f.compares(c) {
			at = -1
		}
		from[i] = at
	}
	return from
}

// compares reports whether a trend reads the cell. A trend would read the time before the cell was kept as nothing, and
// the present as a rise.
func (f *Set) compares(c *cell) bool {
	return slices.ContainsFunc(c.readers, func(i int) bool { return f.list[i].kind.Traits().compares })
}

// AppendCarried appends the cells of another pack's state that f keeps too. from is, by f's cells, their index there or
// -1. If f looks less far back, it keeps less. If it looks farther back, it has only what was kept.
func (f *Set) AppendCarried(dst, state []byte, from []int) []byte {
	for i, old := range from {
		kept := cellOf(state, old)
		if len(kept) == 0 {
			continue
		}
		dst = append(dst, byte(i), 0)
		begin := len(dst)
		dst = measured(append(dst, f.cells[i].reach(kept)...), begin)
	}
	return dst
}

// cellOf is the content of the cell of that index in a state; nil: nothing.
func cellOf(state []byte, index int) []byte {
	for at := 0; at < len(state); {
		i := int(state[at])
		kept, end := payload(state, at)
		if i == index {
			return kept
		}
		at = end
	}
	return nil
}

// reach is the part of a cell's content that lies no farther back than c looks: its entries come newest first.
func (c *cell) reach(b []byte) []byte {
	switch c.Kind {
	case cellCounts, cellSums:
		var t tiles
		t.open(c, b, false)
		end := t.at
		for t.next(); t.tile > t.head-c.span; t.next() {
			end = t.at
		}
		return b[:end]
	case cellDistinct:
		p := openPalette(b)
		head, end := p.tile, 0
		for p.next() && p.tile > head-c.span {
			end = p.Offset()
		}
		return b[:end]
	default:
		return b
	}
}
