package sources

import (
	"encoding/binary"
	"math"

	"ebb/scoring/encode"
)

// Append appends t to dst; nothing where it is zero. What it takes is mostly the hours of the week: 170 to 850 bytes for
// each source, by how much that sends.
//
//	Until varint, Given 1, Froze 1, and each source:
//	  number 1, hash 8, name as a part
//	  Learnt uvarint; the cells, a uvarint each, if any is learnt
//	  which of the next parts follow, and flags: 1
//	  [varies]   5 sums                    8 each
//	  [low]      their number 1; day 2, share 1 each
//	  [open]     Day, Week, count as uvarints, DayBy 8, heard varint
//	  [evidence] Evidence, Expected, Bar 8 each, Since varint, Seen uvarint
//	  [marks]    their number 1; From, Frozen as varints, State 1 each
func Append(dst []byte, t *Table) []byte {
	if t.Until == 0 && len(t.All) == 0 {
		return dst
	}
	dst = encode.AppendBool(append(binary.AppendVarint(dst, t.Until), t.Given), t.Froze)
	for i := range t.All {
		dst = appendSource(dst, &t.All[i])
	}
	return dst
}

// Parts of a source that may be missing, and its flags.
const (
	varies = 1 << iota
	low
	open
	evidence
	marks
	part
	trickles
)

func (s *Source) parts() (parts byte) {
	set := func(bit byte, is bool) {
		if is {
			parts |= bit
		}
	}
	set(varies, s.Hours != 0)
	set(low, len(s.Low) > 0)
	set(open, s.Day|s.Week|uint64(s.Count) != 0 || s.DayBy != 0 || s.HeardAt != 0)
	set(evidence, s.Evidence != 0 || s.Expected != 0 || s.Bar != 0 || s.Since != 0 || s.Seen != 0)
	set(marks, len(s.Marks) != 1 || s.Marks[0] != Mark{})
	set(part, s.Part)
	set(trickles, s.Trickles)
	return parts
}

func appendSource(dst []byte, s *Source) []byte {
	dst = encode.AppendParts(binary.LittleEndian.AppendUint64(append(dst, s.Number), s.Hash), s.Name)
	dst = binary.AppendUvarint(dst, uint64(s.Learnt))
	if s.Learnt > 0 {
		for _, c := range s.Cells {
			dst = binary.AppendUvarint(dst, c)
		}
	}
	parts := s.parts()
	dst = append(dst, parts)
	if parts&varies != 0 {
		for _, v := range [...]float64{s.Squares, s.Relative, s.Expect, s.Expect2, s.Hours} {
			dst = encode.AppendFloat(dst, v)
		}
	}
	if parts&low != 0 {
		dst = append(dst, byte(len(s.Low)))
		for _, l := range s.Low {
			dst = append(binary.LittleEndian.AppendUint16(dst, l.Day), l.Share)
		}
	}
	if parts&open != 0 {
		for _, n := range [...]uint64{s.Day, s.Week, uint64(s.Count)} {
			dst = binary.AppendUvarint(dst, n)
		}
		dst = encode.AppendFloat(dst, s.DayBy)
		dst = binary.AppendVarint(dst, s.HeardAt)
	}
	if parts&evidence != 0 {
		dst = encode.AppendFloat(encode.AppendFloat(encode.AppendFloat(dst, s.Evidence), s.Expected), s.Bar)
		dst = binary.AppendUvarint(binary.AppendVarint(dst, s.Since), s.Seen)
	}
	if parts&marks != 0 {
		dst = append(dst, byte(len(s.Marks)))
		for _, m := range s.Marks {
			dst = append(binary.AppendVarint(binary.AppendVarint(dst, m.From), m.Frozen), byte(m.State))
		}
	}
	return dst
}

// Read is the inverse of Append; damaged bytes leave r damaged.
func Read(r *encode.Reader, t *Table) {
	*t = Table{Until: r.Varint(), Given: r.Byte(), Froze: r.Bool()}
	for r.More() {
		s := newSource(r.Byte(), r.Uint64(), r.Text())
		s.read(r)
		if t.All = append(t.All, s); len(t.All) > most {
			r.Damage()
		}
	}
	if !r.Damaged() && t.Until == 0 && len(t.All) == 0 {
		r.Damage() // not what Append writes
	}
}

func (s *Source) read(r *encode.Reader) {
	s.Rate = Rate{Learnt: uint32(r.UvarintUpTo(math.MaxUint32))}
	if s.Learnt > 0 {
		for i := range s.Cells {
			s.Cells[i] = r.Uvarint()
		}
	}
	parts := r.Byte()
	s.Part, s.Trickles = parts&part != 0, parts&trickles != 0
	if parts&varies != 0 {
		s.Squares, s.Relative, s.Expect, s.Expect2, s.Hours = r.Finite(), r.Finite(), r.Finite(), r.Finite(), r.Finite()
	}
	if parts&low != 0 {
		for range r.Byte() {
			s.Low = append(s.Low, LowDay{Day: r.Uint16(), Share: r.Byte()})
		}
	}
	if parts&open != 0 {
		s.Day, s.Week = r.Uvarint(), r.Uvarint()
		s.Count = uint32(r.UvarintUpTo(math.MaxUint32))
		s.DayBy, s.HeardAt = r.Finite(), r.Varint()
	}
	if parts&evidence != 0 {
		s.Evidence, s.Expected, s.Bar = r.Finite(), r.Finite(), r.Finite()
		s.Since, s.Seen = r.Varint(), r.Uvarint()
	}
	if parts&marks != 0 {
		s.Marks = nil
		for range r.Byte() {
			s.Marks = append(s.Marks, Mark{From: r.Varint(), Frozen: r.Varint(), State: State(r.Byte())})
		}
	}
	if !s.sound() || s.parts() != parts {
		r.Damage()
	}
}

// sound reports whether s is within the bounds that the judging relies on.
func (s *Source) sound() bool {
	if len(s.Marks) == 0 || s.Evidence < 0 || s.Expected < 0 || s.Bar < 0 || s.HeardAt < 0 {
		return false
	}
	for _, m := range s.Marks {
		if m.State > Halted || m.Frozen < 0 {
			return false
		}
	}
	return true
}
