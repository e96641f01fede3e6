package pipeline

import (
	"encoding/binary"
)

// BackfillHeader marks a record of a backfill, with BackfillValue: its event fills state and raises nothing (ADR 27).
const (
	BackfillHeader = "ebb-history"
	BackfillValue  = "1"
)

// HeaderReader reads a record's headers, encoded as in Record.Headers, one by one and in place.
type HeaderReader struct {
	b       []byte
	at      int   // end of what has been read
	left    int64 // headers counted but not yet read
	damaged bool
}

// ReadHeaders begins to read b.
func ReadHeaders(b []byte) HeaderReader {
	count, n := binary.Varint(b)
	return HeaderReader{b: b, at: max(n, 0), left: count, damaged: n <= 0 || count < 0}
}

// Next returns the next header; ok is false after the last one, and where b is damaged. A nil value is null. Both alias
// b.
func (r *HeaderReader) Next() (key, value []byte, ok bool) {
	if r.damaged || r.left == 0 {
		return nil, nil, false
	}
	r.left--
	if key = r.field(); key == nil { // a null key is damage as well
		r.damaged = true
	}
	value = r.field()
	return key, value, !r.damaged
}

// At is how many bytes have been read.
func (r *HeaderReader) At() int { return r.at }

// Whole reports, once Next has returned false, whether b was exactly one encoding of headers.
func (r *HeaderReader) Whole() bool { return !r.damaged && r.left == 0 && r.at == len(r.b) }

// field reads bytes after their length; a length of -1 is null.
func (r *HeaderReader) field() []byte {
	if r.damaged {
		return nil
	}
	size, n := binary.Varint(r.b[r.at:])
	from := r.at + n
	if n <= 0 || size < -1 || size > int64(len(r.b)-from) {
		r.damaged = true
		return nil
	}
	if r.at = from; size < 0 {
		return nil
	}
	r.at += int(size)
	return r.b[from:r.at:r.at]
}
