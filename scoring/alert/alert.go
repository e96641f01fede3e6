package alert

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"

	"ebb/scoring"
	"ebb/scoring/profile"
)

// ID names an alert: the same decision has the same id wherever and however often it is made.
type ID [16]byte

// String is the id in hex.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Alert is a decision about a customer together with what caused it.
type Alert struct {
	scoring.Decision
	Tenant, Customer []byte
	Cause            Cause
}

// Cause is the deadline or the event that caused a decision.
type Cause struct {
	Deadline  bool
	Time      int64  // of the deadline or the event, ms since the epoch
	EventID   []byte // of an event; may be empty
	EventType []byte
	Partition int
	Offset    int64
}

// ID is the first half of a SHA-256 over the decision and its customer, never over a clock or chance: tenant, customer,
// kind, begin, transition and sequence as text, each after its length as a varint. Begin is when the episode's subject
// began, in ms since the epoch: the last activity before the silence, or the event that opened it. For a kind other
// than lapse, of which several episodes may have begun in the same ms, the two bytes of the opener follow. The
// episode's number is not used: a rebuild that begins in the middle of the log counts episodes again, and two different
// alerts would share an id.
func (a *Alert) ID() ID {
	var since [20]byte
	var sequence [10]byte
	b := make([]byte, 0, 512)
	for _, part := range [...][]byte{
		a.Tenant, a.Customer, []byte(a.Kind.String()), strconv.AppendInt(since[:0], a.Since, 10),
		[]byte(a.Transition.String()), strconv.AppendUint(sequence[:0], uint64(a.Sequence), 10),
	} {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	if a.Kind != profile.Lapse {
		b = binary.LittleEndian.AppendUint16(b, a.Opener)
	}
	sum := sha256.Sum256(b)
	return ID(sum[:16])
}
