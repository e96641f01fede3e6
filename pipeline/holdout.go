package pipeline

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"strconv"

	"github.com/cespare/xxhash/v2"

	"ebb/scoring/alert"
	"ebb/scoring/encode"
)

// Holdout is which customers nobody acts on, so that what acting does can be measured. The zero value is none.
type Holdout struct {
	Share       int    `json:"share"`    // of the held-out arm, in millionths
	Salt        string `json:"salt"`     // another one draws others
	EpochMillis int64  `json:"epoch_ms"` // after which each customer's arm is drawn anew
}

// ShareOf is a share, from 0 to 1, in millionths.
func ShareOf(share float64) int { return int(math.Round(share * alert.Whole)) }

// On reports whether a holdout is on.
func (h *Holdout) On() bool { return h.Share > 0 }

// Rules names how arms are drawn.
func (h *Holdout) Rules() uint32 {
	var room [256]byte
	b := binary.AppendVarint(binary.AppendVarint(room[:0], int64(h.Share)), h.EpochMillis)
	return uint32(xxhash.Sum64(append(b, h.Salt...)))
}

// Epoch is the number of the epoch, from 1, that an event time in ms lies in.
func (h *Holdout) Epoch(at int64) uint32 { return uint32(max(at, 0)/h.EpochMillis) + 1 }

// Ends is when an epoch ends, in ms.
func (h *Holdout) Ends(epoch uint32) int64 { return int64(epoch) * h.EpochMillis }

// Assign draws the arm of the customer of a state key for an epoch: the first eight bytes of a SHA-256, as a big-endian number modulo a
// million, are below the share. The hash is over salt, tenant, customer and epoch as text, each after its length as a
// varint. It depends on nothing else, so that everybody can draw it again.
func (h *Holdout) Assign(key []byte, epoch uint32) alert.Assignment {
	tenant, customer := SplitKey(key)
	var room [512]byte
	var text [10]byte
	b := encode.AppendParts(encode.AppendParts(room[:0], h.Salt), tenant, customer)
	sum := sha256.Sum256(encode.AppendParts(b, strconv.AppendUint(text[:0], uint64(epoch), 10)))
	a := alert.Assignment{Arm: alert.Treated, Epoch: epoch, Share: uint32(h.Share)}
	if binary.BigEndian.Uint64(sum[:])%alert.Whole < uint64(h.Share) {
		a.Arm = alert.HeldOut
	}
	return a
}
