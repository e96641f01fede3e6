package pipeline

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"
)

// EventIDHash is what the ring of a customer's recent event ids holds; 0 for an event without id, which is never a
// duplicate. The dedupe horizon is the ring's length, 16 events of the customer: two different ids share 64 bits with a
// probability of about 1 in 10^18.
func EventIDHash(e *Event) uint64 {
	if len(e.ID) == 0 {
		return 0
	}
	h := xxhash.Sum64(e.ID)
	if e.SourceHash != 0 {
		var both [16]byte
		binary.LittleEndian.PutUint64(both[:], e.SourceHash)
		binary.LittleEndian.PutUint64(both[8:], h)
		h = xxhash.Sum64(both[:])
	}
	return max(h, 1)
}

// SourceHash is the hash of the name of an event's source; 0: it names none.
func SourceHash(e *Event) uint64 {
	switch {
	case len(e.Source) == 0:
		return 0
	case e.SourceHash != 0:
		return e.SourceHash
	default:
		return xxhash.Sum64(e.Source)
	}
}
