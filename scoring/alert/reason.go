package alert

import (
	"cmp"
	"slices"

	"ebb/scoring"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

const (
	maxReasons = 4 // in an alert
)

// Terms of a customer without cause for concern: one who comes about every third of a horizon, was active in one recent
// spell, and has been a customer for a horizon. What a term has above these counts for its reason.
const (
	calmRhythm = -1.95
	calmLevel  = -0.18
	calmTenure = -0.02
)

// endings are the reasons with which episodes recover.
var endings = [profile.NumKinds]string{pack.ReasonBack, pack.ReasonStayed, pack.ReasonPaid, pack.ReasonSettled}

// weighed is a reason with its weight in log-odds.
type weighed struct {
	code    string
	share   float64
	feature int // that its sentence is about; -1: none
}

// ReasonCodes are the codes of the reasons in an alert of d, in order.
func (r *Renderer) ReasonCodes(d *scoring.Decision) []string {
	var room [maxReasons]weighed
	reasons := r.reasons(room[:0], d)
	codes := make([]string, len(reasons))
	for i, r := range reasons {
		codes[i] = r.code
	}
	return codes
}

// reasons appends those of an alert: the reason of its raise, then the weightiest of the others.
func (r *Renderer) reasons(dst []weighed, d *scoring.Decision) []weighed {
	switch {
	case d.Transition == scoring.Recovered:
		return append(dst, weighed{endings[d.Kind], 0, -1})
	case d.Transition == scoring.Converted:
		return append(dst, weighed{pack.ReasonConverted, 0, -1})
	case d.Transition == scoring.Expired:
		return append(dst, weighed{pack.ReasonRanOut, 0, -1})
	case d.Kind != profile.Lapse:
		dst = append(dst, weighed{d.AboutOpening(r.Pack).Code, 0, d.AboutOpening(r.Pack).Feature})
		if d.Score.Visits == 0 {
			return dst
		}
	default:
		dst = append(dst, weighed{pack.ReasonOverdue, d.Score.Terms[model.TermSilence], -1})
	}
	var more [4 + model.MaxFactors]weighed
	t := &d.Score.Terms
	all := append(more[:0],
		weighed{pack.ReasonRareVisitor, t[model.TermRhythm] - calmRhythm, -1},
		weighed{pack.ReasonLittleActivity, t[model.TermLevel] - calmLevel, -1},
		weighed{pack.ReasonNewCustomer, t[model.TermTenure] - calmTenure, -1},
		weighed{pack.ReasonFriction, t[model.TermFriction], -1},
	)
	var each [model.MaxFactors]float64
	r.Pack.Model.FactorSum(d.Score.Values, d.Score.Stage, each[:])
	for i := range r.Pack.Model.Factors {
		if r.Pack.Model.Factors[i].Code != dst[0].code {
			all = append(all, weighed{r.Pack.Model.Factors[i].Code, each[i], r.Pack.Model.Factors[i].Feature})
		}
	}
	slices.SortStableFunc(all, func(a, b weighed) int { return cmp.Compare(b.share, a.share) })
	for _, w := range all {
		if len(dst) < maxReasons && w.share >= pack.MinShare &&
			!slices.ContainsFunc(dst, func(o weighed) bool { return o.code == w.code }) {
			dst = append(dst, w)
		}
	}
	return dst
}
