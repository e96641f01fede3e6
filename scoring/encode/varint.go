package encode

// CutUvarint cuts a number off the front of b; rest is nil where there is none, or where it has a shorter encoding.
func CutUvarint(b []byte) (n uint64, rest []byte) {
	n, end := Uvarint(b, 0)
	if end > len(b) {
		return 0, nil
	}
	return n, b[end:]
}
