package scoring

import (
	"encoding/binary"
	"math"

	"ebb/scoring/encode"
	"ebb/scoring/feature"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// AppendDecision appends d. Every number keeps its bits, so that an alert rendered from the result of ReadDecision is
// the alert rendered from d.
//
//	Kind, Transition, Tier, Previous, Opening + 16 About, Stage  1 byte each
//	Opener                                                       2 bytes
//	Episode, Sequence, At, Since, score's At, Visits             varints
//	terms, inputs, Factors                                       8 bytes each
//	number of values, and each as 0 without data, else 1 and a varint
//	reading: model.Reading
//	Unvalued, and 2 where Money follows: 1 byte; Money: its currency 3 bytes, Other as a varint
//	length of the facts, and profile.Facts                       varint, bytes
//	Opened, Expires                                              varints
//	Play, Step                                                   a varint, 1 byte
//	Supersedes                                                   its length as a varint, and its bytes
//	Trouble                                                      2 bytes of its type, and a varint
//	Initial, HeldFor                                             1 byte, a varint
//	Missed                                                       a varint
//	length of the contact, and profile.Contact; Home             varint, bytes; a varint
func AppendDecision(dst []byte, d *Decision) []byte {
	s := &d.Score
	dst = append(
		dst,
		byte(d.Kind),
		byte(d.Transition),
		byte(d.Tier),
		byte(d.Previous),
		d.Opening|d.About<<4,
		byte(s.Stage),
	)
	dst = binary.LittleEndian.AppendUint16(dst, d.Opener)
	dst = binary.AppendUvarint(binary.AppendUvarint(dst, uint64(d.Episode)), uint64(d.Sequence))
	dst = binary.AppendVarint(binary.AppendVarint(binary.AppendVarint(dst, d.At), d.Since), s.At)
	dst = binary.AppendUvarint(dst, uint64(s.Visits))
	for _, t := range s.Terms {
		dst = encode.AppendFloat(dst, t)
	}
	for _, v := range s.Inputs() {
		dst = encode.AppendFloat(dst, *v)
	}
	dst = encode.AppendFloat(dst, s.Factors)
	dst = binary.AppendUvarint(dst, uint64(len(s.Values)))
	for _, v := range s.Values {
		if !v.OK {
			dst = append(dst, 0)
			continue
		}
		dst = binary.AppendVarint(append(dst, 1), v.N)
	}
	dst = encode.AppendParts(appendMoney(d.Reading.Append(dst), d), d.Facts)
	dst = binary.AppendVarint(binary.AppendVarint(dst, d.Opened), d.Expires)
	dst = encode.AppendParts(append(binary.AppendUvarint(dst, uint64(d.Play)), d.Step), d.Supersedes)
	dst = binary.AppendVarint(binary.LittleEndian.AppendUint16(dst, d.Trouble.Type), d.Trouble.At)
	dst = binary.AppendVarint(encode.AppendBool(dst, d.Initial), d.HeldFor)
	dst = encode.AppendParts(binary.AppendVarint(dst, d.Missed), d.Contact)
	return binary.AppendUvarint(dst, uint64(d.Home))
}

// ReadDecision reads d from the bytes of AppendDecision, and reuses its memory of values. Its facts and its contact alias
// the bytes.
// Bytes that are no decision leave r damaged.
func ReadDecision(r *encode.Reader, d *Decision) {
	*d = Decision{Score: model.Score{Values: d.Score.Values[:0]}}
	s := &d.Score
	d.Kind, d.Transition = profile.Kind(r.Byte()), Transition(r.Byte())
	d.Tier, d.Previous = profile.Tier(r.Byte()), profile.Tier(r.Byte())
	openings := r.Byte()
	d.Opening, d.About, s.Stage, d.Opener = openings&15, openings>>4, profile.Stage(r.Byte()), r.Uint16()
	d.Episode, d.Sequence = uint32(r.UvarintUpTo(math.MaxUint32)), uint32(r.UvarintUpTo(math.MaxUint32))
	d.At, d.Since, s.At = r.Varint(), r.Varint(), r.Varint()
	s.Visits = uint32(r.UvarintUpTo(math.MaxUint32))
	for i := range s.Terms {
		s.Terms[i] = r.Finite()
	}
	for _, v := range s.Inputs() {
		*v = r.Finite()
	}
	s.Factors = r.Finite()
	for range r.UvarintUpTo(feature.MaxDeclared) {
		v := feature.Value{OK: r.Bool()}
		if v.OK {
			v.N = r.Varint()
		}
		s.Values = append(s.Values, v)
	}
	d.Reading.Read(r)
	readMoney(r, d)
	d.Facts = r.Part()
	d.Opened, d.Expires = r.Varint(), r.Varint()
	d.Play = pack.PlayRef(r.UvarintUpTo(uint64(pack.MaxPlayRef)))
	d.Step, d.Supersedes = r.Byte(), r.Text()
	d.Trouble.Type, d.Trouble.At = r.Uint16(), r.Varint()
	d.Initial, d.HeldFor = r.Bool(), r.Varint()
	d.Missed = r.Varint()
	d.Contact, d.Home = r.Part(), uint32(r.UvarintUpTo(math.MaxUint32))
	if !d.sound() {
		r.Damage()
	}
}

// sound reports whether d is within its bounds.
func (d *Decision) sound() bool {
	return d.Kind < profile.NumKinds && d.Transition != TransitionNone && d.Transition < NumTransitions &&
		d.Tier < profile.NumTiers && d.Previous < profile.NumTiers && d.Score.Stage < profile.NumStages &&
		d.Opening < profile.MaxOpenings && d.About < profile.MaxOpenings && d.Facts.Valid() && d.Contact.Valid() &&
		len(d.Supersedes) <= pack.MaxName && d.Missed >= 0 && d.HeldFor >= 0 &&
		(d.Transition == Raised || !d.Initial && d.HeldFor == 0)
}
