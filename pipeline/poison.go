package pipeline

import (
	"encoding/base64"
	"fmt"
	"math/bits"
)

// PoisonWindow is how many of a partition's latest records the poison breaker looks at.
const PoisonWindow = 1_000

// Poison says which of a partition's latest records cannot be used. It is a function of the records alone, and is committed
// with them: where the breaker trips does not depend on batches, restarts or members, and a restart does not forget.
type Poison struct {
	Ring  PoisonRing `json:"ring"`  // a bit for each record, set where it cannot be used
	At    int        `json:"at"`    // the bit of the next record
	Count int        `json:"count"` // bits set; where there is none the whole is zero
}

// PoisonRing is the bits of Poison.
type PoisonRing [PoisonWindow / 8]byte

// MarshalText encodes r for JSON.
func (r PoisonRing) MarshalText() ([]byte, error) {
	return base64.RawStdEncoding.AppendEncode(nil, r[:]), nil
}

// UnmarshalText is the inverse of MarshalText.
func (r *PoisonRing) UnmarshalText(text []byte) error {
	b, err := base64.RawStdEncoding.AppendDecode(nil, text)
	if err != nil {
		return fmt.Errorf("ring of poisoned records: %w", err)
	}
	if len(b) != len(r) {
		return fmt.Errorf("ring of poisoned records: %d bytes", len(b))
	}
	copy(r[:], b)
	return nil
}

// Sound reports whether p can have come about.
func (p *Poison) Sound() bool {
	n := 0
	for _, b := range p.Ring {
		n += bits.OnesCount8(b)
	}
	return p.Count == n && p.At >= 0 && p.At < PoisonWindow
}

// set reports whether the record that leaves the window with the next one could not be used.
func (p *Poison) set() bool { return p.Ring[p.At/8]&(1<<(p.At%8)) != 0 }

// With is how many there would be after one more that cannot be used.
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
