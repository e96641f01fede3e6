package pipeline

import (
	"math/bits"
)

// PoisonWindow is how many of a partition's latest records the poison breaker counts.
const PoisonWindow = 1_000

// Poison marks which of a partition's latest records cannot be used. It is a function of the records alone, and is
// committed with them: where the breaker trips does not depend on batches, restarts or members.
type Poison struct {
	Ring  PoisonRing // a bit for each record, set where it cannot be used
	At    int        // the bit of the next record
	Count int        // bits set; without any the whole is zero
}

// PoisonRing is the bits of Poison.
type PoisonRing [PoisonWindow / 8]byte

// Sound reports whether p is consistent.
func (p *Poison) Sound() bool {
	n := 0
	for _, b := range p.Ring {
		n += bits.OnesCount8(b)
	}
	return p.Count == n && p.At >= 0 && p.At < PoisonWindow
}

// set reports whether the record that leaves the window with the next one could not be used.
func (p *Poison) set() bool { return p.Ring[p.At/8]&(1<<(p.At%8)) != 0 }

// With is the count after one more unusable record.
func (p *Poison) With() int {
	if p.set() {
		return p.Count
	}
	return p.Count + 1
}

// Add takes the next record in.
func (p *Poison) Add(bad bool) {
	if !bad && p.Count == 0 {
		return
	}
	if p.set() != bad {
		p.Ring[p.At/8] ^= 1 << (p.At % 8)
		if bad {
			p.Count++
		} else {
			p.Count--
		}
	}
	p.At = (p.At + 1) % PoisonWindow
	if p.Count == 0 {
		*p = Poison{}
	}
}
