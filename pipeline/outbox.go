package pipeline

import (
	"encoding/binary"
	"fmt"

	"ebb/scoring"
	"ebb/scoring/alert"
)

// EntryKind says what an outbox entry becomes when it is published.
type EntryKind uint8

// Kinds of outbox entries. The number stands in the store.
const (
	EntryAlert      EntryKind = 1 // an alert, to the alert topic
	EntryQuarantine EntryKind = 2 // an unusable record, to the DLQ; its bytes are taken from the input
	EntryPack       EntryKind = 3 // a pack in its canonical form, to the topic of packs
	EntryControl    EntryKind = 4 // a change that applies before the record at Offset, to the topic of control records
)

// Entry is one thing decided in a batch and still to be published. What Offset and Due say together is what makes it
// recognisable after a takeover: see Mark.Covers.
type Entry struct {
	Kind   EntryKind
	Offset int64 // record that caused it, or by whose arrival the customer's deadline fired; -1: a sweep fired it
	Due    Due   // the deadline, where a sweep fired it

	Code Code // quarantine: why

	Key   []byte      // alert: the customer's state key
	Alert alert.Alert // alert: what was decided, about whom, and what caused it

	Generation uint8           // alert: of the pack that decided it
	By         *alert.Renderer // alert: of that pack; set when it is rendered
	Pack       PackRef         // pack: which
	Canonical  []byte          // pack: in its canonical form
	Change     Change          // control: what changes
}

// Pending is an outbox entry on its way to be published. It stays encoded until then: decoded it is three times as large.
type Pending struct {
	Encoded []byte
	Record  *Record // the input record of a quarantined entry, else nil
}

// Versions of an entry. A decision that says nothing of what only newer packs declare is written as the older one, which a
// build of the version before reads.
const (
	entryOlder  = 1 // the decision has its least size
	entryNewest = 2 // the decision stands behind its pack's generation and its size
)

// size is how much p weighs until it is published. An alert is small, and counts by its number alone.
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

// within reports whether v is not beyond a limit in either measure.
func (v Volume) within(limit Volume) bool {
	return v.Entries <= limit.Entries && v.Bytes <= limit.Bytes
}

// Reaches reports whether v is at a limit, or beyond, in any measure.
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
	version := byte(entryOlder)
	if e.Kind == EntryAlert && e.newer() {
		version = entryNewest
	}
	dst = append(dst, version, byte(e.Kind))
	dst = binary.AppendVarint(dst, e.Offset)
	dst = binary.AppendVarint(dst, e.Due.Minute)
	dst = binary.LittleEndian.AppendUint64(dst, e.Due.Hash)
	switch e.Kind {
	case EntryQuarantine:
		return append(dst, byte(e.Code))
	case EntryPack:
		return appendParts(dst, []byte(e.Pack.Hash), []byte(e.Pack.Name), []byte(e.Pack.Version), e.Canonical)
	case EntryControl:
		return appendParts(dst, e.Change.encode())
	default:
	}
	if version == entryNewest {
		dst = append(dst, e.Generation)
		dst = binary.AppendUvarint(dst, uint64(scoring.DecisionSize(&e.Alert.Decision)))
	}
	dst = scoring.AppendDecision(dst, &e.Alert.Decision)
	c := &e.Alert.Cause
	dst = appendBool(dst, c.Deadline)
	for _, n := range [...]int64{c.Time, c.Offset, int64(c.Partition)} {
		dst = binary.AppendVarint(dst, n)
	}
	return appendParts(dst, e.Key, c.EventID, c.EventType)
}

// newer reports whether an alert says what the older version of an entry has no place for.
func (e *Entry) newer() bool { return e.Generation != 0 || e.Alert.Declared() }

func appendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, 1)
	}
	return append(dst, 0)
}

func appendParts(dst []byte, parts ...[]byte) []byte {
	for _, part := range parts {
		dst = binary.AppendUvarint(dst, uint64(len(part)))
		dst = append(dst, part...)
	}
	return dst
}

// ReadEntry decodes one entry. Its slices alias b.
func ReadEntry(b []byte) (e Entry, err error) {
	r := reader{b: b}
	version := r.byte()
	if version < entryOlder || version > entryNewest {
		return e, fmt.Errorf("outbox entry of version %d, this build reads up to %d", version, entryNewest)
	}
	e.Kind = EntryKind(r.byte())
	e.Offset = r.varint()
	e.Due.Minute = r.varint()
	e.Due.Hash = r.uint64()
	switch e.Kind {
	case EntryQuarantine:
		e.Code = Code(r.byte())
		r.bad = r.bad || e.Code == Usable || e.Code >= NumCodes
	case EntryAlert:
		r.alert(&e, version)
	case EntryPack:
		e.Pack = PackRef{Hash: string(r.part()), Name: string(r.part()), Version: string(r.part())}
		e.Canonical = r.part()
		r.bad = r.bad || version != entryOlder || e.Pack.Hash == "" || len(e.Canonical) == 0
	case EntryControl:
		r.bad = version != entryOlder || e.Change.decode(r.part()) != nil || r.bad
	default:
		r.bad = true
	}
	if r.bad || len(r.b) > 0 {
		return Entry{}, fmt.Errorf("outbox entry of %d bytes is damaged", len(b))
	}
	return e, nil
}

// MustReadEntry decodes an entry that was encoded, or decoded, before.
func MustReadEntry(b []byte) Entry {
	e, err := ReadEntry(b)
	if err != nil {
		panic("BUG: an outbox entry does not read back: " + err.Error())
	}
	return e
}

// alert reads what an alert's entry holds behind its position.
func (r *reader) alert(e *Entry, version byte) {
	size := scoring.LeastDecision
	if version == entryNewest {
		e.Generation = r.byte()
		size = int(min(r.uvarint(), uint64(len(r.b)+1)))
	}
	r.bad = scoring.ReadDecision(r.bytes(size), &e.Alert.Decision) != nil || e.newer() != (version == entryNewest) || r.bad
	c := &e.Alert.Cause
	c.Deadline = r.bool()
	c.Time, c.Offset, c.Partition = r.varint(), r.varint(), int(r.varint())
	e.Key, c.EventID, c.EventType = r.part(), r.part(), r.part()
	if r.bad || len(e.Key) == 0 || 1+int(e.Key[0]) >= len(e.Key) {
		r.bad = true
		return
	}
	e.Alert.Tenant, e.Alert.Customer = SplitKey(e.Key)
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

// part reads a length and as many bytes; nil for none.
func (r *reader) part() []byte {
	n := r.uvarint()
	if n == 0 {
		return nil
	}
	return r.bytes(int(min(n, uint64(len(r.b)+1))))
}

func (r *reader) byte() byte {
	if v := r.bytes(1); len(v) == 1 {
		return v[0]
	}
	return 0
}

func (r *reader) bool() bool {
	v := r.byte()
	r.bad = r.bad || v > 1
	return v == 1
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
