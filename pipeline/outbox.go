package pipeline

import (
	"encoding/binary"
	"fmt"

	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/encode"
)

// EntryKind is what an outbox entry becomes when it is published.
type EntryKind uint8

// Kinds of outbox entries. The store holds the number.
const (
	EntryAlert      EntryKind = 1 // an alert, to the alert topic
	EntryQuarantine EntryKind = 2 // an unusable record, to the DLQ; its bytes are taken from the input
	EntryPack       EntryKind = 3 // a pack in its canonical form, to the topic of packs
	EntryControl    EntryKind = 4 // a change that applies before the record at Offset, to the topic of control records
	EntryDecision   EntryKind = 5 // what became of a decision that is no alert at once, to the topic of decisions
	EntryErased     EntryKind = 6 // that a customer is erased, to the alert topic
	EntryAudience   EntryKind = 7 // the arm of a customer, to the topic of audiences
)

// Entry is one decision of a batch that is still to be published. Offset and Due together identify it after a takeover:
// see Mark.Covers.
type Entry struct {
	Kind EntryKind
	// record that caused it, or by whose arrival the customer's deadline fired; -1: a sweep fired it, it is a time record,
	// or a release caused it
	Offset int64
	Due    Due   // the deadline, where a sweep fired it; of a time record, see AtTime; else how far sweeps had fired by then
	Next   int64 // the record that was to be folded next, where Offset is -1

	Release int64 // number of the release that caused it, or that it is about; 0: none

	Code Code // quarantine: why

	Key []byte // alert, decision, erased, audience: the customer's state key
	// alert: the decision, its customer, and its cause; erased: the customer, the cause, and At, up to when its events count
	// for nothing
	Alert alert.Alert

	PackEpoch uint8           // alert: of the pack that decided it
	By        *alert.Renderer // alert: of that pack; set when it is rendered
	Pack      PackRef         // pack: which
	Canonical []byte          // pack: in its canonical form
	Change    Change          // control: what changes
	Ruling    Ruling          // decision: what became of it
	Until     int64           // audience: when the epoch of the arm, which is Alert.Assigned, ends, in ms
}

// Pending is an outbox entry on its way to be published. It stays encoded until then, because its decoded form is three
// times as large.
type Pending struct {
	Encoded []byte
	Record  *Record // the input record of a quarantined entry, else nil
}

// entryVersion is the layout of an entry.
const entryVersion = 4

// AtTime is the entry of a time record that applies before the record next, where the watermark is in a minute. It stands
// between the deadlines up to there and those that it lets fire, at a position of its own: no customer has hash 0.
func AtTime(c Change, minute, next int64) Entry {
	return Entry{Kind: EntryControl, Offset: -1, Due: Due{Minute: minute + 1}, Next: next, Change: c}
}

// ID names what e publishes about a customer: the same wherever and however often it is decided.
func (e *Entry) ID() alert.ID {
	if e.Kind == EntryErased {
		return e.Alert.ErasedID()
	}
	return e.Alert.ID()
}

// size is p's part of the outbox's byte limit until it is published. An alert is small, and counts by its number alone.
func (p *Pending) size() Volume {
	v := Volume{Entries: 1}
	if p.Record != nil {
		v.Bytes = p.Record.Size()
	}
	return v
}

// Volume is an amount of outbox entries.
type Volume struct {
	Entries int
	Bytes   int // of quarantined records
}

func (v Volume) plus(o Volume) Volume { return Volume{v.Entries + o.Entries, v.Bytes + o.Bytes} }

// within reports whether v exceeds a limit in neither measure.
func (v Volume) within(limit Volume) bool {
	return v.Entries <= limit.Entries && v.Bytes <= limit.Bytes
}

// Reaches reports whether v reaches or exceeds a limit in any measure.
func (v Volume) Reaches(limit Volume) bool {
	return v.Entries >= limit.Entries || v.Bytes >= limit.Bytes
}

func volume(entries []Pending) (v Volume) {
	for i := range entries {
		v = v.plus(entries[i].size())
	}
	return v
}

// AppendEntry appends the entry's encoding to dst.
func AppendEntry(dst []byte, e *Entry) []byte {
	dst = append(dst, entryVersion, byte(e.Kind))
	dst = binary.AppendVarint(dst, e.Offset)
	dst = binary.AppendVarint(dst, e.Due.Minute)
	dst = binary.LittleEndian.AppendUint64(dst, e.Due.Hash)
	if e.Offset < 0 {
		dst = binary.AppendVarint(binary.AppendVarint(dst, e.Next), e.Release)
	}
	switch e.Kind {
	case EntryQuarantine:
		return append(dst, byte(e.Code))
	case EntryPack:
		return encode.AppendParts(encode.AppendParts(dst, e.Pack.Hash, e.Pack.Name, e.Pack.Version), e.Canonical)
	case EntryControl:
		return encode.AppendParts(dst, e.Change.encode())
	case EntryDecision:
		return appendRuling(encode.AppendParts(dst, e.Key), &e.Ruling)
	case EntryErased:
		dst = binary.AppendVarint(dst, e.Alert.At)
	case EntryAudience:
		return e.Alert.Assigned.AppendTo(binary.AppendVarint(encode.AppendParts(dst, e.Key), e.Until))
	default:
		dst = scoring.AppendDecision(append(dst, e.PackEpoch), &e.Alert.Decision)
	}
	c := &e.Alert.Cause
	dst = encode.AppendBool(dst, c.Deadline)
	for _, n := range [...]int64{c.Time, c.Offset, int64(c.Partition)} {
		dst = binary.AppendVarint(dst, n)
	}
	return e.Alert.Assigned.AppendTo(encode.AppendParts(dst, e.Key, c.EventID, c.EventType))
}

// ReadEntry decodes one entry. Its slices alias b. Errors say whether it is damaged or of a newer build.
func ReadEntry(b []byte) (e Entry, err error) {
	r := encode.NewReader(b)
	if version := r.Byte(); version != entryVersion {
		return e, fmt.Errorf("outbox entry of version %d, this build reads %d", version, entryVersion)
	}
	e.readPosition(&r)
	sound := true
	switch e.Kind {
	case EntryQuarantine:
		e.Code = Code(r.Byte())
		sound = e.Code != Usable && e.Code < NumCodes
	case EntryAlert:
		e.PackEpoch = r.Byte()
		scoring.ReadDecision(&r, &e.Alert.Decision)
		sound = e.readCause(&r)
	case EntryErased:
		e.Alert.At = r.Varint()
		sound = e.readCause(&r)
	case EntryPack:
		e.Pack = PackRef{Hash: r.Text(), Name: r.Text(), Version: r.Text()}
		e.Canonical = r.Part()
		sound = e.Pack.Hash != "" && len(e.Canonical) > 0
	case EntryControl:
		err = e.readChange(r.Part())
	case EntryDecision:
		e.Key = r.Part()
		e.Ruling, sound = readRuling(&r)
		sound = e.splitKey(&r) && sound
	case EntryAudience:
		e.Key, e.Until = r.Part(), r.Varint()
		e.Alert.Assigned.Read(&r)
		sound = e.splitKey(&r)
	default:
		err = fmt.Errorf("kind %d is not known to this build", e.Kind)
	}
	if err != nil && !r.Damaged() {
		return Entry{}, fmt.Errorf("outbox entry: %w", err)
	}
	if err != nil || !sound || !r.Whole() {
		return Entry{}, fmt.Errorf("outbox entry of %d bytes is damaged", len(b))
	}
	return e, nil
}

// readChange reads a change of its own, so that only entries of this kind are on the heap.
func (e *Entry) readChange(b []byte) error {
	var c Change
	err := c.decode(b)
	e.Change = c
	return err
}

// readPosition reads what every kind of entry begins with.
func (e *Entry) readPosition(r *encode.Reader) {
	e.Kind, e.Offset = EntryKind(r.Byte()), r.Varint()
	e.Due.Minute, e.Due.Hash = r.Varint(), r.Uint64()
	if e.Offset < 0 {
		e.Next, e.Release = r.Varint(), r.Varint()
	}
}

// position is what e stands for: its record or deadline, and nothing of what was decided.
func (p *Pending) position() (e Entry) {
	r := encode.NewReader(p.Encoded[1:])
	e.readPosition(&r)
	return e
}

// Begins and ends are the next record to fold before and after what e stands for.
func (e *Entry) Begins() int64 {
	if e.Offset >= 0 {
		return e.Offset
	}
	return e.Next
}

func (e *Entry) ends() int64 {
	if e.Offset >= 0 {
		return e.Offset + 1
	}
	return e.Next
}

// MustReadEntry decodes an entry that was encoded, or decoded, before.
func MustReadEntry(b []byte) Entry {
	e, err := ReadEntry(b)
	if err != nil {
		panic("BUG: an outbox entry does not read back: " + err.Error())
	}
	return e
}

// readCause reads whom an entry is about, and by what, and reports whether there is a customer.
func (e *Entry) readCause(r *encode.Reader) bool {
	c := &e.Alert.Cause
	c.Deadline = r.Bool()
	c.Time, c.Offset, c.Partition = r.Varint(), r.Varint(), int(r.Varint())
	e.Key, c.EventID, c.EventType = r.Part(), r.Part(), r.Part()
	e.Alert.Assigned.Read(r)
	return e.splitKey(r)
}

// splitKey takes the customer from a key that was read, and reports whether it holds one.
func (e *Entry) splitKey(r *encode.Reader) bool {
	if r.Damaged() || len(e.Key) == 0 || 1+int(e.Key[0]) >= len(e.Key) {
		return false
	}
	e.Alert.Tenant, e.Alert.Customer = SplitKey(e.Key)
	return true
}
