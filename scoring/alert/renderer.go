package alert

import (
	"encoding/hex"
	"slices"
	"strconv"

	"ebb/scoring"
	"ebb/scoring/exact"
	"ebb/scoring/model"
	"ebb/scoring/moment"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// Renderer writes the alerts of a pack. It does not change once made, and may be shared between goroutines. NewRenderer
// makes one.
type Renderer struct {
	Pack      *pack.Pack
	termTails [model.NumTerms][]byte       // after each term's inputs
	packJSON  []byte                       // with its key
	others    [profile.NumStages + 1][]int // features that neither factors nor value show, by stage; last: without a score
}

// NewRenderer prepares the parts that are the same in every alert of the pack.
func NewRenderer(k *pack.Pack) *Renderer {
	r := &Renderer{Pack: k}
	for i, coefficients := range k.Model.Coefficients() {
		tail := []byte(`},"coefficients":`)
		for j, c := range coefficients {
			tail = append(append(append(tail, "{,"[min(j, 1)], '"'), c.Name...), `":`...)
			tail = appendFloat(tail, c.Value)
		}
		tail = append(tail, "}}"...)
		if i < model.NumTerms-1 {
			tail = append(tail, ',')
		}
		r.termTails[i] = tail
	}
	dst := appendString([]byte(`,"pack":{"name":`), []byte(k.Name))
	dst = appendString(append(dst, `,"version":`...), []byte(k.Version))
	dst = append(append(dst, `,"hash":"`...), k.Hash...)
	r.packJSON = append(dst, `"}`...)
	for i := range k.Features {
		for stage := range r.others {
			if i != k.Value.Feature && !slices.ContainsFunc(k.Model.Factors, func(f model.Factor) bool {
				return f.Feature == i && f.Stages.Has(profile.Stage(stage))
			}) {
				r.others[stage] = append(r.others[stage], i)
			}
		}
	}
	return r
}

// AppendAlert appends the alert's JSON to dst; docs/alert.schema.json describes it. It depends on the alert and the
// pack alone. id is the alert's own, which callers need anyway. New fields are added, existing ones never change.
func (r *Renderer) AppendAlert(dst []byte, a *Alert, id ID) []byte {
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
	dst = appendThousandths(append(dst, `","risk_score":`...), a.Score.Floored(a.Floor(r.Pack)))
	if a.Score.Visits == 0 {
		dst = append(dst, unscored...)
	} else {
		sum := a.Score.Sum()
		dst = n.append(append(dst, `,"log_odds":`...), sum)
		dst = appendReading(dst, &a.Reading, sum, &n)
		dst = append(dst, `,"coverage":`...)
		dst = strconv.AppendFloat(dst, a.Score.Coverage(), 'g', 4, 64)
		dst = append(r.appendTerms(append(dst, `,"terms":[`...), &a.Score, &n), ']')
	}
	dst = r.appendDeclared(dst, a, &n)
	if a.Kind == profile.Lapse {
		dst = strconv.AppendFloat(append(dst, `,"overdue":{"typical_days":`...), exact.Exp(a.Score.LnTypical), 'f', 3, 64)
		dst = strconv.AppendFloat(append(dst, `,"silent_days":`...), moment.Days(a.Silence()), 'f', 3, 64)
		dst = append(dst, '}')
	}
	dst = r.appendFacts(dst, a.Facts)
	dst = r.appendReasons(append(dst, `,"reasons":[`...), &a.Decision)
	dst = AppendTime(append(dst, `],"began_at":"`...), a.Since)
	dst = append(AppendTime(append(dst, `","time":"`...), a.At), '"')
	dst = a.Cause.append(append(dst, `,"cause":`...))
	return append(append(dst, r.packJSON...), '}')
}

// unscored is in the place of the score for a customer without activity, who has none.
const unscored = `,"scored":false,"log_odds":null,"churn_probability":null,"probability_probes":0,"probability_provisional":true,"coverage":0,"terms":[]`

// appendTerms appends every term with its inputs and coefficients, which recompute it bit for bit.
func (r *Renderer) appendTerms(dst []byte, s *model.Score, n *numbers) []byte {
	for i, value := range s.Terms {
		dst = n.append(append(dst, termHeads[i]...), value)
		switch i {
		case model.TermBase:
			dst = append(dst, `,"inputs":{`...)
		case model.TermRhythm, model.TermSilence:
			dst = n.append(append(dst, `,"inputs":{"ln_typical_days":`...), s.LnTypical)
			dst = n.append(append(dst, `,"regularity":`...), s.Regularity)
			if i == model.TermSilence {
				dst = n.append(append(dst, `,"silent_days":`...), s.Silence)
			}
		case model.TermLevel:
			dst = n.append(append(dst, `,"inputs":{"level":`...), s.Level)
			dst = n.append(append(dst, `,"idle_days":`...), s.Idle)
			outgrown := model.Outgrown(s.LnTypical, s.Regularity, s.Silence)
			dst = n.append(append(dst, `,"outgrown":`...), outgrown)
		case model.TermTenure:
			dst = n.append(append(dst, `,"inputs":{"tenure_days":`...), s.Tenure)
		case model.TermFriction:
			dst = n.append(append(dst, `,"inputs":{"friction":`...), s.Friction)
			dst = n.append(append(dst, `,"idle_days":`...), s.Idle)
		}
		dst = append(dst, r.termTails[i]...)
	}
	return dst
}

func (r *Renderer) appendReasons(dst []byte, d *scoring.Decision) []byte {
	for i, w := range r.reasons(make([]weighed, 0, maxReasons), d) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(dst, `{"code":"`...), w.code...)
		dst = r.appendSentence(append(dst, `","text":"`...), d, w)
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

// termHeads is the text before each term's log-odds.
var termHeads = func() (heads [model.NumTerms]string) { //nolint:gochecknoglobals // a table, of the names
	for i, name := range model.TermNames() {
		heads[i] = `{"name":"` + name + `","log_odds":`
	}
	return heads
}()
