package profile

import (
	"encoding/binary"

	"ebb/scoring/encode"
)

// PlayMark stands for the id of a play of a playbook, whatever pack declares it; 0: none. It is no text, since a cached
// profile holds no pointers.
type PlayMark uint32

// appendPlays appends the kinds that have a play, a bit each, and the mark of each in 4 bytes and its step in 1.
func appendPlays(dst []byte, c *Customer) []byte {
	var kinds KindSet
	for n, mark := range c.Plays {
		if mark != 0 {
			kinds |= 1 << n
		}
	}
	if kinds == 0 {
		return dst
	}
	dst = append(dst, byte(kinds))
	for n := range kinds.All {
		dst = append(binary.LittleEndian.AppendUint32(dst, uint32(c.Plays[n])), c.Steps[n])
	}
	return dst
}

func readPlays(r *encode.Reader, c *Customer) bool {
	kinds := readKinds(r)
	for n := range kinds.All {
		if c.Plays[n], c.Steps[n] = PlayMark(r.Uint32()), r.Byte(); c.Plays[n] == 0 {
			return false
		}
	}
	return kinds != 0
}

// validPlays reports whether plays are in force for open episodes alone, and each was named.
func (p *Profile) validPlays() bool {
	for n, mark := range p.Plays {
		if mark != 0 && !p.Episode(Kind(n)).Open() || (mark != 0) != (p.Steps[n] != 0) {
			return false
		}
	}
	return true
}
