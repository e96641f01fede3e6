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

// sound reports whether p can have come about.
func (p *Poison) sound() bool {
	n := 0
	for _, b := range p.Ring {
		n += bits.OnesCount8(b)
	}
	return p.Count == n && p.At >= 0 && p.At < PoisonWindow
}

// set reports whether the record that leaves the window with the next one could not be used.
func (p *Poison) set() bool { return p.Ring[p.At/8]&(1<<(p.At%8)) != 0 }

// with is how many there would be after one more that cannot be used.
func (p *Poison) with() int {
	if p.set() {
		return p.Count
	}
	return p.Count + 1
}

// add takes the next record in.
func (p *Poison) add(bad bool) {
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

// breaker stops a partition whose input has gone bad, before it drains into the DLQ.
type breaker struct {
	limit  int   // of the window's records; 0: none
	passed int64 // records below this offset pass: they were published before, or a person has accepted them
}

// breakerLimit is how many unusable records of the window a share lets pass; 0: any number.
func breakerLimit(share float64) int {
	if share <= 0 || share >= 1 {
		return 0
	}
	return max(1, int(share*PoisonWindow+1e-9)) // 0.57 times 1,000 is less than 570
}

// admit counts a record, unless it is the one that is too many. That record is not folded: what is committed ends before it, and
// so each owner that comes after trips on it again. Errors: *HardStop.
func (l *line) admit(e *Event) error {
	bad := e.Code != Usable
	if bad && l.breaker.limit > 0 && e.Offset >= l.breaker.passed {
		if n := l.poison.with(); n > l.breaker.limit {
			return l.identity.stop("input_poisoned", fmt.Sprintf("%d of the last %d records up to offset %d cannot be used, this one because of %s", n, PoisonWindow, e.Offset, e.Code),
				"mend what sends them; ebb dlq list and show tell what came before. To go on past all that is in the input now: ebb run --accept-poison")
		}
	}
	l.poison.add(bad)
	return nil
}
