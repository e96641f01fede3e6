package scoring

import (
	"encoding/binary"
	"errors"
	"math"

	"ebb/scoring/encode"
	"ebb/scoring/feature"
	"ebb/scoring/model"
	"ebb/scoring/profile"
)

// LeastDecision is the length in bytes of what every decision holds.
const LeastDecision = 3 + 3*4 + 3*8 + 8*(model.NumTerms+7)

// ErrDecisionDamaged says that bytes are no decision.
var ErrDecisionDamaged = errors.New("decision is damaged")

// AppendDecision appends d. Every number keeps its bits, so that an alert rendered from what ReadDecision gives is
// the alert that would have been rendered from d.
//
// Behind the core stands what a pack declares and what was learnt, unless it is all zero:
//
//	Kind, Opening + 16 About   1 byte each
//	Stage                      1 byte
//	Since                      varint
//	Opener                     2 bytes
//	Factors                    8 bytes
//	number of values, and each as 0 without data, else 1 and a varint
//	[reading] Probes as varint, number of points, 16 bytes each
func AppendDecision(dst []byte, d *Decision) []byte {
	le := binary.LittleEndian
	dst = append(dst, byte(d.Transition), byte(d.Tier), byte(d.Previous))
	dst = le.AppendUint32(dst, d.Episode)
	dst = le.AppendUint32(dst, d.Sequence)
	dst = le.AppendUint64(dst, uint64(d.At))
	dst = le.AppendUint64(dst, uint64(d.Silence))
	dst = le.AppendUint64(dst, uint64(d.Score.At))
	dst = le.AppendUint32(dst, d.Score.Visits)
	for _, t := range d.Score.Terms {
		dst = le.AppendUint64(dst, math.Float64bits(t))
	}
	for _, v := range d.Score.Inputs() {
		dst = le.AppendUint64(dst, math.Float64bits(*v))
	}
	if !d.Declared() {
		return dst
	}
	dst = append(dst, byte(d.Kind), d.Opening|d.About<<4, byte(d.Score.Stage))
	dst = le.AppendUint16(binary.AppendVarint(dst, d.Since), d.Opener)
	dst = le.AppendUint64(dst, math.Float64bits(d.Score.Factors))
	dst = binary.AppendUvarint(dst, uint64(len(d.Score.Values)))
	for _, v := range d.Score.Values {
		if !v.OK {
			dst = append(dst, 0)
			continue
		}
		dst = binary.AppendVarint(append(dst, 1), v.N)
	}
	return d.Reading.Append(dst)
}

// Declared reports whether d holds anything beside the core, of what a pack declares or of what was learnt: its
// encoding is longer then.
func (d *Decision) Declared() bool {
	return d.Kind != profile.Lapse || d.Opener != 0 || d.Opening|d.About != 0 || d.Since != 0 || d.Score.Stage != profile.StageActive || d.Score.Factors != 0 || len(d.Score.Values) > 0 ||
		d.Reading != model.Reading{}
}

// DecisionSize is the length of d's encoding in bytes.
func DecisionSize(d *Decision) int {
	if !d.Declared() {
		return LeastDecision
	}
	size := LeastDecision + 3 + encode.VarintSize(d.Since) + 2 + 8 + encode.UvarintSize(uint64(len(d.Score.Values)))
	for _, v := range d.Score.Values {
		size++
		if v.OK {
			size += encode.VarintSize(v.N)
		}
	}
	return size + d.Reading.Size()
}

// ReadDecision is the inverse of AppendDecision. It reuses the memory of d.Score.Values. Errors: ErrDecisionDamaged.
func ReadDecision(b []byte, d *Decision) error {
	if len(b) < LeastDecision || b[0] == 0 || Transition(b[0]) >= NumTransitions || profile.Tier(b[1]) >= profile.NumTiers || profile.Tier(b[2]) >= profile.NumTiers {
		return ErrDecisionDamaged
	}
	le := binary.LittleEndian
	*d = Decision{Score: model.Score{Values: d.Score.Values[:0]}}
	d.Transition, d.Tier, d.Previous = Transition(b[0]), profile.Tier(b[1]), profile.Tier(b[2])
	d.Episode, d.Sequence = le.Uint32(b[3:]), le.Uint32(b[7:])
	d.At, d.Silence, d.Score.At = int64(le.Uint64(b[11:])), int64(le.Uint64(b[19:])), int64(le.Uint64(b[27:]))
	d.Score.Visits = le.Uint32(b[35:])
	b = b[39:]
	for i := range d.Score.Terms {
		d.Score.Terms[i] = math.Float64frombits(le.Uint64(b[8*i:]))
	}
	b = b[8*model.NumTerms:]
	inputs := d.Score.Inputs()
	for i, v := range inputs {
		*v = math.Float64frombits(le.Uint64(b[8*i:]))
	}
	if b = b[8*len(inputs):]; len(b) == 0 {
		return nil
	}
	return d.readDeclared(b)
}

func (d *Decision) readDeclared(b []byte) error {
	if len(b) < 3 || profile.Kind(b[0]) >= profile.NumKinds || b[1]&15 >= profile.MaxOpenings || b[1]>>4 >= profile.MaxOpenings || profile.Stage(b[2]) >= profile.NumStages {
		return ErrDecisionDamaged
	}
	d.Kind, d.Opening, d.About, d.Score.Stage = profile.Kind(b[0]), b[1]&15, b[1]>>4, profile.Stage(b[2])
	since, n := binary.Varint(b[3:])
	if n <= 0 || len(b) < 3+n+2+8 {
		return ErrDecisionDamaged
	}
	b = b[3+n:]
	d.Since, d.Opener, d.Score.Factors = since, binary.LittleEndian.Uint16(b), math.Float64frombits(binary.LittleEndian.Uint64(b[2:]))
	b = b[10:]
	count, n := binary.Uvarint(b)
	if n <= 0 || count > feature.MaxDeclared {
		return ErrDecisionDamaged
	}
	b = b[n:]
	for range count {
		if len(b) == 0 || b[0] > 1 {
			return ErrDecisionDamaged
		}
		v := feature.Value{OK: b[0] == 1}
		b = b[1:]
		if v.OK {
			if v.N, n = binary.Varint(b); n <= 0 {
				return ErrDecisionDamaged
			}
			b = b[n:]
		}
		d.Score.Values = append(d.Score.Values, v)
	}
	if len(b) > 0 && !d.Reading.Read(b) || !d.Declared() {
		return ErrDecisionDamaged
	}
	return nil
}
