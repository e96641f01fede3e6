package encode

import (
	"encoding/binary"
)

// VarintSize is the length in bytes of n as a varint with a sign.
func VarintSize(n int64) int {
	var b [binary.MaxVarintLen64]byte
	return binary.PutVarint(b[:], n)
}

// UvarintSize is the length in bytes of n as a varint.
func UvarintSize(n uint64) int {
	var b [binary.MaxVarintLen64]byte
	return binary.PutUvarint(b[:], n)
}

// CutUvarint takes a number off the front of b; rest is nil where there is none, or where it has a shorter encoding.
func CutUvarint(b []byte) (n uint64, rest []byte) {
	n, size := binary.Uvarint(b)
	if size <= 0 || size != UvarintSize(n) {
		return 0, nil
	}
	return n, b[size:]
}
