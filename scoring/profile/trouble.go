package profile

import (
	"encoding/binary"

	"ebb/scoring/encode"
	"ebb/scoring/moment"
)

// Trouble is the one negative event that weighs most. The zero value is none.
type Trouble struct {
	Type uint16 // mark of its event type
	At   int64  // ms since the epoch
}

// appendTrouble appends Type 2, At 6.
func appendTrouble(dst []byte, c *Customer) []byte {
	if c.Trouble == (Trouble{}) {
		return dst
	}
	return encode.AppendTime(binary.LittleEndian.AppendUint16(dst, c.Trouble.Type), c.Trouble.At)
}

func readTrouble(r *encode.Reader, c *Customer) bool {
	c.Trouble = Trouble{Type: r.Uint16(), At: r.Time()}
	return c.Trouble != Trouble{}
}

func (t *Trouble) valid() bool { return 0 <= t.At && t.At <= moment.Max }
