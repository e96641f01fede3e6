package pipeline

import "math"

// Decoder turns records into events: ebb's own flat JSON, by hand, because decoding is the most expensive step of the
// line. It belongs to one goroutine. BenchmarkDecode; the oracle it is compared with stands in the tests.
type Decoder struct {
	maxRecord int
	scratch   scratch
	flat      [flatMembers]jsonToken // the record's members, as far as the envelope knows them
}

// NewDecoder returns a decoder that refuses records of more than maxRecordBytes (key, value and headers together). 0 sets
// no limit of its own.
func NewDecoder(maxRecordBytes int) *Decoder {
	if maxRecordBytes <= 0 || maxRecordBytes > math.MaxInt32 {
		maxRecordBytes = math.MaxInt32
	}
	return &Decoder{maxRecord: maxRecordBytes}
}

// Reset begins a batch: events decoded before it are no longer valid.
func (d *Decoder) Reset() { d.scratch.reset() }

// Decode reads r into e, whatever r holds: e.Code is Usable and e a complete event, or it says why not, and then e holds
// the record's offset and timestamp alone. e aliases r.Value and the decoder's scratch memory: it is valid until Reset.
func (d *Decoder) Decode(r *Record, e *Event) {
	*e = Event{Offset: r.Offset, AppendTime: r.AppendTime, Timestamp: r.Timestamp}
	if c := d.decode(r, e); c != Usable {
		*e = Event{Offset: r.Offset, AppendTime: r.AppendTime, Timestamp: r.Timestamp, Code: c}
	}
}

func (d *Decoder) decode(r *Record, e *Event) Code {
	switch {
	case len(r.Value) == 0:
		return RecordEmpty
	case r.Value[0] == 0:
		return RegistryFramed
	case len(r.Key)+len(r.Value)+len(r.Headers) > d.maxRecord:
		return RecordTooLarge
	}
	if c := d.scanFlat(r.Value); c != Usable {
		return c
	}
	if c := d.readFlat(r.Value, e); c != Usable {
		return c
	}
	e.Key = AppendKey(d.scratch.take(1+len(e.Tenant)+len(e.Customer)), e.Tenant, e.Customer)
	return Usable
}

// textFault says what keeps a member from being text.
type textFault uint8

const (
	textFine       textFault = iota
	textMissing              // no such member, null, or empty
	textUnreadable           // no string (and, where allowed, no integer), or one with a lone surrogate
	textTooLong
)

// text is the value of a member that holds text: a string, or an integer's digits where integers are allowed. It aliases
// value, or scratch where there are escapes.
func (d *Decoder) text(value []byte, t jsonToken, limit int, integers bool) ([]byte, textFault) {
	var s []byte
	switch {
	case t.kind <= jsonNull:
		return nil, textMissing
	case t.kind == jsonPlain || t.kind == jsonInteger && integers:
		s = value[t.from:t.to]
	case t.kind == jsonEscaped:
		var ok bool
		raw := value[t.from:t.to]
		if s, ok = appendUnescaped(d.scratch.take(min(len(raw), limit+1)), raw, limit); !ok {
			return nil, textUnreadable
		}
	default:
		return nil, textUnreadable
	}
	switch {
	case len(s) == 0:
		return nil, textMissing
	case len(s) > limit:
		return nil, textTooLong
	}
	return s, textFine
}

// maxNumber bounds the text of an amount or a time, in bytes: no int64 and no instant needs as much.
const maxNumber = 64

// number is the text of a member that holds a number, bare or as a string.
func (d *Decoder) number(value []byte, t jsonToken) ([]byte, textFault) {
	if t.kind == jsonFraction {
		t.kind = jsonInteger
	}
	return d.text(value, t, maxNumber, true)
}

// scratch hands out memory that lives until the end of a batch: blocks that stay where they are, so that what points
// into them stays valid while it grows.
type scratch struct {
	blocks [][]byte
	used   int    // blocks handed out from, the last of them through free
	free   []byte // rest of the last block
}

const scratchBlock = 64 << 10 // bytes; far more than an event's largest part

func (s *scratch) reset() { s.used, s.free = 0, nil }

// take returns n bytes of capacity with length 0. n is at most scratchBlock.
func (s *scratch) take(n int) []byte {
	if n > len(s.free) {
		if s.used == len(s.blocks) {
			s.blocks = append(s.blocks, make([]byte, scratchBlock))
		}
		s.free = s.blocks[s.used]
		s.used++
	}
	b := s.free[:0:n]
	s.free = s.free[n:]
	return b
}
