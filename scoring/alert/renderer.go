package alert

import (
	"encoding/hex"
	"strconv"

	"ebb/scoring"
	"ebb/scoring/exact"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// Renderer writes the alerts of a pack. It does not change once made, and may be shared between goroutines. NewRenderer
// makes one.
type Renderer struct {
	Pack     *pack.Pack
	packJSON []byte // with its key
}

// NewRenderer prepares the parts that are the same in every alert of the pack.
func NewRenderer(k *pack.Pack) *Renderer {
	dst := appendString([]byte(`,"pack":{"name":`), []byte(k.Name))
	dst = appendString(append(dst, `,"version":`...), []byte(k.Version))
	dst = append(append(dst, `,"hash":"`...), pack.Short(k.Hash)...)
	dst = strconv.AppendInt(append(dst, `","core":`...), model.Version, 10)
	return &Renderer{Pack: k, packJSON: append(dst, '}')}
}

// AppendAlert appends the alert's JSON to dst; docs/alert.schema.json describes it. It depends on the alert and the
// pack alone, and holds what the score follows from, so that Explain can compute it again. id is the alert's own, which
// callers need anyway. New fields are added, existing ones never change.
func (r *Renderer) AppendAlert(dst []byte, a *Alert, id ID) []byte {
	d := &a.Decision
	floor := d.Floor(r.Pack)
	dst = r.appendHead(dst, a, id)
	dst = strconv.AppendInt(append(dst, `,"priority":`...), int64(d.Priority(r.Pack)), 10)
	dst = appendDecimals(append(dst, `,"risk_score":`...), int64(d.Score.Floored(floor)), 3)
	dst = appendProbability(dst, d)
	dst = r.appendWorth(dst, d)
	dst = r.appendPlaybook(dst, d)
	dst = r.appendFacts(dst, d.Facts)
	dst = appendContact(dst, d)
	dst = append(r.appendReasons(append(dst, `,"reasons":[`...), d), ']')
	dst = r.appendTrouble(dst, d)
	dst = r.appendOpenings(dst, d, floor)
	dst = r.appendExit(dst, d)
	dst = appendTimes(dst, d)
	dst = a.Cause.append(dst, d.At)
	dst = r.appendScore(append(dst, `,"score":`...), d)
	return append(append(dst, r.packJSON...), '}')
}

// appendHead appends what the alert is about.
func (r *Renderer) appendHead(dst []byte, a *Alert, id ID) []byte {
	episode := a.EpisodeID()
	dst = hex.AppendEncode(append(dst, `{"id":"`...), id[:])
	dst = hex.AppendEncode(append(dst, `","episode_id":"`...), episode[:])
	dst = appendString(append(dst, `","tenant":`...), a.Tenant)
	dst = appendString(append(dst, `,"customer":`...), a.Customer)
	dst = append(append(dst, `,"kind":"`...), a.Kind.String()...)
	dst = strconv.AppendUint(append(dst, `","episode":`...), uint64(a.Episode), 10)
	dst = strconv.AppendUint(append(dst, `,"sequence":`...), uint64(a.Sequence), 10)
	dst = append(append(dst, `,"transition":"`...), a.Transition.String()...)
	dst = append(append(dst, `","tier":"`...), a.Tier.String()...)
	dst = append(append(append(dst, `","previous_tier":"`...), a.Previous.String()...), '"')
	if a.Transition == scoring.Corrected {
		corrects := a.raise()
		dst = append(hex.AppendEncode(append(dst, `,"corrects":"`...), corrects[:]), '"')
	}
	if a.Initial {
		dst = append(dst, `,"initial":true`...)
	}
	if a.HeldFor > 0 {
		dst = strconv.AppendInt(append(dst, `,"held_for":`...), a.HeldFor, 10)
	}
	return a.Assigned.append(dst)
}

// appendProbability appends the probability read at the decision's score, and how many probes stand behind it.
func appendProbability(dst []byte, d *scoring.Decision) []byte {
	if d.Score.Visits == 0 {
		return append(dst, `,"churn_probability":null,"probes":0,"provisional":true`...)
	}
	dst = appendMillionths(append(dst, `,"churn_probability":`...), d.Reading.Probability(d.Score.Sum()))
	dst = strconv.AppendUint(append(dst, `,"probes":`...), uint64(d.Reading.Probes), 10)
	if d.Reading.Provisional() {
		dst = append(dst, `,"provisional":true`...)
	}
	return dst
}

func (r *Renderer) appendReasons(dst []byte, d *scoring.Decision) []byte {
	for i, w := range d.Reasons(make([]scoring.Reason, 0, scoring.MaxReasons), r.Pack) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(dst, `{"code":"`...), w.Code...)
		dst = r.appendSentence(append(dst, `","text":"`...), d, w)
		dst = append(dst, `"}`...)
	}
	return dst
}

// appendOpenings appends, for an episode other than a lapse, the opening that the decision is about, the one that the
// episode began with, which may be of an earlier pack, and the floor.
func (r *Renderer) appendOpenings(dst []byte, d *scoring.Decision, floor float64) []byte {
	if d.Kind == profile.Lapse {
		return dst
	}
	dst = append(append(append(dst, `,"about":"`...), d.AboutOpening(r.Pack).Code...), '"')
	if code := r.Pack.Catalogue.Marked(d.Opener); code != "" {
		dst = append(append(append(dst, `,"opened_by":"`...), code...), '"')
	}
	if floor > 0 {
		dst = strconv.AppendFloat(append(dst, `,"floor":{"risk_score":`...), floor, 'f', -1, 64)
		dst = append(append(append(dst, `,"code":"`...), d.FloorOpening(r.Pack).Code...), `"}`...)
	}
	return dst
}

// appendExit appends the cheapest way out of the tier of a lapse that is open, if there is one.
func (r *Renderer) appendExit(dst []byte, d *scoring.Decision) []byte {
	if d.Kind != profile.Lapse || d.Transition.Ends() || d.Score.Visits == 0 {
		return dst
	}
	e, ok := r.Pack.Model.CheapestExit(&d.Score)
	if !ok {
		return dst
	}
	dst = append(append(append(dst, `,"cheapest_exit":{"change":"`...), e.Change...), `","risk_score":`...)
	dst = appendDecimals(dst, int64(model.Thousandths(exact.Sigmoid(e.LogOdds))), 3)
	return append(append(append(dst, `,"tier":"`...), e.Tier.String()...), `"}`...)
}

func appendTimes(dst []byte, d *scoring.Decision) []byte {
	dst = append(AppendTime(append(dst, `,"began_at":"`...), d.Since), '"')
	if d.Missed != 0 {
		dst = strconv.AppendInt(append(dst, `,"unseen_ms":`...), d.Missed, 10)
	}
	dst = AppendTime(append(dst, `,"opened_at":"`...), d.Opened)
	if d.Expires != 0 {
		dst = AppendTime(append(dst, `","expires_at":"`...), d.Expires)
	}
	return append(AppendTime(append(dst, `","time":"`...), d.At), '"')
}

// append appends the event that was the cause, with its time where that is not the alert's. A deadline is at the
// alert's.
func (c *Cause) append(dst []byte, at int64) []byte {
	if c.Deadline {
		return dst
	}
	dst = appendString(append(dst, `,"cause":{"event_type":`...), c.EventType)
	if len(c.EventID) > 0 {
		dst = appendString(append(dst, `,"id":`...), c.EventID)
	}
	dst = strconv.AppendInt(append(dst, `,"partition":`...), int64(c.Partition), 10)
	dst = strconv.AppendInt(append(dst, `,"offset":`...), c.Offset, 10)
	if c.Time != at {
		dst = append(AppendTime(append(dst, `,"time":"`...), c.Time), '"')
	}
	return append(dst, '}')
}
