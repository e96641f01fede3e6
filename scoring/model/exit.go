package model

import (
	"ebb/scoring/exact"
	"ebb/scoring/profile"
)

// Possible changes of an exit, besides the end of a factor's part.
const (
	ExitVisit    = "visit"
	ExitFriction = "friction"
)

// Exit is one change that would take a customer out of its tier.
type Exit struct {
	Change  string       // ExitVisit, ExitFriction, or a factor's code
	LogOdds float64      // the score after it
	Tier    profile.Tier // after it
}

// CheapestExit is the smallest single change after which the tier of a customer with activity would be lower: a visit,
// the end of the remaining friction, or the end of one factor's part. It follows from the score alone: the law of the
// customer's gaps stays as it is. False: none of them alone is enough.
func (m *Model) CheapestExit(s *Score) (Exit, bool) {
	sum := s.Sum()
	best, own := Exit{LogOdds: sum}, m.TierOf(s)
	consider := func(change string, after float64) {
		if m.TierAt(s.Stage, after) < own && (best.Change == "" || after > best.LogOdds) {
			best = Exit{Change: change, LogOdds: after}
		}
	}
	consider(ExitVisit, m.afterVisit(s))
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
		if each[i] > 0 {
			consider(m.Factors[i].Code, sum-(s.Factors-Capped(all-each[i], m.Cap)))
		}
	}
	best.Tier = m.TierAt(s.Stage, best.LogOdds)
	return best, best.Change != ""
}

// afterVisit is the sum right after a visit: the silence has just begun, with one more spell.
func (m *Model) afterVisit(s *Score) float64 {
	after := Score{
		LnTypical: s.LnTypical, Regularity: s.Regularity, Silence: MinSilence, Factors: s.Factors,
		Level: float64(s.Level*exact.Exp(-s.Idle/m.levelFade)) + 1, Tenure: s.Tenure + s.Silence,
	}
	m.setTerms(&after)
	after.Terms[TermFriction] = s.Terms[TermFriction]
	return after.Sum()
}
