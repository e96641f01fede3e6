package pipeline

import (
	"encoding/binary"
	"errors"

	"ebb/scoring/encode"
	"ebb/scoring/profile"
)

// HoldReason is why a raise is held: it tells what may release it. The store holds the number.
type HoldReason uint8

// Reasons to hold a raise.
const (
	HeldHistory HoldReason = 1 // it was decided in the history that a group found when it first started
)

// String is the reason's stable name.
func (r HoldReason) String() string {
	if r == HeldHistory {
		return "history" // as line.InHistory
	}
	return "unknown"
}

// Held is a raise that is decided and not published, and may be later: its episode is open.
type Held struct {
	Reason   HoldReason
	Priority int   // of its decision, or of the latest one of its episode
	Since    int64 // when the episode's subject began, ms since the epoch: see scoring.Decision
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

// AppendHeld appends h's encoding to dst: reason, priority, since; 9 to 11 bytes.
func AppendHeld(dst []byte, h Held) []byte {
	return binary.AppendVarint(binary.AppendUvarint(append(dst, byte(h.Reason)), uint64(h.Priority)), h.Since)
}

// ReadHeld reads an entry. Errors: ErrHeldDamaged.
func ReadHeld(e HeldEntry) (h Held, err error) {
	r := encode.NewReader(e.Value)
	h = Held{Reason: HoldReason(r.Byte()), Priority: int(r.UvarintUpTo(1000)), Since: r.Varint()}
	if n := len(e.Key); !r.Whole() || h.Reason != HeldHistory || n < 3 || profile.Kind(e.Key[n-1]) >= profile.NumKinds {
		return Held{}, ErrHeldDamaged
	}
	return h, nil
}
