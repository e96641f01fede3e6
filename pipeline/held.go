package pipeline

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"

	"ebb/scoring/encode"
	"ebb/scoring/profile"
)

// HoldReason is why a raise is held: it tells what may release it. The store holds the number.
type HoldReason uint8

// Reasons to hold a raise.
const (
	HeldHistory HoldReason = 1 // it was decided in the history that a group found when it first started
	HeldStorm   HoldReason = 2 // far more lapses were raised in its hour than usual
	HeldSilence HoldReason = 3 // a silence holds it back

	HeldBudget HoldReason = 5 // its lane has no budget left; 4 is cooldown

	NumHoldReasons HoldReason = 6
)

var holdReasons = [NumHoldReasons]string{"", "history", "storm", "silence", "cooldown", "budget"}

// String is the reason's stable name.
func (r HoldReason) String() string {
	if r == 0 || r >= NumHoldReasons {
		return "unknown"
	}
	return holdReasons[r]
}

// HoldReasonOf is the reason of a name; 0: this build knows none.
func HoldReasonOf(name string) HoldReason {
	return HoldReason(max(slices.Index(holdReasons[:], name), 0))
}

// Held is a raise that is decided and not published, and may be later: its episode is open.
type Held struct {
	Reason   HoldReason
	Tier     profile.Tier // of its decision
	Priority int          // the same, or of the latest one of its episode
	Episode  uint32       // its number
	Opener   uint16       // see scoring.Decision
	Since    int64        // when the episode's subject began, ms since the epoch: see scoring.Decision
	At       int64        // event time of the raise, ms
	Review   int64        // minute of event time from which it may be released; 0: from the first
	Silence  int64        // HeldSilence: number of the silence, without which it may be released sooner
	Initial  bool         // history has held it first
	Lane     string       // HeldBudget: whose budget it waits for
	Expires  int64        // HeldBudget: event time from which it is out of date, ms; 0: never
}

// HeldEntry is a held raise as the store keeps it.
type HeldEntry struct {
	Key   []byte // of the customer and the kind; see AppendHeldKey
	Value []byte // see AppendHeld; nil in a commit: it is held no more
}

// ErrHeldDamaged is the error of ReadHeld.
var ErrHeldDamaged = errors.New("a held raise is damaged")

// AppendHeldKey appends the name of a customer's held raise of a kind to dst.
func AppendHeldKey(dst, customer []byte, n profile.Kind) []byte {
	return append(append(dst, customer...), byte(n))
}

// SplitHeldKey is the inverse of AppendHeldKey.
func SplitHeldKey(key string) (customer string, n profile.Kind) {
	return key[:len(key)-1], profile.Kind(key[len(key)-1])
}

// AppendHeld appends h's encoding to dst: reason, tier, priority, episode, opener, since, how long after that it was
// raised, review; 18 to 27 bytes. For a silence, its number and whether history has held it; for a budget, when it
// expires, the same, and its lane.
func AppendHeld(dst []byte, h Held) []byte {
	dst = append(dst, byte(h.Reason), byte(h.Tier))
	for _, n := range [...]uint64{uint64(h.Priority), uint64(h.Episode), uint64(h.Opener)} {
		dst = binary.AppendUvarint(dst, n)
	}
	for _, n := range [...]int64{h.Since, h.At - h.Since, h.Review} {
		dst = binary.AppendVarint(dst, n)
	}
	switch h.Reason {
	case HeldSilence:
		dst = encode.AppendBool(binary.AppendVarint(dst, h.Silence), h.Initial)
	case HeldBudget:
		dst = encode.AppendParts(encode.AppendBool(binary.AppendVarint(dst, h.Expires), h.Initial), h.Lane)
	default:
	}
	return dst
}

// ReadHeld reads an entry. Errors: ErrHeldDamaged.
func ReadHeld(e HeldEntry) (h Held, err error) {
	r := encode.NewReader(e.Value)
	h = Held{
		Reason: HoldReason(r.Byte()), Tier: profile.Tier(r.Byte()), Priority: int(r.UvarintUpTo(1000)),
		Episode: uint32(r.UvarintUpTo(math.MaxUint32)), Opener: uint16(r.UvarintUpTo(math.MaxUint16)), Since: r.Varint(),
	}
	h.At, h.Review = h.Since+r.Varint(), r.Varint()
	switch h.Reason {
	case HeldHistory:
		h.Initial = true
	case HeldSilence:
		h.Silence, h.Initial = r.Varint(), r.Bool()
	case HeldBudget:
		h.Expires, h.Initial, h.Lane = r.Varint(), r.Bool(), r.Text()
	default:
	}
	known := h.Reason != 0 && h.Reason < NumHoldReasons && h.Tier < profile.NumTiers
	if n := len(e.Key); !r.Whole() || !known || n < 3 || profile.Kind(e.Key[n-1]) >= profile.NumKinds {
		return Held{}, ErrHeldDamaged
	}
	return h, nil
}
