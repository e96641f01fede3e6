package encode

import (
	"encoding/binary"
	"math"
)

// Within reports whether v lies between two bounds: false for NaN, and for the zero that has a sign.
func Within(v, low, high float64) bool {
	return v >= low && v <= high && (v != 0 || !math.Signbit(v))
}

// PutInt writes a number with a sign in 8 bytes, little endian.
func PutInt(b []byte, v int64) { binary.LittleEndian.PutUint64(b, uint64(v)) }

// PutFloat writes the bits of a float in 8 bytes, little endian.
func PutFloat(b []byte, v float64) { binary.LittleEndian.PutUint64(b, math.Float64bits(v)) }

// Int reads what PutInt wrote.
func Int(b []byte) int64 { return int64(binary.LittleEndian.Uint64(b)) }

// Float reads what PutFloat wrote.
func Float(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) }
