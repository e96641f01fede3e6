package profile

import (
	"encoding/binary"
	"math/bits"

	"ebb/scoring/encode"
	"ebb/scoring/moment"
)

// Triggered is a customer's state in one of the kinds other than lapse, whose episodes events open. It holds for each
// opening the newest event that opened or ended it, so that events in any order leave the same state.
type Triggered struct {
	Episode
	Openings uint8  // the open ones, a bit each: indexes into KindRule.Opens
	Opener   uint16 // mark of the opening that opened the episode, whichever is open now
	Since    int64  // event that opened the episode, ms
	Newest   int64  // newest event that opens such an episode, ms

	Times [MaxOpenings]int64 // newest event that opened, or ended, each; 0: none did
}

// Close ends the episode. The times of its openings' events stay.
func (h *Triggered) Close() {
	h.Episode.Close()
	h.Openings, h.Opener, h.Since, h.Newest = 0, 0, 0, 0
}

// End ends openings by an event, except those that a newer event has opened.
func (h *Triggered) End(openings uint8, at int64) {
	for ; openings != 0; openings &= openings - 1 {
		if i := bits.TrailingZeros8(openings); at >= h.Times[i] {
			h.Times[i] = at
			h.Openings &^= 1 << i
		}
	}
}

// Begin opens openings by an event, except those that a newer event, or one at the same time, has ended. Those that
// were not open are fresh.
func (h *Triggered) Begin(openings uint8, at int64) (fresh uint8) {
	for ; openings != 0; openings &= openings - 1 {
		i := bits.TrailingZeros8(openings)
		if bit := uint8(1) << i; h.Openings&bit == 0 {
			if at <= h.Times[i] {
				continue
			}
			fresh |= bit
		}
		h.Times[i] = max(h.Times[i], at)
		h.Newest = max(h.Newest, at)
	}
	if fresh != 0 && !h.Open() {
		h.Since = at
	}
	h.Openings |= fresh
	return fresh
}

// Parts of the encoding that may be missing.
const (
	triggeredNumber = 1 << iota
	triggeredOpen
	triggeredTimes
)

func (h *Triggered) parts() (parts, mask byte) {
	for i, t := range h.Times {
		if t != 0 {
			mask |= 1 << i
		}
	}
	if h.Number != 0 {
		parts |= triggeredNumber
	}
	if h.Open() {
		parts |= triggeredOpen
	}
	if mask != 0 {
		parts |= triggeredTimes
	}
	return parts, mask
}

// append appends the state:
//
//	which parts follow              1 byte
//	[number] Number                 4
//	[open]   Sequence, Openings     5
//	         Opener                 2
//	         Since, Newest, LastTransition  6 each
//	[times]  openings that have one 1, a bit each
//	         Times                  6 each
func (h *Triggered) append(dst []byte) []byte {
	parts, mask := h.parts()
	dst = append(dst, parts)
	if parts&triggeredNumber != 0 {
		dst = binary.LittleEndian.AppendUint32(dst, h.Number)
	}
	if parts&triggeredOpen != 0 {
		dst = append(binary.LittleEndian.AppendUint32(dst, h.Sequence), h.Openings)
		dst = binary.LittleEndian.AppendUint16(dst, h.Opener)
		dst = encode.AppendTime(encode.AppendTime(encode.AppendTime(dst, h.Since), h.Newest), h.LastTransition)
	}
	if mask != 0 {
		dst = append(dst, mask)
	}
	for ; mask != 0; mask &= mask - 1 {
		dst = encode.AppendTime(dst, h.Times[bits.TrailingZeros8(mask)])
	}
	return dst
}

// read reads a state from r; damaged bytes leave r damaged.
func (h *Triggered) read(r *encode.Reader) {
	*h = Triggered{}
	parts := r.Byte()
	if parts&triggeredNumber != 0 {
		h.Number = r.Uint32()
	}
	if parts&triggeredOpen != 0 {
		h.Sequence, h.Openings, h.Opener = r.Uint32(), r.Byte(), r.Uint16()
		h.Since, h.Newest, h.LastTransition = r.Time(), r.Time(), r.Time()
	}
	var mask byte
	if parts&triggeredTimes != 0 {
		mask = r.Byte()
	}
	for m := mask; m != 0; m &= m - 1 {
		h.Times[bits.TrailingZeros8(m)] = r.Time()
	}
	if again, times := h.parts(); again != parts || times != mask {
		r.Damage()
	}
}

// valid reports whether h is a possible result of decisions.
func (h *Triggered) valid() bool {
	for i, t := range h.Times {
		if t < 0 || t > moment.Max || t == 0 && h.Openings>>i&1 != 0 {
			return false
		}
	}
	if !h.Open() {
		return h.Openings == 0 && h.Opener == 0 && h.Since == 0 && h.Newest == 0 && h.LastTransition == 0
	}
	return h.Number > 0 && h.Openings != 0 && 0 <= h.Since && h.Since <= min(h.Newest, h.LastTransition) &&
		max(h.Newest, h.LastTransition) <= moment.Max
}

// numTriggered is how many kinds there are besides lapse.
const numTriggered = int(NumKinds) - 1

// EpisodeOf is the customer's state in a kind other than lapse.
func (p *Profile) EpisodeOf(n Kind) *Triggered { return &p.Triggered[n-1] }

// Touch updates Touched for a kind's state.
func (p *Profile) Touch(n Kind) {
	p.Touched &^= 1 << n
	if *p.EpisodeOf(n) != (Triggered{}) {
		p.Touched |= 1 << n
	}
}

// MaxOpenings is how many openings a kind has at most.
const MaxOpenings = 8
