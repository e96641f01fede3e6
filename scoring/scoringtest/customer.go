package scoringtest

import (
	"ebb/scoring"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// Eligible is the profile of a customer whom every pack may alert about, before the first event.
func Eligible() profile.Profile { return profile.Profile{Eligible: true} }

// Observe is Scorer.Observe for a pack without features, where an event has one decision at most.
func Observe(
	pack *pack.Pack,
	p *profile.Profile,
	pop *profile.Population,
	o scoring.Observation,
) (scoring.Decision, bool) {
	return only(scoring.NewScorer(pack).Observe(&profile.Customer{Profile: p}, pop, &o))
}

// Wake is Scorer.Wake for such a pack.
func Wake(pack *pack.Pack, p *profile.Profile) (scoring.Decision, bool) {
	return only(scoring.NewScorer(pack).Wake(&profile.Customer{Profile: p}))
}

// ScoreOf is Evaluator.Score for such a pack.
func ScoreOf(pack *pack.Pack, p *profile.Profile, at int64) model.Score {
	e := model.NewEvaluator(&pack.Model)
	return e.Score(&profile.Customer{Profile: p}, at)
}

// Probe is Evaluator.Probe for such a pack, with a customer whose draw is 0.
func Probe(pack *pack.Pack, p *profile.Profile, until int64, c *model.Calibration) {
	e := model.NewEvaluator(&pack.Model)
	e.Probe(&profile.Customer{Profile: p}, until, c)
}

func only(all []scoring.Decision) (scoring.Decision, bool) {
	switch len(all) {
	case 0:
		return scoring.Decision{}, false
	case 1:
		return all[0], true
	}
	panic("more than one decision")
}

// Readable reports whether the encoding of p decodes to the same.
func Readable(p *profile.Profile) bool {
	var back profile.Profile
	return ReadProfile(AppendProfile(nil, p), &back) == nil && back == *p
}

// AppendProfile is profile.Append for a customer without features.
func AppendProfile(dst []byte, p *profile.Profile) []byte {
	return profile.Append(dst, &profile.Customer{Profile: p}, profile.Format)
}

// ReadProfile is profile.Read for such a customer, without facts and contact either: all count as damage.
func ReadProfile(b []byte, p *profile.Profile) error {
	c := profile.Customer{Profile: p}
	err := profile.Read(b, &c)
	if err == nil && len(c.Features)+len(c.Facts)+len(c.Contact) > 0 {
		return profile.ErrDamaged
	}
	return err
}
