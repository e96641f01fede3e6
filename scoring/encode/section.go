package encode

import "encoding/binary"

// A state is a row of sections: a tag of one byte, the length of what follows as a varint, and that many bytes. An
// empty section is left out, and an absent one stands for its zero value. An unknown tag was written by a newer build.
// Skipping it would lose it, so the reader refuses the whole state.

// BeginSection appends the head of a section. Everything appended after it belongs to the section, until EndSection.
func BeginSection(dst []byte, tag byte) (section []byte, at int) {
	return append(dst, tag, 0), len(dst)
}

// EndSection closes the section that was begun at an index of dst.
func EndSection(dst []byte, at int) []byte {
	body := at + 2
	n := len(dst) - body
	if n == 0 {
		return dst[:at]
	}
	if n < 0x80 {
		dst[at+1] = byte(n)
		return dst
	}
	var length [binary.MaxVarintLen64]byte
	more := binary.PutUvarint(length[:], uint64(n)) - 1
	dst = append(dst, length[:more]...) // room for a length of several bytes
	copy(dst[body+more:], dst[body:body+n])
	copy(dst[at+1:], length[:more+1])
	return dst
}

// NextSection takes the first section off b, which is not empty. ok is false where EndSection would not have closed it
// so: where it is cut off, left empty, or its length is not the shortest varint.
func NextSection(b []byte) (tag byte, body, rest []byte, ok bool) {
	n, from := Uvarint(b, 1)
	if from > len(b) || n == 0 || n > uint64(len(b)-from) {
		return 0, nil, nil, false
	}
	to := from + int(n)
	return b[0], b[from:to:to], b[to:], true
}
