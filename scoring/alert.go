package scoring

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"
)

// AlertID names an alert: the same decision has the same id wherever and however often it is made.
type AlertID [16]byte

// String is the id in hex.
func (id AlertID) String() string { return hex.EncodeToString(id[:]) }

// Alert is a decision about a customer together with what caused it.
type Alert struct {
	Decision
	Tenant, Customer []byte
	Cause            Cause
}

// Cause is the deadline that fell due or the event that decided.
type Cause struct {
	Deadline  bool
	Time      int64  // of the deadline or the event, ms since the epoch
	EventID   []byte // of an event; may be empty
	EventType []byte
	Partition int
	Offset    int64
}

// ID is the first half of a SHA-256 over what was decided about whom, never a clock or chance: tenant, customer, kind, when
// what the episode is about began (ms since the epoch: the last activity before the silence, or the event that opened it),
// transition and sequence as text, each behind its length as a varint; and of a kind other than lapse, of which several episodes
// may have begun in the same ms, the two bytes of the opener. The episode's number would not do: episodes are counted anew where
// a rebuild begins in the middle of the log, and two different alerts would share an id.
func (a *Alert) ID() AlertID {
	var since [20]byte
	var sequence [10]byte
	b := make([]byte, 0, 512)
	for _, part := range [...][]byte{
		a.Tenant, a.Customer, []byte(a.Kind.String()), strconv.AppendInt(since[:0], a.began(), 10),
		[]byte(a.Transition.String()), strconv.AppendUint(sequence[:0], uint64(a.Sequence), 10),
	} {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	if a.Kind != Lapse {
		b = binary.LittleEndian.AppendUint16(b, a.Opener)
	}
	sum := sha256.Sum256(b)
	return AlertID(sum[:16])
}

// began is when what the episode is about began.
func (d *Decision) began() int64 {
	if d.Kind == Lapse {
		return d.At - d.Silence
	}
	return d.Since
}

// AppendAlert appends the alert's JSON to dst; docs/alert.schema.json describes it. It depends on the alert and the pack
// alone. id is the alert's own: whoever renders it needs it anyway. Fields are added, never changed.
func (k *Pack) AppendAlert(dst []byte, a *Alert, id AlertID) []byte {
	var n numbers
	dst = hex.AppendEncode(append(dst, `{"id":"`...), id[:])
	dst = appendString(append(dst, `","tenant":`...), a.Tenant)
	dst = appendString(append(dst, `,"customer":`...), a.Customer)
	dst = append(append(dst, `,"kind":"`...), a.Kind.String()...)
	dst = strconv.AppendUint(append(dst, `","episode":`...), uint64(a.Episode), 10)
	dst = strconv.AppendUint(append(dst, `,"sequence":`...), uint64(a.Sequence), 10)
	dst = append(append(dst, `,"transition":"`...), a.Transition.String()...)
	dst = append(append(dst, `","tier":"`...), a.Tier.String()...)
	dst = append(append(dst, `","previous_tier":"`...), a.Previous.String()...)
	dst = appendThousandths(append(dst, `","risk_score":`...), a.Score.Floored(k.Floor(&a.Decision)))
	if a.Score.Visits == 0 {
		dst = append(dst, unscored...)
	} else {
		sum := a.Score.Sum()
		dst = n.append(append(dst, `,"log_odds":`...), sum)
		dst = a.Reading.append(dst, sum, &n)
		dst = append(dst, `,"coverage":`...)
		dst = strconv.AppendFloat(dst, a.Score.coverage(), 'g', 4, 64)
		dst = append(k.appendTerms(append(dst, `,"terms":[`...), &a.Score, &n), ']')
	}
	dst = k.appendDeclared(dst, a, &n)
	if a.Kind == Lapse {
		dst = strconv.AppendFloat(append(dst, `,"overdue":{"typical_days":`...), exp(a.Score.LnTypical), 'f', 3, 64)
		dst = strconv.AppendFloat(append(dst, `,"silent_days":`...), days(a.Silence), 'f', 3, 64)
		dst = append(dst, '}')
	}
	dst = k.appendReasons(append(dst, `,"reasons":[`...), &a.Decision)
	dst = append(AppendTime(append(dst, `],"time":"`...), a.At), '"')
	dst = a.Cause.append(append(dst, `,"cause":`...))
	return append(append(dst, k.packJSON...), '}')
}

// unscored stands for the score of a customer without activity, who has none.
const unscored = `,"scored":false,"log_odds":null,"churn_probability":null,"probability_probes":0,"probability_provisional":true,"coverage":0,"terms":[]`

// appendTerms appends every term with its inputs and coefficients: what recomputes it bit for bit.
func (k *Pack) appendTerms(dst []byte, s *Score, n *numbers) []byte {
	for i, value := range s.Terms {
		dst = n.append(append(dst, termHeads[i]...), value)
		switch i {
		case TermBase:
			dst = append(dst, `,"inputs":{`...)
		case TermRhythm, TermSilence:
			dst = n.append(append(dst, `,"inputs":{"ln_typical_days":`...), s.LnTypical)
			dst = n.append(append(dst, `,"regularity":`...), s.Regularity)
			if i == TermSilence {
				dst = n.append(append(dst, `,"silent_days":`...), s.Silence)
			}
		case TermLevel:
			dst = n.append(append(dst, `,"inputs":{"level":`...), s.Level)
			dst = n.append(append(dst, `,"idle_days":`...), s.Idle)
		case TermTenure:
			dst = n.append(append(dst, `,"inputs":{"tenure_days":`...), s.Tenure)
		case TermFriction:
			dst = n.append(append(dst, `,"inputs":{"friction":`...), s.Friction)
			dst = n.append(append(dst, `,"idle_days":`...), s.Idle)
		}
		dst = append(dst, k.termTails[i]...)
	}
	return dst
}

func (k *Pack) appendReasons(dst []byte, d *Decision) []byte {
	for i, w := range k.reasons(make([]weighed, 0, maxReasons), d) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(dst, `{"code":"`...), w.code...)
		dst = k.appendSentence(append(dst, `","text":"`...), d, w)
		dst = append(dst, `"}`...)
	}
	return dst
}

func (c *Cause) append(dst []byte) []byte {
	if c.Deadline {
		return append(AppendTime(append(dst, `{"type":"deadline","time":"`...), c.Time), `"}`...)
	}
	dst = AppendTime(append(dst, `{"type":"event","time":"`...), c.Time)
	if len(c.EventID) > 0 {
		dst = appendString(append(dst, `","id":`...), c.EventID)
	} else {
		dst = append(dst, '"')
	}
	dst = appendString(append(dst, `,"event_type":`...), c.EventType)
	dst = strconv.AppendInt(append(dst, `,"partition":`...), int64(c.Partition), 10)
	dst = strconv.AppendInt(append(dst, `,"offset":`...), c.Offset, 10)
	return append(dst, '}')
}

// termHeads is what stands before each term's log-odds.
var termHeads = func() (heads [NumTerms]string) { //nolint:gochecknoglobals // a table, of the names
	for i, name := range termNames {
		heads[i] = `{"name":"` + name + `","log_odds":`
	}
	return heads
}()

// coefficient is a named number.
type coefficient struct {
	name  string
	value float64
}

// render prepares what is the same in every alert of the pack.
func (k *Pack) render() {
	gap := []coefficient{{"weight", rhythmWeight}, {"min_silent_days", minSilence}, {"horizon_days", k.horizon}}
	for i, coefficients := range [NumTerms][]coefficient{
		TermBase:     {{"base", baseTerm}},
		TermRhythm:   gap,
		TermSilence:  gap,
		TermLevel:    {{"weight", levelWeight}, {"floor", levelFloor}, {"fade_days", k.levelFade}},
		TermTenure:   {{"weight", tenureWeight}, {"offset", tenureOffset}, {"horizon_days", k.horizon}},
		TermFriction: {{"weight", frictionWeight}, {"fade_days", k.horizon}},
	} {
		tail := []byte(`},"coefficients":`)
		for j, c := range coefficients {
			tail = append(append(append(tail, "{,"[min(j, 1)], '"'), c.name...), `":`...)
			tail = appendFloat(tail, c.value)
		}
		tail = append(tail, "}}"...)
		if i < NumTerms-1 {
			tail = append(tail, ',')
		}
		k.termTails[i] = tail
	}
	dst := appendString([]byte(`,"pack":{"name":`), []byte(k.Name))
	dst = appendString(append(dst, `,"version":`...), []byte(k.Version))
	dst = append(append(dst, `,"hash":"`...), k.Hash...)
	k.packJSON = append(dst, `"}`...)
}
