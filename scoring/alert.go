package scoring

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// KindLapse is the one kind of episode there is today: a customer falls silent.
const KindLapse = "lapse"

// AlertID names an alert: the same decision has the same id wherever and however often it is made.
type AlertID [16]byte

// String is the id in hex.
func (id AlertID) String() string { return hex.EncodeToString(id[:]) }

// Alert is a decision about a customer together with what caused it.
type Alert struct {
	Decision
	Tenant, Customer []byte
	Cause            Cause
}

// Cause is the deadline that fell due or the event that decided.
type Cause struct {
	Deadline  bool
	Time      int64  // of the deadline or the event, ms since the epoch
	EventID   []byte // of an event; may be empty
	EventType []byte
	Partition int
	Offset    int64
}

// ID is the first half of a SHA-256 over what was decided about whom: never a clock or chance.
func (a *Alert) ID() AlertID {
	b := make([]byte, 0, 512)
	for _, part := range [...][]byte{a.Tenant, a.Customer} {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	for _, part := range [...]string{KindLapse, a.Transition.String()} {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	b = binary.AppendUvarint(b, uint64(a.Episode))
	b = binary.AppendUvarint(b, uint64(a.Sequence))
	sum := sha256.Sum256(b)
	return AlertID(sum[:16])
}

// AppendAlert appends the alert's JSON to dst. It depends on the alert and the pack alone.
func (k *Pack) AppendAlert(dst []byte, a *Alert) []byte {
	return append(dst, k.json.pack...)
}

type packJSON struct{ pack []byte }

func newPackJSON(k *Pack) packJSON { return packJSON{} }
