package profile

import (
	"encoding/binary"
	"math"

	"ebb/scoring/encode"
	"ebb/scoring/moment"
)

// Source is the source of a customer's newest activity, and for how long it was stalled: then nobody could see whether
// the customer came, and the customer's own time stood still. The zero value is the source of events that name none,
// which never was.
type Source struct {
	Number uint8
	Frozen uint32 // minutes: how long the source was stalled in all, as far as the customer's times account for it
	Missed uint32 // minutes of these since the newest activity
}

// Depend notes that the customer's newest activity came from a source, which has been stalled for so many minutes.
func (p *Profile) Depend(number uint8, frozen int64) {
	p.Source = Source{Number: number, Frozen: uint32(min(frozen, math.MaxUint32))}
}

// Thaw takes into account that the source has been stalled for so many minutes: the times from which the customer's
// silence is measured, and those at which it is looked at, move on by what is new of that. It reports whether any is.
func (p *Profile) Thaw(frozen int64) bool {
	more := min(frozen, math.MaxUint32) - int64(p.Source.Frozen)
	if more <= 0 || p.Empty() || p.At+more*moment.MinuteMillis > moment.Max {
		return false
	}
	p.Source.Frozen += uint32(more)
	p.At += more * moment.MinuteMillis
	if p.Armed != 0 {
		p.Armed += more
	}
	if p.Visits == 0 {
		return true
	}
	p.Source.Missed += uint32(more)
	p.Course.thaw(more)
	p.Last += more * moment.MinuteMillis
	p.Counted += more * moment.MinuteMillis
	if p.Probe.Cell != 0 {
		p.Probe.Next += uint32(more)
	}
	return true
}

// ReturnAt takes back what Thaw did since the newest activity, if activity at a time, in ms, lies behind that: it was
// seen after all.
func (p *Profile) ReturnAt(at int64) {
	if missed := p.Missed(); missed > 0 && at > p.Active() && at < p.Last {
		p.Last -= missed
		p.Counted -= missed
		p.Source.Missed = 0
	}
}

// Missed is for how many ms since its newest activity nobody could have seen the customer.
func (p *Profile) Missed() int64 { return int64(p.Source.Missed) * moment.MinuteMillis }

// Active is when the newest activity was, in ms since the epoch. Last is that in the customer's own time.
func (p *Profile) Active() int64 { return p.Last - p.Missed() }

// appendSource appends Number 1; if there is any Frozen, that as a varint; if there is any Missed, that too.
func appendSource(dst []byte, c *Customer) []byte {
	s := &c.Source
	if *s == (Source{}) {
		return dst
	}
	if dst = append(dst, s.Number); s.Frozen == 0 {
		return dst
	}
	if dst = binary.AppendUvarint(dst, uint64(s.Frozen)); s.Missed == 0 {
		return dst
	}
	return binary.AppendUvarint(dst, uint64(s.Missed))
}

func readSource(r *encode.Reader, c *Customer) bool {
	s := &c.Source
	if s.Number = r.Byte(); !r.More() {
		return s.Number != 0
	}
	if s.Frozen = uint32(r.UvarintUpTo(math.MaxUint32)); !r.More() {
		return s.Frozen != 0
	}
	s.Missed = uint32(r.UvarintUpTo(math.MaxUint32))
	return s.Missed != 0 && s.Frozen >= s.Missed && c.Visits > 0 && c.Missed() <= c.Counted
}
