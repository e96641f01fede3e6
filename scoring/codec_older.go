package scoring

import "fmt"

// Versions of the profile's layout. A build reads both and writes the one that every member of its group reads: the newest,
// or in a rolling upgrade the one before (DESIGN section 5).
const (
	OldestProfile = 1 // Armed stands in the activity, behind Visits: a customer without activity has none
	NewestProfile = 2
)

// Where the layouts differ.
const (
	olderHead  = headSize - 4                // without Armed
	olderArmed = headSize + activitySize - 8 // where it stands instead
)

// AppendProfileAs is AppendProfile in an older version of the layout too.
func AppendProfileAs(version int, dst []byte, p *Profile) []byte {
	n := len(dst)
	dst = AppendProfile(dst, p)
	switch version {
	case NewestProfile:
	case 1:
		dst = dst[:n+older(dst[n:])]
	default:
		panic(fmt.Sprintf("BUG: profile of version %d", version))
	}
	return dst
}

// older turns b, an encoded profile, into version 1, and returns its size.
func older(b []byte) int {
	armed := [4]byte(b[3:])
	b[0] = 1
	copy(b[3:olderHead], b[7:headSize])
	if b[1]&hasActivity == 0 {
		return olderHead + copy(b[olderHead:], b[headSize:])
	}
	copy(b[olderHead:olderArmed], b[headSize:])
	copy(b[olderArmed:], armed[:])
	return len(b)
}

// newer appends to dst what b, a profile of version 1, is in the newest. What it cannot make sense of it leaves as it is, to be
// found damaged.
func newer(dst, b []byte) []byte {
	if len(b) < olderHead {
		return append(dst, b...)
	}
	dst = append(dst, NewestProfile, b[1], b[2])
	if b[1]&hasActivity == 0 || len(b) < headSize+activitySize {
		dst = append(dst, 0, 0, 0, 0)
		return append(dst, b[3:]...)
	}
	dst = append(dst, b[olderArmed:olderArmed+4]...)
	dst = append(dst, b[3:olderArmed]...)
	return append(dst, b[olderArmed+4:]...)
}
