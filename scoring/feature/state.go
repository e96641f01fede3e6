package feature

import (
	"encoding/binary"

	"ebb/scoring/encode"
)

// The state of a customer's features holds a cell for everything counted so far, in the order of the pack's cells:
//
//	index of the cell, length of its content   1 byte, 1 or 2
//	content of the cell                        see tiles.go, newest.go, distinct.go, open.go, total.go
//
// A time (ms since the epoch) is 6 bytes, the number of a tile 3, little endian; all other numbers are varints of the
// least length, so that each state has exactly one encoding. A cell's content depends only on the events folded into
// it, and not on their order, except for `open`, equal times in `last`, and saturated counts.

// effect is the effect of an event on a cell.
type effect uint8

const (
	idle    effect = iota // none: it adds nothing new
	refused               // none: it is older than every window
	taken
)

// Fold adds one event to a state, which it edits in place. The new state is in the same array, overwriting what is
// after the state, unless the array is too short; twice MaxState is always enough. An event without effect changes
// nothing. Too late: the event is older than every window that it would have counted in, and had no other effect.
func (f *Set) Fold(state []byte, o *Event) (folded []byte, tooLate bool) {
	if o.Set&f.signals == 0 {
		return state, false
	}
	var effects [taken + 1]bool
	out, at := state, 0 // the new state is written after the old one, of which the part before at is no longer needed
	for i := range f.cells {
		c := &f.cells[i]
		if o.Set&c.signals == 0 || !c.wants(o) {
			continue
		}
		from := at
		for at < len(state) && int(state[at]) < i {
			_, at = payload(state, at)
		}
		out = append(out, state[from:at]...)
		var old []byte
		if at < len(state) && int(state[at]) == i {
			old, at = payload(state, at)
		}
		out = append(out, byte(i), 0)
		begin := len(out)
		var e effect
		out, e = c.fold(out, old, o)
		out = measured(out, begin)
		effects[e] = true
	}
	if !effects[taken] {
		return state, effects[refused]
	}
	out = append(out, state[at:]...)
	copy(out, out[len(state):])
	return out[:len(out)-len(state)], false
}

// wants reports whether the event, which is of the cell's signals, holds what the cell counts.
func (c *cell) wants(o *Event) bool {
	switch {
	case c.Kind == cellDistinct:
		kind := o.property(c.Property).Kind
		return kind != PropertyNone && kind != PropertyOther
	case c.Property >= 0:
		return o.property(c.Property).Kind == PropertyNumber
	case c.Kind == cellSums, c.Priced:
		return o.HasValue
	default:
		return true
	}
}

// fold appends the cell's content with the event; old is its content before, empty for nothing.
func (c *cell) fold(dst, old []byte, o *Event) ([]byte, effect) {
	switch c.Kind {
	case cellCounts:
		return c.foldTile(dst, old, c.Unit.tile(o.Time), 1)
	case cellSums:
		n := o.Value
		if c.Property >= 0 {
			n = o.property(c.Property).Number
		}
		return c.foldTile(dst, old, c.Unit.tile(o.Time), clampSum(n))
	case cellNewest:
		return foldNewest(dst, old, o.Time)
	case cellLast:
		return foldLast(dst, old, o.Time, o.property(c.Property).Number)
	case cellTotal:
		return foldTotal(dst, old)
	case cellDistinct:
		return c.foldDistinct(dst, old, c.Unit.tile(o.Time), o.property(c.Property).fingerprint())
	default:
		return c.foldOpen(dst, old, o)
	}
}

// maxSize is the largest size of the cell in bytes, its head included.
func (c *cell) maxSize() int {
	const head = 3
	switch c.Kind {
	case cellCounts:
		return head + encode.TileSize + countSize*int(c.span)
	case cellSums:
		return head + encode.TileSize + sumSize*int(c.span)
	case cellNewest:
		return head + encode.TimeSize
	case cellLast:
		return head + encode.TimeSize + binary.MaxVarintLen64
	case cellTotal:
		return head + binary.MaxVarintLen32
	case cellDistinct:
		return head + encode.TileSize + distinctSize*MaxDistinct
	default:
		return head + maxOpenSize
	}
}

// payload is the content of the cell at b[at:], and where it ends.
func payload(b []byte, at int) (kept []byte, end int) {
	size := int(b[at+1])
	at += 2
	if size >= 0x80 {
		size += int(b[at])<<7 - 0x80
		at++
	}
	return b[at : at+size], at + size
}

// measured fills in the length of everything appended from begin on, for which one byte was left before it.
func measured(b []byte, begin int) []byte {
	size := len(b) - begin
	if size < 0x80 {
		b[begin-1] = byte(size)
		return b
	}
	b = append(b, 0)
	copy(b[begin+1:], b[begin:])
	b[begin-1], b[begin] = byte(size)|0x80, byte(size>>7)
	return b
}
