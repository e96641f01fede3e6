package model

import "ebb/scoring/profile"

// ExitFriction is a possible change of an exit, besides the end of a factor's part.
const ExitFriction = "friction"

// leastExit is the least change, in log-odds, that is worth the name: at the very edge of a tier, where alerts are raised,
// anything else would do. From there on it is a reason, too.
const leastExit = 0.1

// Exit is one change that would take a customer out of its tier.
type Exit struct {
	Change  string       // ExitFriction, or a factor's code
	LogOdds float64      // the score after it
	Tier    profile.Tier // after it
}

// CheapestExit is the smallest single change by the business after which the tier of a customer with activity would be
// lower: the end of the remaining friction, or of what one factor adds, where an event can end it that is not the
// customer's own activity. A visit would do it more often, but that is for the customer to decide. It follows from the
// score alone. False: none of them alone is enough.
func (m *Model) CheapestExit(s *Score) (Exit, bool) {
	sum := s.Sum()
	best, own := Exit{LogOdds: sum}, m.TierOf(s)
	consider := func(change string, after float64) {
		if sum-after >= leastExit && m.TierAt(s.Stage, after) < own && (best.Change == "" || after > best.LogOdds) {
			best = Exit{Change: change, LogOdds: after}
		}
	}
	consider(ExitFriction, sum-s.Terms[TermFriction])
	var each [MaxFactors]float64
	if len(m.Factors) > 0 {
		m.FactorSum(s.Values, s.Stage, each[:])
	}
	all := 0.0 // before the cap
	for i := range m.Factors {
		all += each[i]
	}
	for i := range m.Factors {
		if f := &m.Factors[i]; f.Ends && each[i] > 0 {
			consider(f.Code, sum-(s.Factors-Capped(all-each[i]+f.Curve.Add(0), m.Cap)))
		}
	}
	best.Tier = m.TierAt(s.Stage, best.LogOdds)
	return best, best.Change != ""
}
