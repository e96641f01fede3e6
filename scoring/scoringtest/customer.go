package scoringtest

import "ebb/scoring"

// Observe is Scorer.Observe for a pack without features, of which an event decides one thing at most.
func Observe(pack *scoring.Pack, p *scoring.Profile, pop *scoring.Population, o scoring.Observation) (scoring.Decision, bool) {
	return only(scoring.NewScorer(pack).Observe(&scoring.Customer{Profile: p}, pop, &o))
}

// Wake is Scorer.Wake for such a pack.
func Wake(pack *scoring.Pack, p *scoring.Profile) (scoring.Decision, bool) {
	return only(scoring.NewScorer(pack).Wake(&scoring.Customer{Profile: p}))
}

// ScoreOf is Evaluator.Score for such a pack.
func ScoreOf(pack *scoring.Pack, p *scoring.Profile, at int64) scoring.Score {
	e := scoring.NewEvaluator(&pack.Model)
	return e.Score(&scoring.Customer{Profile: p}, at)
}

// Probe is Evaluator.Probe for such a pack, of a customer whose draw is 0.
func Probe(pack *scoring.Pack, p *scoring.Profile, until int64, c *scoring.Calibration) {
	e := scoring.NewEvaluator(&pack.Model)
	e.Probe(&scoring.Customer{Profile: p}, until, c)
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

// Readable reports whether what is written of p reads back as the same.
func Readable(p *scoring.Profile) bool {
	var back scoring.Profile
	return ReadProfile(AppendProfile(nil, p), &back) == nil && back == *p
}

// AppendProfile is scoring.AppendProfile of a customer without features.
func AppendProfile(dst []byte, p *scoring.Profile) []byte {
	return scoring.AppendProfile(dst, &scoring.Customer{Profile: p})
}

// AppendProfileAs is scoring.AppendProfileAs of such a customer.
func AppendProfileAs(version int, dst []byte, p *scoring.Profile) []byte {
	return scoring.AppendProfileAs(version, dst, &scoring.Customer{Profile: p})
}

// ReadProfile is scoring.ReadProfile of such a customer: features are damage.
func ReadProfile(b []byte, p *scoring.Profile) error {
	c := scoring.Customer{Profile: p}
	err := scoring.ReadProfile(b, &c)
	if err == nil && len(c.Features) > 0 {
		return scoring.ErrProfileDamaged
	}
	return err
}
