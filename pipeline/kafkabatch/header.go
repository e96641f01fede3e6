package kafkabatch

import (
	"encoding/binary"
	"iter"

	"ebb/pipeline"
)

// Header is one header of a record. A nil Value is null.
type Header struct {
	Key   string
	Value []byte
}

// AppendHeaders appends the encoding of pipeline.Record.Headers: those already encoded in before, byte for byte, then
// added. Bytes in before that are no headers are kept as one header "ebb.headers.damaged", so that nothing is lost.
func AppendHeaders(dst, before []byte, added ...Header) []byte {
	count, n := binary.Varint(before)
	switch {
	case len(before) == 0:
		count, n = 0, 0
	case !ValidHeaders(before):
		added = append([]Header{{"ebb.headers.damaged", before}}, added...)
		count, before, n = 0, nil, 0
	}
	dst = binary.AppendVarint(dst, count+int64(len(added)))
	dst = append(dst, before[n:]...)
	for _, h := range added {
		dst = binary.AppendVarint(dst, int64(len(h.Key)))
		dst = append(dst, h.Key...)
		dst = appendField(dst, h.Value)
	}
	return dst
}

// AppendHeaderCount begins an encoding of n headers, which n calls of AppendHeader complete.
func AppendHeaderCount(dst []byte, n int) []byte { return binary.AppendVarint(dst, int64(n)) }

// AppendHeader appends one header without allocating.
func AppendHeader[V string | []byte](dst []byte, key string, value V) []byte {
	dst = binary.AppendVarint(dst, int64(len(key)))
	dst = append(dst, key...)
	dst = binary.AppendVarint(dst, int64(len(value)))
	return append(dst, value...)
}

// Headers gives the headers encoded in b, in order. Key and value alias b. It ends early where b is damaged.
func Headers(b []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		r := pipeline.ReadHeaders(b)
		for key, value, ok := r.Next(); ok && yield(key, value); {
			key, value, ok = r.Next()
		}
	}
}

// ValidHeaders reports whether b is exactly one encoding of headers.
func ValidHeaders(b []byte) bool {
	r := pipeline.ReadHeaders(b)
	for _, _, ok := r.Next(); ok; {
		_, _, ok = r.Next()
	}
	return r.Whole()
}
