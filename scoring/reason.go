package scoring

import (
	"cmp"
	"slices"

	"ebb/scoring/feature"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// MaxReasons is how many reasons an alert has at most.
const MaxReasons = 5

// Terms of a customer without cause for concern: one who was active in one recent spell, and has been a customer for a
// horizon. What a term has above these counts for its reason.
const (
	calmLevel  = -0.18
	calmTenure = -0.02
)

// endings are the reasons with which episodes recover.
var endings = [profile.NumKinds]string{pack.ReasonBack, pack.ReasonStayed, pack.ReasonPaid, pack.ReasonSettled}

// Reason is a reason of an alert with its weight.
type Reason struct {
	Code    string
	Share   float64 // log-odds
	Feature int     // that its sentence is about; -1: none
}

// ReasonCodes are the codes of the reasons in an alert of d under k, in order.
func (d *Decision) ReasonCodes(k *pack.Pack) []string {
	var room [MaxReasons]Reason
	reasons := d.Reasons(room[:0], k)
	codes := make([]string, len(reasons))
	for i, r := range reasons {
		codes[i] = r.Code
	}
	return codes
}

// hasReason reports whether an alert of d under k has a reason.
func (d *Decision) hasReason(k *pack.Pack, code string) bool {
	var room [MaxReasons]Reason
	return slices.ContainsFunc(d.Reasons(room[:0], k), func(r Reason) bool { return r.Code == code })
}

// Reasons appends those of an alert of d under k: the reason of its raise, of a lapse with what became of such
// silences, then the weightiest of the others.
func (d *Decision) Reasons(dst []Reason, k *pack.Pack) []Reason {
	switch {
	case d.Transition == Recovered:
		return append(dst, Reason{endings[d.Kind], 0, -1})
	case d.Transition == Corrected:
		return append(dst, Reason{pack.ReasonCorrected, 0, -1})
	case d.Transition == Converted:
		return append(dst, Reason{pack.ReasonConverted, 0, -1})
	case d.Transition == Churned:
		return append(dst, Reason{pack.ReasonGone, 0, -1})
	case d.Transition == Expired:
		return append(dst, Reason{pack.ReasonRanOut, 0, -1})
	case d.Kind != profile.Lapse:
		dst = append(dst, Reason{d.AboutOpening(k).Code, 0, d.AboutOpening(k).Feature})
		if d.Score.Visits == 0 {
			return dst
		}
	default:
		dst = append(dst, Reason{pack.ReasonOverdue, d.Score.Terms[model.TermSilence], -1}, Reason{learnt(&d.Reading), 0, -1})
	}
	var more [4 + model.MaxFactors]Reason
	all, t := more[:0], &d.Score.Terms
	add := func(code string, share float64, feature int) {
		if share >= pack.MinShare && code != dst[0].Code && d.says(code, k) {
			all = append(all, Reason{code, share, feature})
		}
	}
	add(pack.ReasonLittleActivity, t[model.TermLevel]-calmLevel, -1)
	add(pack.ReasonNewCustomer, t[model.TermTenure]-calmTenure, -1)
	add(pack.ReasonFriction, t[model.TermFriction], -1)
	var each [model.MaxFactors]float64
	k.Model.FactorSum(d.Score.Values, d.Score.Stage, each[:])
	for i := range k.Model.Factors {
		if f := &k.Model.Factors[i]; !d.implied(f) {
			add(f.Code, each[i], f.Feature)
		}
	}
	slices.SortStableFunc(all, func(a, b Reason) int { return cmp.Compare(b.Share, a.Share) })
	for _, r := range all {
		if len(dst) < MaxReasons && !slices.ContainsFunc(dst, func(o Reason) bool { return r.repeats(o, d, k) }) {
			dst = append(dst, r)
		}
	}
	return dst
}

// learnt is the reason that says how many silences like this one lasted.
func learnt(r *model.Reading) string {
	if r.Provisional() {
		return pack.ReasonFewSilences
	}
	return pack.ReasonSuchSilences
}

// says reports whether a reason is true of d's customer, and tells more than the first one: of a customer who has come
// a few times, overdue tells all visits.
func (d *Decision) says(code string, k *pack.Pack) bool {
	s := &d.Score
	told := d.Kind == profile.Lapse && s.Visits < pack.EnoughVisits
	switch code {
	case pack.ReasonLittleActivity:
		return !told
	case pack.ReasonNewCustomer:
		return !told && s.Tenure+s.Silence <= k.Horizon.Hours()/24
	case pack.ReasonFriction:
		return d.Kind == profile.Lapse || !d.AboutOpening(k).Trouble // the opening itself
	}
	return true
}

// implied reports whether a factor tells nothing but the silence: a customer who has done nothing for as long as the
// window of its feature is at 0 there too. The window is of whole days, the last of which has just begun.
func (d *Decision) implied(f *model.Factor) bool {
	return f.Quiet > 0 && d.Score.Silence > f.Quiet-1 && d.Score.Value(f.Feature).N == 0
}

// repeats reports whether a reason tells what another has told already. Both of few visits and of a short history tell
// the number of visits, and two may be of the same open item.
func (r *Reason) repeats(o Reason, d *Decision, k *pack.Pack) bool {
	visits := func(code string) bool { return code == pack.ReasonLittleActivity || code == pack.ReasonNewCustomer }
	if o.Code == r.Code || visits(o.Code) && visits(r.Code) {
		return true
	}
	if r.Feature < 0 || o.Feature < 0 {
		return false
	}
	a, b := &k.Features[r.Feature], &k.Features[o.Feature]
	return a.Kind == feature.Open && b.Kind == feature.Open && a.Of == b.Of &&
		d.Score.Value(r.Feature) == d.Score.Value(o.Feature)
}
