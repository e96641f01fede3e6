package encode

import (
	"encoding/binary"
	"math"
)

// Uvarint reads the number at b[at:] and where it ends. Bytes that are no varint, or not the shortest one, are read as
// 0 and end beyond b.
func Uvarint(b []byte, at int) (v uint64, end int) {
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

// Reader reads numbers one by one. After an unreadable one, that number and all later ones are 0.
type Reader struct {
	b  []byte
	at int // begin of the unread part; beyond b: damaged
}

// NewReader reads b from its beginning.
func NewReader(b []byte) Reader { return Reader{b: b} }

// More reports whether there is an unread part.
func (r *Reader) More() bool { return r.at < len(r.b) }

// Offset is where the unread part begins.
func (r *Reader) Offset() int { return r.at }

// Damage marks the bytes as unreadable.
func (r *Reader) Damage() { r.at = len(r.b) + 1 }

// Damaged reports whether anything was unreadable.
func (r *Reader) Damaged() bool { return r.at > len(r.b) }

// Rest are the unread bytes of a reader that is not damaged.
func (r *Reader) Rest() []byte { return r.b[r.at:] }

// Whole reports whether everything was read without damage.
func (r *Reader) Whole() bool { return r.at == len(r.b) }

// Uvarint reads a varint of the least length.
func (r *Reader) Uvarint() uint64 {
	var v uint64
	v, r.at = Uvarint(r.b, r.at)
	return v
}

// UvarintUpTo reads a varint of at most limit.
func (r *Reader) UvarintUpTo(limit uint64) int64 {
	v := r.Uvarint()
	if v > limit {
		r.Damage()
		return 0
	}
	return int64(v)
}

// Fixed are the next n bytes, nil if there are not so many.
func (r *Reader) Fixed(size int) []byte {
	if r.at+size > len(r.b) {
		r.Damage()
		return nil
	}
	r.at += size
	return r.b[r.at-size : r.at]
}

// Tile reads the bytes of AppendTile.
func (r *Reader) Tile() int64 {
	if b := r.Fixed(TileSize); b != nil {
		return int64(b[0]) | int64(b[1])<<8 | int64(b[2])<<16
	}
	return 0
}

// Time reads the bytes of AppendTime.
func (r *Reader) Time() int64 {
	if b := r.Fixed(TimeSize); b != nil {
		return int64(binary.LittleEndian.Uint32(b)) | int64(binary.LittleEndian.Uint16(b[4:]))<<32
	}
	return 0
}

// Byte reads a byte.
func (r *Reader) Byte() byte {
	if b := r.Fixed(1); b != nil {
		return b[0]
	}
	return 0
}

// Uint16 reads two bytes, little endian.
func (r *Reader) Uint16() uint16 {
	if b := r.Fixed(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

// Uint32 reads four bytes, little endian.
func (r *Reader) Uint32() uint32 {
	if b := r.Fixed(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// Uint64 reads eight bytes, little endian.
func (r *Reader) Uint64() uint64 {
	if b := r.Fixed(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// Float reads the bytes of AppendFloat.
func (r *Reader) Float() float64 { return math.Float64frombits(r.Uint64()) }

// Finite reads a float that is a number; NaN and infinities are damage.
func (r *Reader) Finite() float64 {
	v := r.Float()
	if v-v != 0 {
		r.Damage()
		return 0
	}
	return v
}

// Bool reads the bytes of AppendBool.
func (r *Reader) Bool() bool {
	b := r.Byte()
	if b > 1 {
		r.Damage()
	}
	return b == 1
}

// Varint reads the bytes of binary.AppendVarint.
func (r *Reader) Varint() int64 { return Unzigzag(r.Uvarint()) }

// Part reads a length and as many bytes, which alias the read bytes; nil for none.
func (r *Reader) Part() []byte {
	n := r.Uvarint()
	if n == 0 {
		return nil
	}
	return r.Fixed(int(min(n, uint64(len(r.b)+1))))
}

// Text is Part as a string.
func (r *Reader) Text() string { return string(r.Part()) }
