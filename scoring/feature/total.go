package feature

import (
	"encoding/binary"
	"math"

	"ebb/scoring/encode"
)

// A cell of `total` keeps the number of all events, as a varint. More than fit into 32 bits count as that many.

func foldTotal(dst, old []byte) ([]byte, effect) {
	n := int64(0)
	if len(old) > 0 {
		n = readTotal(old)
	}
	if n == math.MaxUint32 {
		return append(dst, old...), idle
	}
	return binary.AppendUvarint(dst, uint64(n)+1), taken
}

func readTotal(b []byte) int64 {
	r := encode.NewReader(b)
	return int64(r.Uvarint())
}

func validTotal(b []byte) bool {
	r := encode.NewReader(b)
	return r.UvarintUpTo(math.MaxUint32) > 0 && r.Whole()
}
