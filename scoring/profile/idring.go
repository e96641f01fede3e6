package profile

import (
	"slices"
)

// ringSize is how many event ids a customer's dedupe horizon holds.
const ringSize = 16

// IDRing holds the hashes of a customer's last 16 event ids. The zero value is empty.
type IDRing struct {
	used  uint8 // slots filled
	next  uint8 // slot of the next id: the oldest once all are filled
	slots [ringSize]uint64
}

// Seen reports whether the hashed event id is among the last 16.
func (p *Profile) Seen(id uint64) bool {
	r := &p.IDs
	return slices.Contains(r.slots[:r.used], id)
}

// Remember adds a hashed event id in place of the oldest of 16.
func (p *Profile) Remember(id uint64) {
	r := &p.IDs
	r.slots[r.next] = id
	r.used = max(r.used, r.next+1)
	r.next = (r.next + 1) % ringSize
}

// All are the hashes, the oldest first.
func (r *IDRing) All() []uint64 {
	if r.used < ringSize {
		return slices.Clone(r.slots[:r.used])
	}
	return slices.Concat(r.slots[r.next:], r.slots[:r.next])
}

// state is the ring's fill and position in one byte: the number of ids while fewer than 16, else 16 + next.
func (r *IDRing) state() byte {
	if r.used < ringSize {
		return r.used
	}
	return ringSize + r.next
}

// restore is the inverse of state, for states below 32.
func (r *IDRing) restore(state byte) {
	r.used, r.next = min(state, ringSize), state%ringSize
}

// Warm reads the ring's memory. The result has no meaning.
func (r *IDRing) Warm() uint64 { return r.slots[0] + r.slots[ringSize/2] }
