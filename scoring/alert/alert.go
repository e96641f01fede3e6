package alert

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"

	"ebb/scoring"
	"ebb/scoring/encode"
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
	Assigned         Assignment
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

// EpisodeID names the alert's episode, the same in all its alerts and in every rebuild: the first half of a SHA-256
// over tenant, customer, kind and begin as text, each after its length as a varint. Begin is when the episode's subject
// began, in ms since the epoch: the last activity before the silence, or the event that opened it. For a kind other
// than lapse, of which several episodes may have begun in the same ms, the two bytes of the opener follow. The
// episode's number is not used: a rebuild that begins in the middle of the log counts episodes again, and two different
// ones would share an id.
func (a *Alert) EpisodeID() ID {
	var room [512]byte
	return hashed(a.appendOpener(a.appendEpisode(room[:0])))
}

// ID is that of the episode with transition and sequence as text behind begin: never over a clock or chance.
func (a *Alert) ID() ID {
	var room [512]byte
	b := encode.AppendParts(a.appendEpisode(room[:0]), a.Transition.String())
	var sequence [10]byte
	return hashed(a.appendOpener(encode.AppendParts(b, strconv.AppendUint(sequence[:0], uint64(a.Sequence), 10))))
}

// raise is the id of the alert that the episode began with.
func (a *Alert) raise() ID {
	first := Alert{Tenant: a.Tenant, Customer: a.Customer, Decision: scoring.Decision{
		Kind: a.Kind, Since: a.Since, Opener: a.Opener, Transition: scoring.Raised, Sequence: 1,
	}}
	return first.ID()
}

func (a *Alert) appendEpisode(b []byte) []byte {
	var since [20]byte
	b = encode.AppendParts(encode.AppendParts(b, a.Tenant, a.Customer), a.Kind.String())
	return encode.AppendParts(b, strconv.AppendInt(since[:0], a.Since, 10))
}

func (a *Alert) appendOpener(b []byte) []byte {
	if a.Kind == profile.Lapse {
		return b
	}
	return binary.LittleEndian.AppendUint16(b, a.Opener)
}

func hashed(b []byte) ID {
	sum := sha256.Sum256(b)
	return ID(sum[:16])
}
