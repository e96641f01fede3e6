package scoring

import (
	"cmp"
	"slices"
	"strconv"
)

// Codes of the core's reasons. They are a contract, as are all of the catalogue (reasons/en.yaml), which holds a sentence
// for each.
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
var coreReasons = []string{ //nolint:gochecknoglobals // a table
	ReasonOverdue, ReasonRareVisitor, ReasonLittleActivity, ReasonNewCustomer, ReasonFriction,
	ReasonBack, ReasonStayed, ReasonPaid, ReasonSettled, ReasonRanOut,
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
func (k *Pack) ReasonCodes(d *Decision) []string {
	var room [maxReasons]weighed
	reasons := k.reasons(room[:0], d)
	codes := make([]string, len(reasons))
	for i, r := range reasons {
		codes[i] = r.code
	}
	return codes
}

// reasons appends those of an alert: what it was raised for, then the weightiest of what speaks for it.
func (k *Pack) reasons(dst []weighed, d *Decision) []weighed {
	switch {
	case d.Transition == Recovered:
		return append(dst, weighed{endings[d.Kind], 0, -1})
	case d.Transition == Expired:
		return append(dst, weighed{ReasonRanOut, 0, -1})
	case d.Kind != Lapse:
		dst = append(dst, weighed{k.about(d).Code, 0, k.about(d).Feature})
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
	k.factorSum(d.Score.Values, d.Score.Stage, each[:])
	for i := range k.Factors {
		if k.Factors[i].Code != dst[0].code {
			all = append(all, weighed{k.Factors[i].Code, each[i], k.Factors[i].Feature})
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
func (k *Pack) appendSentence(dst []byte, d *Decision, w weighed) []byte {
	s := &d.Score
	text := k.sentences[w.code]
	if once := k.once[w.code]; once != nil && s.Visits == 1 { // its usual gap is but an assumption
		text = once
	}
	return k.appendPieces(dst, d, w.feature, text)
}

// appendPieces appends a sentence that speaks of a feature, or a part of one.
func (k *Pack) appendPieces(dst []byte, d *Decision, feature int, text sentence) []byte {
	for i := range text {
		if p := &text[i]; p.hole == noHole {
			dst = append(dst, p.text...)
		} else {
			dst = k.appendHole(dst, d, feature, p.hole)
		}
	}
	return dst
}

func (k *Pack) appendHole(dst []byte, d *Decision, feature int, h hole) []byte {
	s := &d.Score
	switch h {
	case holeTypical:
		return k.appendEvery(dst, exp(s.LnTypical))
	case holeSilent:
		return k.appendSpan(dst, s.Silence)
	case holeTenure:
		return k.appendSpan(dst, s.Tenure)
	case holeAway:
		return k.appendSpan(dst, days(d.Silence))
	case holeVisits:
		return appendCount(dst, uint64(s.Visits), &k.units.visit)
	case holeWeight:
		return strconv.AppendFloat(dst, float64(s.Friction*exp(-s.Idle/k.horizon)), 'f', 1, 64)
	case holeValue:
		if feature >= 0 {
			return k.appendValue(dst, feature, s.value(feature).N)
		}
	case holeAgo:
		if feature >= 0 {
			return k.appendAgo(dst, feature, s.value(feature).N)
		}
	case holeWithin:
		if feature >= 0 {
			return k.appendWithin(dst, feature)
		}
	default:
	}
	return dst
}

// appendValue appends a feature's value in the form of its kind.
func (k *Pack) appendValue(dst []byte, feature int, n int64) []byte {
	f := &k.Features[feature]
	switch f.Kind {
	case FeatureSince, FeatureTenure:
		if n == 0 { // whole days
			return appendCount(dst, 0, &k.units.day)
		}
		return k.appendSpan(dst, float64(n)/secondsPerDay)
	case FeatureOpen:
		return k.appendSpan(dst, float64(n)/secondsPerDay)
	case FeatureTrend, FeatureRatio:
		return append(strconv.AppendInt(dst, (n+5)/10, 10), '%')
	case FeatureLast:
		return strconv.AppendFloat(dst, float64(n)/1000, 'f', -1, 64)
	case FeatureSum:
		if f.Property >= 0 {
			return strconv.AppendFloat(dst, float64(n)/1000, 'f', -1, 64)
		}
		return strconv.AppendFloat(dst, float64(n)/100, 'f', 2, 64)
	default:
		return strconv.AppendInt(dst, n, 10)
	}
}

// appendAgo appends how long ago something was: of whole days the first is today.
func (k *Pack) appendAgo(dst []byte, feature int, n int64) []byte {
	if f := &k.Features[feature]; n == 0 && (f.Kind == FeatureSince || f.Kind == FeatureTenure) {
		return append(dst, k.units.today...)
	}
	dst = append(dst, k.units.ago[0]...)
	return append(k.appendValue(dst, feature, n), k.units.ago[1]...)
}

// FeatureText is a value of the feature of that name in the form of its kind, with its unit; false: the pack has no such feature.
func (k *Pack) FeatureText(name string, n int64) (string, bool) {
	i := slices.IndexFunc(k.Features, func(f Feature) bool { return f.Name == name })
	if i < 0 {
		return "", false
	}
	return string(k.appendValue(nil, i, n)), true
}

const secondsPerDay = 86_400

// appendWithin appends the window of a feature; of a ratio, of what it divides.
func (k *Pack) appendWithin(dst []byte, feature int) []byte {
	f := &k.Features[feature]
	for f.Kind == FeatureRatio {
		f = &k.Features[f.Of]
	}
	if f.Hourly {
		return k.appendSpan(dst, float64(f.Within)/24)
	}
	return k.appendSpan(dst, float64(f.Within))
}

// appendSpan appends a span in whole days, or hours where it is under a day and a half.
func (k *Pack) appendSpan(dst []byte, days float64) []byte {
	n, unit := k.wholeUnits(days)
	return appendCount(dst, n, unit)
}

// appendEvery appends a span as it follows "every": without the number 1.
func (k *Pack) appendEvery(dst []byte, days float64) []byte {
	n, unit := k.wholeUnits(days)
	if n == 1 {
		return append(dst, unit[0]...)
	}
	return appendCount(dst, n, unit)
}

func (k *Pack) wholeUnits(days float64) (n uint64, unit *[2]string) {
	if days < 1.5 {
		if h := uint64(float64(days*24) + 0.5); h != 24 {
			return max(h, 1), &k.units.hour
		}
	}
	return uint64(days + 0.5), &k.units.day
}

// appendCount appends a number with its unit, in the form for one or for any other number.
func appendCount(dst []byte, n uint64, unit *[2]string) []byte {
	dst = append(strconv.AppendUint(dst, n, 10), ' ')
	if n == 1 {
		return append(dst, unit[0]...)
	}
	return append(dst, unit[1]...)
}

// buildSentences compiles the sentences of the reasons that the pack can give.
func (k *Pack) buildSentences(texts catalogue) {
	k.units, k.sentences, k.once = texts.units(), map[string]sentence{}, map[string]sentence{}
	codes := slices.Clone(coreReasons)
	for i := range k.Factors {
		codes = append(codes, k.Factors[i].Code)
	}
	for n := range k.Kinds {
		for i := range k.Kinds[n].Opens {
			codes = append(codes, k.Kinds[n].Opens[i].Code)
		}
	}
	for _, code := range codes {
		k.sentences[code] = texts.mustSentence(code)
		if once := texts.mustSentence(code + ".once"); once != nil {
			k.once[code] = once
		}
	}
}
