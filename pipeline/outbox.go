package pipeline

import (
	"encoding/binary"
	"fmt"

	"ebb/scoring"
)

// EntryKind says what an outbox entry becomes when it is published.
type EntryKind uint8

// Kinds of outbox entries. The number stands in the store.
const (
	EntryAlert      EntryKind = 1 // an alert, to the alert topic
	EntryQuarantine EntryKind = 2 // an unusable record, to the DLQ; its bytes are taken from the input
)

// Entry is one thing decided in a batch and still to be published. What Offset and Due say together is what makes it
// recognisable after a takeover: see Mark.Covers.
type Entry struct {
	Kind   EntryKind
	Offset int64 // record that caused it, or by whose arrival the customer's deadline fired; -1: a sweep fired it
	Due    Due   // the deadline, where a sweep fired it

	Code Code // quarantine: why

	ID         scoring.AlertID // alert: its id, the same whenever it is decided again
	Transition scoring.Transition
	Time       int64  // alert: event time of the transition, ms since the epoch
	Key        []byte // alert: the customer's state key
	Value      []byte // alert: the JSON that is published
}

const entryVersion = 1

// AppendEntry appends the entry's encoding to dst.
func AppendEntry(dst []byte, e *Entry) []byte {
	dst = append(dst, entryVersion, byte(e.Kind))
	dst = binary.AppendVarint(dst, e.Offset)
	dst = binary.AppendVarint(dst, e.Due.Minute)
	dst = binary.LittleEndian.AppendUint64(dst, e.Due.Hash)
	if e.Kind == EntryQuarantine {
		return append(dst, byte(e.Code))
	}
	dst = append(dst, e.ID[:]...)
	dst = append(dst, byte(e.Transition))
	dst = binary.AppendVarint(dst, e.Time)
	dst = binary.AppendUvarint(dst, uint64(len(e.Key)))
	dst = append(dst, e.Key...)
	return append(dst, e.Value...)
}

// ReadEntry decodes one entry. Key and Value alias b.
func ReadEntry(b []byte) (e Entry, err error) {
	r := reader{b: b}
	if v := r.byte(); v != entryVersion {
		return e, fmt.Errorf("outbox entry of version %d, this build reads %d", v, entryVersion)
	}
	e.Kind = EntryKind(r.byte())
	e.Offset = r.varint()
	e.Due.Minute = r.varint()
	e.Due.Hash = r.uint64()
	switch e.Kind {
	case EntryQuarantine:
		e.Code = Code(r.byte())
		if e.Code == Usable || e.Code >= numCodes {
			r.bad = true
		}
	case EntryAlert:
		copy(e.ID[:], r.bytes(len(e.ID)))
		e.Transition = scoring.Transition(r.byte())
		e.Time = r.varint()
		e.Key = r.bytes(int(min(r.uvarint(), uint64(len(b)))))
		e.Value = r.bytes(len(r.b))
		if len(e.Key) == 0 || 1+int(e.Key[0]) >= len(e.Key) {
			r.bad = true
		}
	default:
		r.bad = true
	}
	if r.bad || len(r.b) > 0 {
		return Entry{}, fmt.Errorf("outbox entry of %d bytes is damaged", len(b))
	}
	return e, nil
}

// reader takes values off the front of b; bad is set, and zero values are returned, once b runs short.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) bytes(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.bad, r.b = true, nil
		return nil
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

func (r *reader) byte() byte {
	if v := r.bytes(1); len(v) == 1 {
		return v[0]
	}
	return 0
}

func (r *reader) uint64() uint64 {
	if v := r.bytes(8); len(v) == 8 {
		return binary.LittleEndian.Uint64(v)
	}
	return 0
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	r.bytes(max(n, 0))
	r.bad = r.bad || n <= 0
	return v
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	r.bytes(max(n, 0))
	r.bad = r.bad || n <= 0
	return v
}
