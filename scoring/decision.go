package scoring

import (
	"encoding/binary"
	"errors"
	"math"
)

// DecisionSize is the length of an encoded decision in bytes.
const DecisionSize = 3 + 3*4 + 3*8 + 8*(NumTerms+7)

// ErrDecisionDamaged says that bytes are no decision.
var ErrDecisionDamaged = errors.New("decision is damaged")

// AppendDecision appends d in DecisionSize bytes. Every number keeps its bits, so that an alert rendered from what
// ReadDecision gives is the alert that would have been rendered from d.
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
	for _, v := range d.Score.inputs() {
		dst = le.AppendUint64(dst, math.Float64bits(*v))
	}
	return dst
}

// ReadDecision is the inverse of AppendDecision. Errors: ErrDecisionDamaged.
func ReadDecision(b []byte, d *Decision) error {
	if len(b) != DecisionSize || b[0] == 0 || Transition(b[0]) >= NumTransitions || Tier(b[1]) >= NumTiers || Tier(b[2]) >= NumTiers {
		return ErrDecisionDamaged
	}
	le := binary.LittleEndian
	d.Transition, d.Tier, d.Previous = Transition(b[0]), Tier(b[1]), Tier(b[2])
	d.Episode, d.Sequence = le.Uint32(b[3:]), le.Uint32(b[7:])
	d.At, d.Silence, d.Score.At = int64(le.Uint64(b[11:])), int64(le.Uint64(b[19:])), int64(le.Uint64(b[27:]))
	d.Score.Visits = le.Uint32(b[35:])
	b = b[39:]
	for i := range d.Score.Terms {
		d.Score.Terms[i] = math.Float64frombits(le.Uint64(b[8*i:]))
	}
	b = b[8*NumTerms:]
	for i, v := range d.Score.inputs() {
		*v = math.Float64frombits(le.Uint64(b[8*i:]))
	}
	return nil
}

// inputs are the numbers that the terms come from, in the order of the encoding.
func (s *Score) inputs() [7]*float64 {
	return [...]*float64{&s.LnTypical, &s.Regularity, &s.Silence, &s.Level, &s.Friction, &s.Idle, &s.Tenure}
}
