package scoring_test

import "ebb/scoring"

// Profiles without features, as most tests have them.

func appendProfile(dst []byte, p *scoring.Profile) []byte {
	return scoring.AppendProfile(dst, &scoring.Customer{Profile: p})
}

func appendProfileAs(version int, dst []byte, p *scoring.Profile) []byte {
	return scoring.AppendProfileAs(version, dst, &scoring.Customer{Profile: p})
}

func readProfile(b []byte, p *scoring.Profile) error {
	c := scoring.Customer{Profile: p}
	err := scoring.ReadProfile(b, &c)
	if err == nil && len(c.Features) > 0 {
		return scoring.ErrProfileDamaged
	}
	return err
}

// observe is Scorer.Observe for a pack without features, of which an event decides one thing at most.
func observe(pack *scoring.Pack, p *scoring.Profile, pop *scoring.Population, o scoring.Observation) (scoring.Decision, bool) {
	return only(scoring.NewScorer(pack).Observe(&scoring.Customer{Profile: p}, pop, &o))
}

// wake is Scorer.Wake for such a pack.
func wake(pack *scoring.Pack, p *scoring.Profile) (scoring.Decision, bool) {
	return only(scoring.NewScorer(pack).Wake(&scoring.Customer{Profile: p}))
}

// scoreOf is Evaluator.Score for such a pack.
func scoreOf(pack *scoring.Pack, p *scoring.Profile, at int64) scoring.Score {
	e := scoring.NewEvaluator(&pack.Model)
	return e.Score(&scoring.Customer{Profile: p}, at)
}

// probe is Evaluator.Probe for such a pack, of a customer whose draw is 0.
func probe(pack *scoring.Pack, p *scoring.Profile, until int64, c *scoring.Calibration) {
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
