package encode

import (
	"encoding/binary"
	"math"
)

// Sizes in bytes of the number of a tile, and of a time.
const (
	TileSize = 3
	TimeSize = 6
)

// AppendTile appends the number of a tile in TileSize bytes.
func AppendTile(dst []byte, tile int64) []byte {
	return append(dst, byte(tile), byte(tile>>8), byte(tile>>16))
}

// AppendTime appends an instant in ms since the epoch in TimeSize bytes.
func AppendTime(dst []byte, at int64) []byte {
	return binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint32(dst, uint32(at)), uint16(at>>32))
}

// Zigzag is the unsigned form of a number with a sign: small where that is close to 0.
func Zigzag(n int64) uint64 { return uint64(n)<<1 ^ uint64(n>>63) }

// Unzigzag is the inverse of Zigzag.
func Unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }

// AppendFloat appends the bits of a float in 8 bytes, little endian.
func AppendFloat(dst []byte, v float64) []byte {
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
}

// AppendBool appends a byte, 0 or 1.
func AppendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, 1)
	}
	return append(dst, 0)
}

// AppendParts appends each part after its length as a varint.
func AppendParts[T ~[]byte | ~string](dst []byte, parts ...T) []byte {
	for _, part := range parts {
		dst = append(binary.AppendUvarint(dst, uint64(len(part))), part...)
	}
	return dst
}
