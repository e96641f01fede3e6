package profile

import (
	"encoding/binary"
	"slices"
	"unicode/utf8"

	"ebb/scoring/encode"
	"ebb/scoring/moment"
)

// Bounds of a customer's facts.
const (
	MaxFacts    = 8
	MaxFactSize = 64 // bytes of a fact's text
)

// Facts are short texts of a customer's events, at most MaxFacts, as they are stored: one after the other by rising
// mark. A fact is
//
//	mark of its name  2
//	time of its event 6
//	length of the text 1
//	text               1 to MaxFactSize, UTF-8
type Facts []byte

const factHead = 2 + encode.TimeSize + 1

// All are the texts of the facts, by rising mark.
func (f Facts) All(yield func(mark uint16, text []byte) bool) {
	for len(f) > 0 {
		n := f.size()
		if !yield(f.mark(), f[factHead:n]) {
			return
		}
		f = f[n:]
	}
}

// Text is the fact of a mark; nil: there is none.
func (f Facts) Text(mark uint16) []byte {
	for m, text := range f.All {
		if m == mark {
			return text
		}
	}
	return nil
}

// Put sets the fact of a mark to the text of an event at a time, in ms since the epoch, unless it is of a newer event.
// Of several events at the same time the one that came last counts. The text is 1 to MaxFactSize bytes. Put may change
// f in place, and returns the facts.
func (f Facts) Put(mark uint16, at int64, text []byte) Facts {
	from := 0
	for from < len(f) && f[from:].mark() < mark {
		from += f[from:].size()
	}
	to := from
	if to < len(f) && f[from:].mark() == mark {
		if at < f[from:].time() {
			return f
		}
		to += f[from:].size()
	} else if f.count() == MaxFacts {
		return f
	}
	var room [factHead + MaxFactSize]byte
	b := encode.AppendTime(binary.LittleEndian.AppendUint16(room[:0], mark), at)
	b = append(append(b, byte(len(text))), text...)
	return slices.Replace(f, from, to, b...)
}

// Keep removes the facts whose marks are not among some, in place.
func (f Facts) Keep(marks func(mark uint16) bool) Facts {
	kept := f[:0]
	for rest := f; len(rest) > 0; {
		n := rest.size()
		if marks(rest.mark()) {
			kept = append(kept, rest[:n]...)
		}
		rest = rest[n:]
	}
	return kept
}

// Valid reports whether f are facts.
func (f Facts) Valid() bool {
	last := -1
	for count := 0; len(f) > 0; count++ {
		if len(f) < factHead || len(f) < f.size() || count == MaxFacts {
			return false
		}
		text := f[factHead:f.size()]
		if len(text) == 0 || len(text) > MaxFactSize || !utf8.Valid(text) || int(f.mark()) <= last || f.time() > moment.Max {
			return false
		}
		last, f = int(f.mark()), f[f.size():]
	}
	return true
}

// mark, time and size are those of the first fact.
func (f Facts) mark() uint16 { return binary.LittleEndian.Uint16(f) }

func (f Facts) time() int64 {
	return int64(binary.LittleEndian.Uint32(f[2:])) | int64(binary.LittleEndian.Uint16(f[6:]))<<32
}

func (f Facts) size() int { return factHead + int(f[factHead-1]) }

func (f Facts) count() (n int) {
	for ; len(f) > 0; f = f[f.size():] {
		n++
	}
	return n
}
