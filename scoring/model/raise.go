package model

import (
	"ebb/scoring/feature"
	"ebb/scoring/profile"
)

// regularGaps is how many typical gaps of a regular a horizon holds at least.
const regularGaps = 5

// Raise is the tier from which a lapse opens, by who the customer is at that time: of those that apply, the earliest;
// Otherwise where none does. TierNone: the pack does not distinguish these customers.
type Raise struct {
	Regular, High, Mid, Otherwise profile.Tier

	Feature       int   // of the customer's value, where High or Mid is set
	HighAt, MidAt int64 // where the value tiers begin
}

// Earliest is the earliest tier at which any customer's lapse opens.
func (r *Raise) Earliest() profile.Tier {
	return earlier(earlier(r.Otherwise, r.Regular), earlier(r.High, r.Mid))
}

// earlier is the lower of two tiers; TierNone is none.
func earlier(a, b profile.Tier) profile.Tier {
	if a == profile.TierNone || b != profile.TierNone && b < a {
		return b
	}
	return a
}

// byValue reports whether the tier depends on the customer's value, which changes with time.
func (r *Raise) byValue() bool { return r.High != profile.TierNone || r.Mid != profile.TierNone }

// at is the tier for a regular, or another customer, of a value.
func (r *Raise) at(regular bool, value feature.Value) (tier profile.Tier) {
	if regular {
		tier = r.Regular
	}
	if r.byValue() && value.OK {
		switch {
		case value.N >= r.HighAt:
			tier = earlier(tier, r.High)
		case value.N >= r.MidAt:
			tier = earlier(tier, r.Mid)
		}
	}
	if tier == profile.TierNone {
		return r.Otherwise
	}
	return tier
}

// earliest is the earliest tier while the value is within a range.
func (r *Raise) earliest(regular bool, values feature.Range) profile.Tier {
	tier := profile.TierNone
	consider := func(n int64) { tier = earlier(tier, r.at(regular, feature.Value{N: n, OK: true})) }
	if !values.Always {
		tier = r.at(regular, feature.Value{})
	}
	if values.Sometimes {
		consider(values.Least)
		consider(values.Greatest)
		if values.Least < r.MidAt && r.MidAt < values.Greatest {
			consider(r.MidAt)
		}
	}
	return tier
}

// curves are where the value changes the tier, as curves over it.
func (r *Raise) curves() []feature.Curve {
	step := func(at int64) feature.Curve { return feature.Curve{{Value: at - 1}, {Value: at, LogOdds: 1}} }
	return []feature.Curve{step(r.MidAt), step(r.HighAt)}
}

// Class is the class of a customer with activity.
func (m *Model) Class(visits uint32, lnTypical float64) profile.Class {
	return profile.ClassOf(int(visits), lnTypical <= m.lnRegular)
}

// ClassOf is the class of a score's customer.
func (m *Model) ClassOf(s *Score) profile.Class { return m.Class(s.Visits, s.LnTypical) }

// Regular reports whether a customer with activity is a regular.
func (m *Model) Regular(visits uint32, lnTypical float64) bool {
	return m.Class(visits, lnTypical) == profile.Regular
}

// Reaches reports whether a customer's score reaches an aim, while the customer is still looked at.
func (m *Model) Reaches(s *Score, aim Aim) bool {
	tier := m.TierOf(s)
	return s.Silence <= m.maxSilence && tier >= aim.Tier && (!aim.Opens || tier >= m.Opens(s))
}

// Opens is the tier from which the lapse of a score's customer opens.
func (m *Model) Opens(s *Score) profile.Tier {
	return m.Raise.at(m.Regular(s.Visits, s.LnTypical), s.Value(m.Raise.Feature))
}

// tierOf is the tier that a customer of a value has to reach for an aim.
func (m *Model) tierOf(p *profile.Profile, aim Aim, value feature.Value) profile.Tier {
	if !aim.Opens {
		return aim.Tier
	}
	return max(aim.Tier, m.Raise.at(m.Regular(p.Visits, p.M), value))
}

// Aim is the tier that a deadline is about.
type Aim struct {
	Tier  profile.Tier // at least this one; TierNone: there is no deadline
	Opens bool         // and at least the one from which the customer's lapse opens
}
