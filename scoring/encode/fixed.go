package encode

import (
	"encoding/binary"
	"math"
)

// Within reports whether v lies between two bounds: false for NaN, and for the zero that has a sign.
func Within(v, low, high float64) bool {
	return v >= low && v <= high && (v != 0 || !math.Signbit(v))
}

// Int reads a signed number from 8 bytes, little endian.
func Int(b []byte) int64 { return int64(binary.LittleEndian.Uint64(b)) }

// Float reads the bytes of AppendFloat.
func Float(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) }
