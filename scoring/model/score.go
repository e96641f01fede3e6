package model

import (
	"math"

	"ebb/scoring/exact"
	"ebb/scoring/feature"
	"ebb/scoring/moment"
	"ebb/scoring/profile"
)

// Score is a customer's risk at one moment: terms that add up, and their inputs.
type Score struct {
	Terms [NumTerms]float64 // log-odds

	At         int64   // ms since the epoch
	LnTypical  float64 // ln of the typical (median) gap in days
	Regularity float64 // exponent of the gap law
	Silence    float64 // days since the last activity, at least 0.02
	Level      float64 // spells, as of Idle days ago
	Friction   float64 // weight of negative events, as of Idle days ago
	Idle       float64 // days since the newest event that had an effect
	Tenure     float64 // days from the first activity to the last
	Visits     uint32  // in all; part of no term

	Stage   profile.Stage
	Values  []feature.Value // of the pack's features; in the Scorer's memory, until its next call
	Factors float64         // log-odds, the sum of all factors
}

// Value is a feature's value; none where the score has fewer values.
func (s *Score) Value(feature int) feature.Value { return valueOf(s.Values, feature) }

func valueOf(values []feature.Value, i int) (v feature.Value) {
	if i < len(values) {
		v = values[i]
	}
	return v
}

// Coverage is the share of the features that have data; 1 where there are none.
func (s *Score) Coverage() float64 {
	if len(s.Values) == 0 {
		return 1
	}
	with := 0
	for i := range s.Values {
		if s.Values[i].OK {
			with++
		}
	}
	return float64(with) / float64(len(s.Values))
}

// Sum is the score in log-odds: the terms added in order, then the factors.
func (s *Score) Sum() float64 {
	sum := s.Terms[0]
	for _, t := range s.Terms[1:] {
		sum += t
	}
	return sum + s.Factors
}

// Probability is sigmoid(Sum), the score's own probability without any learning.
func (s *Score) Probability() float64 { return exact.Sigmoid(s.Sum()) }

// Risk is the risk score in thousandths, 0 to 100000, rounded.
func (s *Score) Risk() int { return Thousandths(s.Probability()) }

// Floored is the risk score in thousandths, not below a floor of 0 to 100. For a customer without activity, who has no
// score, it is the floor.
func (s *Score) Floored(floor float64) int {
	least := FloorThousandths(floor)
	if s.Visits == 0 {
		return least
	}
	return max(s.Risk(), least)
}

// FloorThousandths is a risk score of 0 to 100 in thousandths.
func FloorThousandths(floor float64) int { return int(float64(floor*1000) + 0.5) }

// Thousandths is a probability as a risk score.
func Thousandths(probability float64) int { return int(float64(probability*100_000) + 0.5) }

// coreScore is the score without factors.
func (m *Model) coreScore(p *profile.Profile, at int64) Score {
	if p.Visits == 0 {
		return Score{At: at}
	}
	s := Score{
		At: at, LnTypical: p.M, Regularity: p.K, Level: p.Level, Friction: p.Friction, Visits: p.Visits,
		Silence: m.silence(p, at), Idle: span(at - p.At), Tenure: span(p.Active() - p.First),
	}
	m.setTerms(&s)
	return s
}

// setTerms computes the terms from the inputs of s.
func (m *Model) setTerms(s *Score) {
	odds, outgrown := m.silent(s.LnTypical, s.Regularity, s.Silence)
	rhythm := m.begun(s.LnTypical, s.Regularity)
	s.Terms = [NumTerms]float64{
		TermBase:     baseTerm,
		TermRhythm:   float64(rhythmWeight * rhythm),
		TermSilence:  SilenceBy(silenceWeight, clockwork(s.Regularity), odds-rhythm, outgrown),
		TermLevel:    LevelBy(levelWeight, levelFloor, s.Level, s.Idle, m.levelFade, outgrownFade, outgrown),
		TermTenure:   TenureBy(tenureWeight, tenureOffset, s.Tenure, m.horizon),
		TermFriction: FrictionBy(frictionWeight, s.Friction, s.Idle, m.horizon),
	}
}

// Recompute sets the terms and the factors' sum of a score with activity by its inputs, its stage and its values.
func (m *Model) Recompute(s *Score) {
	m.setTerms(s)
	s.Factors = m.FactorSum(s.Values, s.Stage, nil)
}

// TiersBefore is the range of the customer's tier at its newest event, by a score: level and friction are those of that
// time, the silence is shorter by the time since, and the factors are unknown.
func (m *Model) TiersBefore(s Score) (least, most profile.Tier) {
	s.Silence = max(moment.Days(moment.Millis(s.Silence)-moment.Millis(s.Idle)), MinSilence)
	s.Idle, s.Factors = 0, 0
	m.setTerms(&s)
	reach := 0.0
	if len(m.Factors) > 0 {
		reach = m.Cap
	}
	least = profile.NumTiers
	for i := range m.Stages.Tiers {
		t := &m.Stages.Tiers[i]
		least, most = min(least, t.tier(s.Sum()-reach)), max(most, t.tier(s.Sum()+reach))
	}
	return least, most
}

// silence is how long p has been silent as of at, in days.
func (m *Model) silence(p *profile.Profile, at int64) float64 {
	return max(span(at-p.Last), MinSilence)
}

// span is ms in days, 0 where negative.
func span(ms int64) float64 { return min(max(moment.Days(ms), 0), maxDays) }

// FrictionLeft is the weight of negative events as of the score's time.
func (m *Model) FrictionLeft(s *Score) float64 {
	return float64(s.Friction * exact.Exp(-s.Idle/m.horizon))
}

// overdueDays is the silence beyond which a customer with this gap law is overdue: the pack's quantile of its gaps.
// +Inf is possible.
func (m *Model) overdueDays(lnTypical, regularity float64) float64 {
	if m.overdueLogOdds == 0 {
		return exact.Exp(lnTypical)
	}
	return exact.Exp(lnTypical + m.overdueLogOdds/regularity)
}

// wholeMilli is added to a quantile in ms, so that rounding does not make a week shorter than a week.
const wholeMilli = 1e-3

// OverdueMinute is the first whole minute at which p is overdue; beyond any time where it never is.
func (m *Model) OverdueMinute(p *profile.Profile) int64 {
	d := m.overdueDays(p.M, p.K)
	if !(d < m.maxSilence) {
		return math.MaxInt64
	}
	return moment.CeilMinute(p.Last + int64(float64(d*moment.DayMillis)+wholeMilli) + 1) // strictly longer
}

// Inputs are the numbers that the terms come from, in the order of the encoding.
func (s *Score) Inputs() [7]*float64 {
	return [...]*float64{&s.LnTypical, &s.Regularity, &s.Silence, &s.Level, &s.Friction, &s.Idle, &s.Tenure}
}

const (
	MinSilence = 0.02                // days; a shorter silence counts as this
	maxDays    = moment.Max / 86.4e6 // days; the longest span that is distinguished
)
