package feature

import (
	"encoding/binary"

	"ebb/scoring/encode"
	"ebb/scoring/moment"
)

// A cell of `distinct` keeps up to 16 values, each with the newest tile in which it occurred:
//
//	newest tile
//	for each value: distance of its tile from that of the value before it, fingerprint (4 bytes, little endian)
//
// The newest come first, within a tile by fingerprint. A 17th value replaces the last, whose newest tile is the oldest.

const (
	MaxDistinct     = 16
	fingerprintSize = 4
	distinctSize    = fingerprintSize + 2
)

// seen is a value and the newest tile in which it occurred.
type seen struct {
	tile int64
	hash uint32
}

// before is the order of values in a cell.
func (s seen) before(o seen) bool { return s.tile > o.tile || s.tile == o.tile && s.hash < o.hash }

// palette reads a cell's values.
type palette struct {
	encode.Reader
	seen
}

func openPalette(b []byte) palette {
	p := palette{Reader: encode.NewReader(b)}
	p.seen.tile = p.Reader.Tile()
	return p
}

// next reads another value, if there is one.
func (p *palette) next() bool {
	if !p.More() {
		return false
	}
	p.tile -= p.UvarintUpTo(moment.Max)
	b := p.Fixed(fingerprintSize)
	if b == nil {
		return false
	}
	p.hash = binary.LittleEndian.Uint32(b)
	return true
}

// foldDistinct adds a value that occurred in a tile.
func (c *cell) foldDistinct(dst, old []byte, tile int64, hash uint32) ([]byte, effect) {
	fresh := seen{tile, hash}
	if len(old) == 0 {
		return appendSeen(dst, fresh), taken
	}
	p := openPalette(old)
	if tile <= p.tile-c.span {
		return append(dst, old...), refused
	}
	oldest := max(p.tile, tile) - c.span // older values are dropped
	var kept [MaxDistinct + 1]seen
	n, placed := 0, false
	for p.next() {
		if p.hash == hash && p.tile >= tile {
			return append(dst, old...), taken
		}
		if !placed && fresh.before(p.seen) {
			kept[n], placed = fresh, true
			n++
		}
		if p.hash != hash && p.tile > oldest {
			kept[n] = p.seen
			n++
		}
	}
	if !placed {
		kept[n] = fresh
		n++
	}
	return appendSeen(dst, kept[:min(n, MaxDistinct)]...), taken
}

func appendSeen(dst []byte, values ...seen) []byte {
	last := values[0].tile
	dst = encode.AppendTile(dst, last)
	for _, v := range values {
		dst = binary.AppendUvarint(dst, uint64(last-v.tile))
		dst = binary.LittleEndian.AppendUint32(dst, v.hash)
		last = v.tile
	}
	return dst
}

// distinct bounds the number of values within a window that ends with a tile between from and to, or with the newest
// one if that is later.
func distinct(b []byte, from, to, window int64) (least, greatest int64) {
	p := openPalette(b)
	from, to = max(from, p.tile), max(to, p.tile)
	for p.next() && p.tile > from-window {
		greatest++
		if p.tile > to-window {
			least++
		}
	}
	return least, greatest
}

// leavesDistinct is the tile at which the next value leaves a window that now ends with the given tile.
func leavesDistinct(b []byte, end, window int64) int64 {
	p := openPalette(b)
	leaves := int64(never)
	for p.next() && p.tile > end-window {
		leaves = p.tile + window
	}
	return leaves
}

// validDistinct reports whether b is a possible result of fold.
func (c *cell) validDistinct(b []byte) bool {
	p := openPalette(b)
	head := p.tile
	var kept [MaxDistinct]seen
	n := 0
	for p.next() {
		if n == MaxDistinct || p.tile < 0 || p.tile <= head-c.span {
			return false
		}
		for _, earlier := range kept[:n] {
			if earlier.hash == p.hash || !earlier.before(p.seen) {
				return false
			}
		}
		kept[n] = p.seen
		n++
	}
	return n > 0 && kept[0].tile == head && head <= c.Unit.tile(moment.Max) && p.Whole()
}
