package profile

import (
	"encoding/binary"
	"math"

	"ebb/scoring/encode"
)

// Course is what is left to happen in the customer's newest lapse without any event, in minutes since the epoch of the
// customer's own time, which stands still while its source is stalled. The zero value: nothing is.
type Course struct {
	Raised uint32 // from when its end as churned counts; 0: it has none
	Play   uint32 // from when the steps of the play in force count; 0: none is left
	Over   bool   // it has ended as churned, and the customer has done nothing since
}

// thaw moves the times on by so many minutes.
func (c *Course) thaw(more int64) {
	for _, from := range [...]*uint32{&c.Raised, &c.Play} {
		if *from != 0 {
			*from = uint32(min(int64(*from)+more, math.MaxUint32))
		}
	}
}

const (
	courseRaised = 1 << iota
	coursePlay
	courseOver
)

// appendCourse appends which parts follow, a bit each, 1, and each of Raised and Play in 4 bytes.
func appendCourse(dst []byte, c *Customer) []byte {
	parts, o := byte(0), &c.Course
	if o.Raised != 0 {
		parts |= courseRaised
	}
	if o.Play != 0 {
		parts |= coursePlay
	}
	if o.Over {
		parts |= courseOver
	}
	if parts == 0 {
		return dst
	}
	dst = append(dst, parts)
	if o.Raised != 0 {
		dst = binary.LittleEndian.AppendUint32(dst, o.Raised)
	}
	if o.Play != 0 {
		dst = binary.LittleEndian.AppendUint32(dst, o.Play)
	}
	return dst
}

func readCourse(r *encode.Reader, c *Customer) bool {
	parts, o := r.Byte(), &c.Course
	if parts&courseRaised != 0 {
		o.Raised = r.Uint32()
	}
	if parts&coursePlay != 0 {
		o.Play = r.Uint32()
	}
	o.Over = parts&courseOver != 0
	return parts != 0 && parts < courseOver<<1 && (parts&courseRaised != 0) == (o.Raised != 0) &&
		(parts&coursePlay != 0) == (o.Play != 0)
}

// validCourse reports whether an open lapse has a course, or a lapse that is none any more is over.
func (p *Profile) validCourse() bool {
	o := &p.Course
	if p.Lapse.Open() {
		return !o.Over && (o.Play == 0 || p.Plays[Lapse] != 0)
	}
	return o.Raised == 0 && o.Play == 0 && (!o.Over || p.Lapse.Number > 0)
}
