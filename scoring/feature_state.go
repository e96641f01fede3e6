package scoring

import "encoding/binary"

// The state of a customer's features holds a cell for everything that was counted so far, in the order of the pack's
// cells:
//
//	index of the cell, length of what follows  1 byte, 1 or 2
//	what the cell keeps                        see feature_tiles.go, feature_newest.go, feature_distinct.go, feature_open.go
//
// A time (ms since the epoch) is 6 bytes, the number of a tile 3, little endian; all other numbers are varints of the
// least length, so that one state has one spelling. What a cell keeps depends on the events folded into it alone, and
// but for `open`, equal times in `last` and what saturates, not on their order.

// effect is what an event did to a cell.
type effect uint8

const (
	idle    effect = iota // nothing, it says nothing new
	refused               // nothing, it is older than every window
	taken
)

// Fold adds one event to a state, which it edits in place: the new state lies in the same array, of which what is
// behind the state is overwritten, unless that is too short; twice MaxState is always enough. An event without effect
// leaves it as it is. Too late: the event is older than every window that it would have counted in, and had no other
// effect.
func (f *Features) Fold(state []byte, o *FeatureEvent) (folded []byte, tooLate bool) {
	if o.Set&f.signals == 0 {
		return state, false
	}
	var effects [taken + 1]bool
	out, at := state, 0 // the new state is written behind the old one, of which everything before at is done with
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

// wants reports whether the event, which is of the cell's signals, has what the cell keeps.
func (c *cell) wants(o *FeatureEvent) bool {
	switch {
	case c.kind == cellDistinct:
		kind := o.property(c.property).Kind
		return kind != PropertyNone && kind != PropertyOther
	case c.property >= 0:
		return o.property(c.property).Kind == PropertyNumber
	case c.kind == cellSums:
		return o.HasValue
	default:
		return true
	}
}

// fold appends what the cell keeps once it has seen the event too; old is what it kept, empty for nothing.
func (c *cell) fold(dst, old []byte, o *FeatureEvent) ([]byte, effect) {
	switch c.kind {
	case cellCounts:
		return c.foldTile(dst, old, c.unit.tile(o.Time), 1)
	case cellSums:
		n := o.Value
		if c.property >= 0 {
			n = o.property(c.property).Number
		}
		return c.foldTile(dst, old, c.unit.tile(o.Time), clampSum(n))
	case cellNewest:
		return foldNewest(dst, old, o.Time)
	case cellLast:
		return foldLast(dst, old, o.Time, o.property(c.property).Number)
	case cellDistinct:
		return c.foldDistinct(dst, old, c.unit.tile(o.Time), o.property(c.property).fingerprint())
	default:
		return c.foldOpen(dst, old, o)
	}
}

// maxSize is the size in bytes that the cell can reach, its head included.
func (c *cell) maxSize() int {
	const head = 3
	switch c.kind {
	case cellCounts:
		return head + tileSize + countSize*int(c.span)
	case cellSums:
		return head + tileSize + sumSize*int(c.span)
	case cellNewest:
		return head + timeSize
	case cellLast:
		return head + timeSize + binary.MaxVarintLen64
	case cellDistinct:
		return head + tileSize + distinctSize*maxDistinct
	default:
		return head + maxOpenSize
	}
}

// payload is what the cell at b[at:] keeps, and where it ends.
func payload(b []byte, at int) (kept []byte, end int) {
	size := int(b[at+1])
	at += 2
	if size >= 0x80 {
		size += int(b[at])<<7 - 0x80
		at++
	}
	return b[at : at+size], at + size
}

// measured fills in the length of what was appended from begin on, for which one byte was left before it.
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

// uvarint reads the number at b[at:] and where it ends. What is no varint, or not the shortest one, is 0 and ends
// beyond b.
func uvarint(b []byte, at int) (v uint64, end int) {
	for shift := 0; at < len(b); shift += 7 {
		c := b[at]
		at++
		v |= uint64(c&0x7f) << shift
		if c >= 0x80 {
			continue
		}
		if c == 0 && shift > 0 || shift == 63 && c > 1 || shift > 63 {
			break
		}
		return v, at
	}
	return 0, len(b) + 1
}

// cellReader reads numbers one by one. What it cannot read is 0, and so is all that follows.
type cellReader struct {
	b  []byte
	at int // begin of what is not read yet; beyond b: damaged
}

// newReader reads b from its beginning.
func newReader(b []byte) cellReader { return cellReader{b: b} }

// more reports whether there is something left to read.
func (r *cellReader) more() bool { return r.at < len(r.b) }

// offset is where what is not read yet begins.
func (r *cellReader) offset() int { return r.at }

// damage makes the bytes ones that cannot be read.
func (r *cellReader) damage() { r.at = len(r.b) + 1 }

// damaged reports whether something could not be read.
func (r *cellReader) damaged() bool { return r.at > len(r.b) }

// rest are the bytes that are not read yet, of a reader that is not damaged.
func (r *cellReader) rest() []byte { return r.b[r.at:] }

// whole reports whether everything was read, and could be.
func (r *cellReader) whole() bool { return r.at == len(r.b) }

// next reads a varint of the least length.
func (r *cellReader) next() uint64 {
	var v uint64
	v, r.at = uvarint(r.b, r.at)
	return v
}

// until reads a varint of at most limit.
func (r *cellReader) until(limit uint64) int64 {
	v := r.next()
	if v > limit {
		r.damage()
		return 0
	}
	return int64(v)
}

// fixed are the next bytes, nil if there are not so many.
func (r *cellReader) fixed(size int) []byte {
	if r.at+size > len(r.b) {
		r.damage()
		return nil
	}
	r.at += size
	return r.b[r.at-size : r.at]
}

// readTile reads what appendTile wrote.
func (r *cellReader) readTile() int64 {
	if b := r.fixed(tileSize); b != nil {
		return int64(b[0]) | int64(b[1])<<8 | int64(b[2])<<16
	}
	return 0
}

// readTime reads what appendTime wrote.
func (r *cellReader) readTime() int64 {
	if b := r.fixed(timeSize); b != nil {
		return int64(binary.LittleEndian.Uint32(b)) | int64(binary.LittleEndian.Uint16(b[4:]))<<32
	}
	return 0
}

// Sizes in bytes of the number of a tile, and of a time.
const (
	tileSize = 3
	timeSize = 6
)

// appendTile appends the number of a tile in tileSize bytes.
func appendTile(dst []byte, tile int64) []byte {
	return append(dst, byte(tile), byte(tile>>8), byte(tile>>16))
}

// appendTime appends an instant in ms since the epoch in timeSize bytes.
func appendTime(dst []byte, at int64) []byte {
	return binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint32(dst, uint32(at)), uint16(at>>32))
}

// zigzag is a number without a sign for one with: small where that is close to 0.
func zigzag(n int64) uint64 { return uint64(n)<<1 ^ uint64(n>>63) }

// unzigzag is the inverse of zigzag.
func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }
