package decode

import (
	"ebb/pipeline"
)

// textFault is why a member is no text.
type textFault uint8

const (
	textFine       textFault = iota
	textMissing              // no such member, null, or empty
	textUnreadable           // no string (and, where allowed, no integer), or one with a lone surrogate
	textTooLong
)

// text is the value of a member with text: a string, or an integer's digits where integers are allowed. It aliases
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

// maxNumber bounds the text of an amount or a time, in bytes. No int64 and no instant needs as much; but Java prints a
// float in up to a hundred digits, and a time with the name of its zone.
const maxNumber = 256

// number is the text of a member with a number, bare or as a string.
func (d *Decoder) number(value []byte, t jsonToken) ([]byte, textFault) {
	if t.kind-jsonFraction <= jsonExponent-jsonFraction {
		t.kind = jsonInteger
	}
	return d.text(value, t, maxNumber, true)
}

// customerCode and typeCode are the codes for a fault of these members. All other members have one code for every
// fault.
func customerCode(fault textFault) pipeline.Code {
	return [...]pipeline.Code{
		textMissing:    pipeline.CustomerMissing,
		textUnreadable: pipeline.CustomerUnreadable,
		textTooLong:    pipeline.CustomerTooLong,
	}[fault]
}

func typeCode(fault textFault) pipeline.Code {
	return [...]pipeline.Code{
		textMissing:    pipeline.TypeMissing,
		textUnreadable: pipeline.TypeUnreadable,
		textTooLong:    pipeline.TypeUnreadable,
	}[fault]
}

// scratch allocates memory that lives until the end of a batch. Its blocks stay in place, so that slices of them stay
// valid while it grows.
type scratch struct {
	blocks [][]byte
	used   int    // blocks used, the last of them through free
	free   []byte // rest of the last block

	larger     [][]byte // each for one that no block holds
	usedLarger int
}

const scratchBlock = 64 << 10 // bytes; far more than an event's largest part, but for a CloudEvent's data

func (s *scratch) reset() { s.used, s.free, s.usedLarger = 0, nil, 0 }

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

// large is take for any n.
func (s *scratch) large(n int) []byte {
	if n <= scratchBlock {
		return s.take(n)
	}
	if s.usedLarger == len(s.larger) {
		s.larger = append(s.larger, nil)
	}
	if len(s.larger[s.usedLarger]) < n {
		s.larger[s.usedLarger] = make([]byte, n)
	}
	s.usedLarger++
	return s.larger[s.usedLarger-1][:0:n]
}
