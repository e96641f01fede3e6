package model

import (
	"math"

	"ebb/scoring/exact"
	"ebb/scoring/feature"
	"ebb/scoring/moment"
	"ebb/scoring/profile"
)

// Terms of the core, in the order in which they are added.
const (
	TermBase     = iota // the begin of every score
	TermRhythm          // how likely the customer, just after a visit, is to stay silent for a horizon
	TermSilence         // how the present silence changes that
	TermLevel           // recent activity that could be lost
	TermTenure          // time since the first activity
	TermFriction        // recent negative events
	NumTerms
)

var termNames = [NumTerms]string{"base", "rhythm", "silence", "level", "tenure", "friction"}

// Coefficients of the terms, in log-odds. sigmoid(sum) is already a rough probability of a silent horizon.
const (
	baseTerm       = 1.8
	rhythmWeight   = 0.5 // per unit of log-odds that the silence lasts a horizon more
	levelWeight    = 1.0 // per e-fold of recent activity
	levelFloor     = 0.2 // spells; keeps the level term finite
	tenureWeight   = 0.1 // per e-fold of time since the first activity
	tenureOffset   = 0.2 // horizons; keeps the tenure term finite
	frictionWeight = 0.5
)

// Coefficient is a number in the formula of a term.
type Coefficient struct {
	Name  string
	Value float64
}

// Coefficients are the coefficients of each term.
func (m *Model) Coefficients() [NumTerms][]Coefficient {
	gap := []Coefficient{{"weight", rhythmWeight}, {"min_silent_days", MinSilence}, {"horizon_days", m.horizon}}
	return [NumTerms][]Coefficient{
		TermBase:     {{"base", baseTerm}},
		TermRhythm:   gap,
		TermSilence:  gap,
		TermLevel:    {{"weight", levelWeight}, {"floor", levelFloor}, {"fade_days", m.levelFade}},
		TermTenure:   {{"weight", tenureWeight}, {"offset", tenureOffset}, {"horizon_days", m.horizon}},
		TermFriction: {{"weight", frictionWeight}, {"fade_days", m.horizon}},
	}
}

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
	Tenure     float64 // days since the first activity
	Visits     uint32  // in all; part of no term

	Stage   profile.Stage
	Values  []feature.Value // of the pack's features; in the Scorer's memory, until its next call
	Factors float64         // log-odds, the sum of all factors
}

// Value is a feature's value; none where the score has fewer values.
func (s *Score) Value(feature int) (v feature.Value) {
	if feature < len(s.Values) {
		v = s.Values[feature]
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
		Silence: m.silence(p, at), Idle: span(at - p.At), Tenure: span(at - p.First),
	}
	rhythm := m.logitSilent(p.M, p.K, MinSilence)
	s.Terms = [NumTerms]float64{
		TermBase:     baseTerm,
		TermRhythm:   float64(rhythmWeight * rhythm),
		TermSilence:  float64(rhythmWeight * (m.logitSilent(p.M, p.K, s.Silence) - rhythm)),
		TermLevel:    levelTerm(s.Level, s.Idle, m.levelFade),
		TermTenure:   tenureTerm(s.Tenure, m.horizon),
		TermFriction: frictionTerm(s.Friction, s.Idle, m.horizon),
	}
	return s
}

// TiersBefore is the range of the customer's tier at its newest event, by a score: level and friction are those of that
// time, silence and tenure are shorter by the time since, and the factors are unknown.
func (m *Model) TiersBefore(s Score) (least, most profile.Tier) {
	silence := max(moment.Days(moment.Millis(s.Silence)-moment.Millis(s.Idle)), MinSilence)
	rhythm := m.logitSilent(s.LnTypical, s.Regularity, MinSilence)
	s.Terms[TermSilence] = float64(rhythmWeight * (m.logitSilent(s.LnTypical, s.Regularity, silence) - rhythm))
	s.Terms[TermLevel] = levelTerm(s.Level, 0, m.levelFade)
	s.Terms[TermTenure] = tenureTerm(span(moment.Millis(s.Tenure)-moment.Millis(s.Idle)), m.horizon)
	s.Terms[TermFriction] = frictionTerm(s.Friction, 0, m.horizon)
	s.Factors = 0
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

// logitSilent is the log-odds q/(1-q) that a silence of r days lasts a horizon more, for gaps longer than x with
// probability S(x) = 1 / (1 + u(x)), u(x) = (x/e^m)^regularity: q = S(r+H) / S(r), so q/(1-q) = (1+u(r)) /
// (u(r+H)-u(r)).
//
// With regularity at most 16, |m| at most 12 and r from 0.02 to 2^43 ms, u stays within e^-255 and e^376.
func (m *Model) logitSilent(lnTypical, regularity, r float64) float64 {
	return LogitSilent(lnTypical, regularity, r, m.horizon)
}

// LogitSilent is logitSilent with a horizon in days.
func LogitSilent(lnTypical, regularity, r, horizon float64) float64 {
	from := exact.Exp(float64(regularity * (exact.Log(r) - lnTypical)))
	to := exact.Exp(float64(regularity * (exact.Log(r+horizon) - lnTypical)))
	return logitOf(from, to)
}

// logitOf is logitSilent by u at either end.
func logitOf(from, to float64) float64 {
	return exact.Log((1 + from) / max(to-from, float64(to*0x1p-52)))
}

func levelTerm(level, idle, fade float64) float64 {
	return LevelBy(levelWeight, levelFloor, level, idle, fade)
}

// LevelBy is the term for an amount of activity, as of idle days ago, by its coefficients.
func LevelBy(weight, floor, level, idle, fade float64) float64 {
	return float64(-weight * exact.Log(float64(level*exact.Exp(-idle/fade))+floor))
}

func tenureTerm(tenure, horizon float64) float64 {
	return TenureBy(tenureWeight, tenureOffset, tenure, horizon)
}

// TenureBy is the term for days since the first activity, by its coefficients.
func TenureBy(weight, offset, tenure, horizon float64) float64 {
	return float64(-weight * exact.Log(tenure/horizon+offset))
}

func frictionTerm(friction, idle, fade float64) float64 {
	return FrictionBy(frictionWeight, friction, idle, fade)
}

// FrictionBy is the term for a weight of negative events, as of idle days ago, by its coefficients.
func FrictionBy(weight, friction, idle, fade float64) float64 {
	if friction == 0 {
		return 0
	}
	return float64(weight * exact.Log(1+float64(friction*exact.Exp(-idle/fade))))
}

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

// TermNames are the names of the terms, in order.
func TermNames() [NumTerms]string { return termNames }

// Inputs are the numbers that the terms come from, in the order of the encoding.
func (s *Score) Inputs() [7]*float64 {
	return [...]*float64{&s.LnTypical, &s.Regularity, &s.Silence, &s.Level, &s.Friction, &s.Idle, &s.Tenure}
}

const (
	MinSilence = 0.02                // days; a shorter silence counts as this
	maxDays    = moment.Max / 86.4e6 // days; the longest span that is distinguished
)
