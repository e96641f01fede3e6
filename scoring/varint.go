package scoring

import "encoding/binary"

// varintSize is the length in bytes of n as a varint with a sign.
func varintSize(n int64) int {
	var b [binary.MaxVarintLen64]byte
	return binary.PutVarint(b[:], n)
}

// uvarintSize is the length in bytes of n as a varint.
func uvarintSize(n uint64) int {
	var b [binary.MaxVarintLen64]byte
	return binary.PutUvarint(b[:], n)
}

// leastUvarint takes a number off the front of b; rest is nil where there is none, or where it has a shorter encoding.
func leastUvarint(b []byte) (n uint64, rest []byte) {
	n, size := binary.Uvarint(b)
	if size <= 0 || size != uvarintSize(n) {
		return 0, nil
	}
	return n, b[size:]
}
