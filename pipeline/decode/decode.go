package decode

import (
	"math"

	"ebb/pipeline"
	"ebb/scoring/feature"
	"ebb/scoring/pack"
)

// Decoder turns records into events, by hand, because decoding is the most expensive step of the line. It tells the
// three envelopes apart record by record: ebb's own flat JSON (flat.go), the messages of the Segment
// specification (segment.go) and CloudEvents (cloud.go). Any other JSON it reads by a mapping
// (mapped.go). It belongs to one goroutine. BenchmarkDecode; the oracle it is compared with stands in the tests.
//
// In all of them: unknown members are validated and ignored. Of a repeated member the last one counts. A member that is
// null or an empty string counts as absent. Names are compared exactly, after their escapes. Half a surrogate pair in
// an escape, as in a text cut in the middle of an emoji, makes a member that is read unreadable. Elsewhere it does no
// harm.
type Decoder struct {
	maxRecord int
	anonymous bool   // tracked
	heartbeat string // type of heartbeats; empty: there are none
	rules     int    // by which records are read; see Rules
	scratch   scratch
	top       memberTable // of the record's object, or of the attributes in its headers
	inner     memberTable // of an object inside it
	mapping   *Mapping    // nil: none
	found     slotTable   // the values at its paths

	pack       *pack.Pack         // that is read for; nil: none
	properties *properties        // that it reads; nil: none
	values     []feature.Property // of the events since Reset
	texts      [][]byte           // of their facts
}

// New returns a decoder that refuses records of more than maxRecordBytes (key, value and headers together). 0 sets
// no limit of its own.
func New(maxRecordBytes int) *Decoder {
	if maxRecordBytes <= 0 || maxRecordBytes > math.MaxInt32 {
		maxRecordBytes = math.MaxInt32
	}
	return &Decoder{maxRecord: maxRecordBytes, rules: Rules, found: slotTable{at: make([]jsonToken, contactSlots)}}
}

// NewMapped is New with a mapping for JSON in no known envelope; nil: none.
func NewMapped(maxRecordBytes int, m *Mapping) *Decoder {
	d := New(maxRecordBytes)
	if m != nil {
		d.mapping, d.found.at = m, make([]jsonToken, max(m.slots, contactSlots))
	}
	return d
}

// TrackingAnonymous sets whether messages of visitors count, under their anonymous id. By default they do not.
func (d *Decoder) TrackingAnonymous(yes bool) *Decoder {
	d.anonymous = yes
	return d
}

// Beating sets the type of the events by which sources show that they live. They need no customer.
func (d *Decoder) Beating(heartbeat string) *Decoder {
	d.heartbeat = heartbeat
	return d
}

// beats reports whether an event without a customer is a heartbeat, by the member that holds its type.
func (d *Decoder) beats(b []byte, fault textFault) bool {
	if d.heartbeat == "" || fault != textMissing {
		return false
	}
	name, _ := d.text(b, d.top.get(memberType), pipeline.MaxType, false)
	return string(name) == d.heartbeat
}

// Reset begins a batch: events decoded earlier are no longer valid.
func (d *Decoder) Reset() {
	d.scratch.reset()
	d.values, d.texts = d.values[:0], d.texts[:0]
}

// Decode reads r into e, whatever r contains. Either e.Code is Usable and e a complete event, or e.Code is why it is
// not. Then e holds the record's offset and timestamp, and as far as decoding got, the envelope that was recognised. e
// aliases r and the decoder's scratch memory: it is valid until Reset.
func (d *Decoder) Decode(r *pipeline.Record, e *pipeline.Event) {
	*e = pipeline.Event{Offset: r.Offset, AppendTime: r.AppendTime, Timestamp: r.Timestamp}
	if c := d.decode(r, e); c != pipeline.Usable {
		*e = pipeline.Event{Offset: r.Offset, AppendTime: r.AppendTime, Timestamp: r.Timestamp, Code: c, Envelope: e.Envelope}
	}
}

func (d *Decoder) decode(r *pipeline.Record, e *pipeline.Event) (c pipeline.Code) {
	h := headerHints{}
	if len(r.Headers) > 1 { // more than a count of zero
		h = d.scanHeaders(r.Headers)
	}
	if d.mapping.takesAll() {
		h = headerHints{backfill: h.backfill, erase: h.erase}
	}
	switch {
	case h.erase && d.rules >= rulesErase:
		c = d.decodeErase(r, e)
	case h.mode == modeBinary:
		c = d.decodeBinary(r, &h, e)
	default:
		c = d.decodeObject(r, h.mode, e)
	}
	if e.Backfill = h.backfill; c == pipeline.Usable {
		e.Heartbeat = len(d.heartbeat) > 0 && string(e.Type) == d.heartbeat
		e.Erase = e.Erase || d.erases(e)
		e.Key = pipeline.AppendKey(d.scratch.take(1+len(e.Tenant)+len(e.Customer)), e.Tenant, e.Customer)
	}
	return c
}

// EraseType is the type of an event that erases its customer: exactly this, in any envelope but a track of Segment's.
const EraseType = "erase"

// erases reports whether an event erases its customer by its type.
func (d *Decoder) erases(e *pipeline.Event) bool {
	return d.rules >= rulesErase && e.Envelope != pipeline.Segment && string(e.Type) == EraseType
}

// decodeErase reads a record with the header that erases a customer: flat JSON, whatever the mapping takes.
func (d *Decoder) decodeErase(r *pipeline.Record, e *pipeline.Event) pipeline.Code {
	b, c := d.object(r)
	if c == pipeline.Usable {
		c = d.scanRecord(b)
	}
	if c == pipeline.Usable {
		c = d.readFlat(b, e)
	}
	e.Erase = true
	return c
}

// object is the value of a record that is to be one JSON object.
func (d *Decoder) object(r *pipeline.Record) ([]byte, pipeline.Code) {
	switch {
	case len(r.Value) == 0:
		return nil, pipeline.RecordEmpty
	case r.Value[0] == 0:
		return nil, pipeline.RegistryFramed
	case d.tooLarge(r):
		return nil, pipeline.RecordTooLarge
	}
	b := r.Value
	if b[0] == byteOrderMark[0] {
		b = unmarked(b)
	}
	return b, pipeline.Usable
}

// decodeObject reads a record whose value is one JSON object.
func (d *Decoder) decodeObject(r *pipeline.Record, mode cloudMode, e *pipeline.Event) pipeline.Code {
	b, c := d.object(r)
	if c != pipeline.Usable {
		return c
	}
	if d.mapping != nil {
		return d.decodeMapped(b, mode, e)
	}
	if c := d.scanRecord(b); c != pipeline.Usable {
		return c
	}
	if mode == modeStructured || d.top.get(memberSpecVersion).isText() {
		return d.readStructured(b, e)
	}
	if d.top.get(memberCustomer).absent() {
		if call := d.segmentCall(b); call != callNone {
			return d.readSegment(b, call, e)
		}
	}
	return d.readFlat(b, e)
}

func (d *Decoder) tooLarge(r *pipeline.Record) bool {
	return r.Size() > d.maxRecord
}
