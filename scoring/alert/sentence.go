package alert

import (
	"slices"
	"strconv"

	"ebb/scoring"
	"ebb/scoring/exact"
	"ebb/scoring/feature"
	"ebb/scoring/moment"
	"ebb/scoring/pack"
)

// appendSentence appends the reason in words, with its numbers and without anything that JSON would escape.
func (r *Renderer) appendSentence(dst []byte, d *scoring.Decision, w scoring.Reason) []byte {
	none := w.Feature >= 0 && d.Score.Value(w.Feature).N == 0
	return r.appendPieces(dst, d, w.Feature, r.Pack.Catalogue.Sentence(w.Code, d.Score.Visits, none))
}

// appendPieces appends a sentence about a feature, or a part of one.
func (r *Renderer) appendPieces(dst []byte, d *scoring.Decision, index int, text pack.Sentence) []byte {
	for i := range text {
		if p := &text[i]; p.Hole == pack.NoHole {
			dst = append(dst, p.Text...)
		} else {
			dst = r.appendHole(dst, d, index, p.Hole)
		}
	}
	return dst
}

func (r *Renderer) appendHole(dst []byte, d *scoring.Decision, index int, h pack.Hole) []byte {
	s := &d.Score
	switch h {
	case pack.HoleTypical:
		return r.Pack.Catalogue.Words.AppendEvery(dst, exact.Exp(s.LnTypical))
	case pack.HoleSilent:
		return r.Pack.Catalogue.Words.AppendSpan(dst, s.Silence)
	case pack.HoleTenure:
		return r.Pack.Catalogue.Words.AppendSpan(dst, s.Tenure+s.Silence)
	case pack.HoleActive:
		return r.Pack.Catalogue.Words.AppendSpan(dst, s.Tenure)
	case pack.HoleAway:
		return r.Pack.Catalogue.Words.AppendSpan(dst, moment.Days(d.Silence()))
	case pack.HoleReturn:
		return r.Pack.Catalogue.Words.AppendDate(dst, d.At-moment.Millis(s.Silence))
	case pack.HoleVisits:
		return r.Pack.Catalogue.Words.AppendVisits(dst, uint64(s.Visits))
	case pack.HoleEvent:
		return r.appendTroubleType(dst, d)
	case pack.HoleOn:
		return r.Pack.Catalogue.Words.AppendDate(dst, d.Trouble.At)
	case pack.HoleOpened:
		return r.Pack.Catalogue.Words.AppendDate(dst, d.Opened)
	case pack.HoleSilences:
		return pack.AppendGrouped(dst, uint64(d.Reading.Probes))
	case pack.HoleWhose:
		return append(dst, r.whose(d)...)
	case pack.HoleShare:
		return strconv.AppendInt(dst, inHundred(d.Reading.Probability(s.Sum())), 10)
	case pack.HoleHorizon:
		return r.Pack.Catalogue.Words.AppendSpan(dst, r.Pack.Horizon.Hours()/24)
	case pack.HoleValue:
		if index >= 0 {
			return r.appendValue(dst, index, s.Value(index).N)
		}
	case pack.HoleTimes:
		if index >= 0 {
			return r.Pack.Catalogue.Words.AppendTimes(dst, uint64(max(s.Value(index).N, 0)))
		}
	case pack.HoleAgo:
		if index >= 0 {
			return r.appendAgo(dst, index, s.Value(index).N)
		}
	case pack.HoleWithin:
		if index >= 0 {
			return r.appendWithin(dst, index)
		}
	default:
	}
	return dst
}

// whose is the word for the customers whose silences a probability was learnt from.
func (r *Renderer) whose(d *scoring.Decision) string {
	if !d.Reading.OfClass {
		return r.Pack.Catalogue.Words.Everybody
	}
	return r.Pack.Catalogue.Words.Class[r.Pack.Model.ClassOf(&d.Score)]
}

// inHundred is a probability of 100. What was counted is never certain, so it is neither 0 nor 100.
func inHundred(probability float64) int64 {
	return min(max(int64(float64(probability*100)+0.5), 1), 99)
}

// appendValue appends a feature's value in the form of its kind.
func (r *Renderer) appendValue(dst []byte, index int, n int64) []byte {
	f := &r.Pack.Features[index]
	switch f.Kind.Traits().Form {
	case feature.FormDays:
		if n == 0 { // whole days
			return r.Pack.Catalogue.Words.AppendDays(dst, 0)
		}
		return r.Pack.Catalogue.Words.AppendSpan(dst, float64(n)/moment.SecondsPerDay)
	case feature.FormHours:
		return r.Pack.Catalogue.Words.AppendSpan(dst, float64(n)/moment.SecondsPerDay)
	case feature.FormQuotient:
		if r.money(index) {
			return strconv.AppendFloat(dst, float64(n)/1000/100, 'f', 2, 64)
		}
		return r.Pack.Catalogue.Words.AppendPercent(dst, n)
	case feature.FormShare:
		return r.Pack.Catalogue.Words.AppendPercent(dst, n)
	case feature.FormNumber:
		return strconv.AppendFloat(dst, float64(n)/1000, 'f', -1, 64)
	case feature.FormSum:
		if r.money(index) {
			return strconv.AppendFloat(dst, float64(n)/100, 'f', 2, 64)
		}
		return strconv.AppendFloat(dst, float64(n)/1000, 'f', -1, 64)
	default:
		return strconv.AppendInt(dst, n, 10)
	}
}

// money reports whether a feature is money: a sum of the events' own value, or such a sum per item.
func (r *Renderer) money(index int) bool {
	f := &r.Pack.Features[index]
	switch f.Kind.Traits().Form {
	case feature.FormSum:
		return f.IsMoney()
	case feature.FormQuotient:
		return r.money(f.Of) && !r.money(f.To)
	default:
		return false
	}
}

// appendAgo appends how long ago something was; in whole days the first is today.
func (r *Renderer) appendAgo(dst []byte, index int, n int64) []byte {
	if f := &r.Pack.Features[index]; n == 0 && f.Kind.Traits().Form == feature.FormDays {
		return append(dst, r.Pack.Catalogue.Words.Today...)
	}
	before, after := r.Pack.Catalogue.Words.AroundAgo()
	return append(r.appendValue(append(dst, before...), index, n), after...)
}

// FeatureText is a value of the feature of that name in the form of its kind, with its unit; false: the pack has no
// such feature.
func (r *Renderer) FeatureText(name string, n int64) (string, bool) {
	i := slices.IndexFunc(r.Pack.Features, func(f feature.Feature) bool { return f.Name == name })
	if i < 0 {
		return "", false
	}
	if n == 0 && r.Pack.Features[i].Kind.Traits().Form == feature.FormHours { // nothing is open; a sentence says 1 hour
		return string(r.Pack.Catalogue.Words.AppendHours(nil, 0)), true
	}
	return string(r.appendValue(nil, i, n)), true
}

// appendWithin appends the window of a feature; for a ratio, that of its denominator.
func (r *Renderer) appendWithin(dst []byte, index int) []byte {
	f := &r.Pack.Features[index]
	for f.Kind.Traits().Source == feature.OfFeatures {
		f = &r.Pack.Features[f.Of]
	}
	if f.Hourly {
		return r.Pack.Catalogue.Words.AppendSpan(dst, float64(f.Within)/24)
	}
	return r.Pack.Catalogue.Words.AppendSpan(dst, float64(f.Within))
}
