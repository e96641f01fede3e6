package scoring

import (
	"cmp"
	"slices"
	"strconv"
)

// Codes of the core's reasons. They are a contract, as are all of the catalogue (reasons/en.yaml), which holds a
// sentence for each.
const (
	ReasonOverdue        = "overdue"         // silent for longer than usual
	ReasonRareVisitor    = "rare_visitor"    // long gaps even when nothing is wrong
	ReasonLittleActivity = "little_activity" // little activity of late
	ReasonNewCustomer    = "new_customer"    // no long history
	ReasonFriction       = "friction"        // recent negative events
	ReasonBack           = "back"            // came back
	ReasonStayed         = "stayed"          // ends an explicit episode
	ReasonPaid           = "paid"            // ends an involuntary one
	ReasonSettled        = "settled"         // ends one of failed service
	ReasonRanOut         = "ran_out"         // ends one that expires
)

const (
	maxReasons = 4   // in an alert
	minShare   = 0.1 // log-odds below which a term or a factor is no reason
)

// Terms of a customer that gives no cause for concern: comes about every third of a horizon, was active in one recent
// spell, has been known for a horizon. What a term has above it speaks for the reason.
const (
	calmRhythm = -1.5
	calmLevel  = -0.18
	calmTenure = -0.02
)

// coreReasons are the codes that every pack can give.
func coreReasons() []string {
	return []string{
		ReasonOverdue, ReasonRareVisitor, ReasonLittleActivity, ReasonNewCustomer, ReasonFriction,
		ReasonBack, ReasonStayed, ReasonPaid, ReasonSettled, ReasonRanOut,
	}
}

// endings are the reasons for which episodes recover.
var endings = [NumKinds]string{ReasonBack, ReasonStayed, ReasonPaid, ReasonSettled}

// weighed is a reason with the log-odds that speak for it.
type weighed struct {
	code    string
	share   float64
	feature int // that its sentence speaks of; -1: none
}

// ReasonCodes are the codes of the reasons that an alert of d gives, in their order.
func (r *Renderer) ReasonCodes(d *Decision) []string {
	var room [maxReasons]weighed
	reasons := r.reasons(room[:0], d)
	codes := make([]string, len(reasons))
	for i, r := range reasons {
		codes[i] = r.code
	}
	return codes
}

// reasons appends those of an alert: what it was raised for, then the weightiest of what speaks for it.
func (r *Renderer) reasons(dst []weighed, d *Decision) []weighed {
	switch {
	case d.Transition == Recovered:
		return append(dst, weighed{endings[d.Kind], 0, -1})
	case d.Transition == Expired:
		return append(dst, weighed{ReasonRanOut, 0, -1})
	case d.Kind != Lapse:
		dst = append(dst, weighed{d.AboutOpening(r.Pack).Code, 0, d.AboutOpening(r.Pack).Feature})
		if d.Score.Visits == 0 {
			return dst
		}
	default:
		dst = append(dst, weighed{ReasonOverdue, d.Score.Terms[TermSilence], -1})
	}
	var more [4 + maxFactors]weighed
	t := &d.Score.Terms
	all := append(more[:0],
		weighed{ReasonRareVisitor, t[TermRhythm] - calmRhythm, -1},
		weighed{ReasonLittleActivity, t[TermLevel] - calmLevel, -1},
		weighed{ReasonNewCustomer, t[TermTenure] - calmTenure, -1},
		weighed{ReasonFriction, t[TermFriction], -1},
	)
	var each [maxFactors]float64
	r.Pack.Model.factorSum(d.Score.Values, d.Score.Stage, each[:])
	for i := range r.Pack.Model.Factors {
		if r.Pack.Model.Factors[i].Code != dst[0].code {
			all = append(all, weighed{r.Pack.Model.Factors[i].Code, each[i], r.Pack.Model.Factors[i].Feature})
		}
	}
	slices.SortStableFunc(all, func(a, b weighed) int { return cmp.Compare(b.share, a.share) })
	for _, w := range all {
		if len(dst) < maxReasons && w.share >= minShare && !slices.ContainsFunc(dst, func(o weighed) bool { return o.code == w.code }) {
			dst = append(dst, w)
		}
	}
	return dst
}

// appendSentence appends the reason in words, with its numbers and without anything that JSON would escape.
func (r *Renderer) appendSentence(dst []byte, d *Decision, w weighed) []byte {
	return r.appendPieces(dst, d, w.feature, r.Pack.says.sentence(w.code, d.Score.Visits))
}

// appendPieces appends a sentence that speaks of a feature, or a part of one.
func (r *Renderer) appendPieces(dst []byte, d *Decision, index int, text sentence) []byte {
	for i := range text {
		if p := &text[i]; p.hole == noHole {
			dst = append(dst, p.text...)
		} else {
			dst = r.appendHole(dst, d, index, p.hole)
		}
	}
	return dst
}

func (r *Renderer) appendHole(dst []byte, d *Decision, index int, h hole) []byte {
	s := &d.Score
	switch h {
	case holeTypical:
		return r.Pack.says.words.appendEvery(dst, Exp(s.LnTypical))
	case holeSilent:
		return r.Pack.says.words.appendSpan(dst, s.Silence)
	case holeTenure:
		return r.Pack.says.words.appendSpan(dst, s.Tenure)
	case holeAway:
		return r.Pack.says.words.appendSpan(dst, days(d.Silence))
	case holeVisits:
		return r.Pack.says.words.appendVisits(dst, uint64(s.Visits))
	case holeWeight:
		return r.Pack.says.words.appendDecimal(dst, r.Pack.Model.FrictionLeft(s), 1)
	case holeValue:
		if index >= 0 {
			return r.appendValue(dst, index, s.value(index).N)
		}
	case holeAgo:
		if index >= 0 {
			return r.appendAgo(dst, index, s.value(index).N)
		}
	case holeWithin:
		if index >= 0 {
			return r.appendWithin(dst, index)
		}
	default:
	}
	return dst
}

// appendValue appends a feature's value in the form of its kind.
func (r *Renderer) appendValue(dst []byte, index int, n int64) []byte {
	f := &r.Pack.Features[index]
	switch f.Kind {
	case FeatureSince, FeatureTenure:
		if n == 0 { // whole days
			return r.Pack.says.words.appendDays(dst, 0)
		}
		return r.Pack.says.words.appendSpan(dst, float64(n)/secondsPerDay)
	case FeatureOpen:
		return r.Pack.says.words.appendSpan(dst, float64(n)/secondsPerDay)
	case FeatureRatio:
		if r.money(index) {
			return r.Pack.says.words.appendDecimal(dst, float64(n)/1000/100, 2)
		}
		return r.Pack.says.words.appendPercent(dst, n)
	case FeatureTrend:
		return r.Pack.says.words.appendPercent(dst, n)
	case FeatureLast:
		return r.Pack.says.words.appendDecimal(dst, float64(n)/1000, -1)
	case FeatureSum:
		if r.money(index) {
			return r.Pack.says.words.appendDecimal(dst, float64(n)/100, 2)
		}
		return r.Pack.says.words.appendDecimal(dst, float64(n)/1000, -1)
	default:
		return strconv.AppendInt(dst, n, 10)
	}
}

// money reports whether a feature is money: a sum of the events' own value, or such a sum a piece.
func (r *Renderer) money(index int) bool {
	f := &r.Pack.Features[index]
	switch f.Kind {
	case FeatureSum:
		return f.Property < 0
	case FeatureRatio:
		return r.money(f.Of) && !r.money(f.To)
	default:
		return false
	}
}

// appendAgo appends how long ago something was: of whole days the first is today.
func (r *Renderer) appendAgo(dst []byte, index int, n int64) []byte {
	if f := &r.Pack.Features[index]; n == 0 && (f.Kind == FeatureSince || f.Kind == FeatureTenure) {
		return append(dst, r.Pack.says.words.today...)
	}
	before, after := r.Pack.says.words.aroundAgo()
	return append(r.appendValue(append(dst, before...), index, n), after...)
}

// FeatureText is a value of the feature of that name in the form of its kind, with its unit; false: the pack has no
// such feature.
func (r *Renderer) FeatureText(name string, n int64) (string, bool) {
	i := slices.IndexFunc(r.Pack.Features, func(f Feature) bool { return f.Name == name })
	if i < 0 {
		return "", false
	}
	return string(r.appendValue(nil, i, n)), true
}

// secondsPerDay are the seconds of a day.
const secondsPerDay = 86_400

// appendWithin appends the window of a feature; of a ratio, of what it divides.
func (r *Renderer) appendWithin(dst []byte, index int) []byte {
	f := &r.Pack.Features[index]
	for f.Kind == FeatureRatio {
		f = &r.Pack.Features[f.Of]
	}
	if f.Hourly {
		return r.Pack.says.words.appendSpan(dst, float64(f.Within)/24)
	}
	return r.Pack.says.words.appendSpan(dst, float64(f.Within))
}
