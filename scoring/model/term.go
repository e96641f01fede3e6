package model

import "ebb/scoring/exact"

// Terms of the core, in the order in which they are added.
const (
	TermBase     = iota // the begin of every score
	TermRhythm          // how likely the customer, just after a visit, is to stay silent for a horizon
	TermSilence         // what the present silence adds to that
	TermLevel           // recent activity that could be lost, as far as the silence has not outgrown it
	TermTenure          // how long the customer came
	TermFriction        // recent negative events
	NumTerms
)

var termNames = [NumTerms]string{"base", "rhythm", "silence", "level", "tenure", "friction"}

// TermNames are the names of the terms, in order.
func TermNames() [NumTerms]string { return termNames }

// Coefficients of the terms, in log-odds. sigmoid(sum) is already a rough probability of a silent horizon.
const (
	baseTerm       = 1.75
	rhythmWeight   = 0.65 // per unit of log-odds that a silence just begun lasts a horizon
	silenceWeight  = 0.5  // per unit of log-odds that the present silence adds to that
	levelWeight    = 1.0  // per e-fold of recent activity
	levelFloor     = 0.2  // spells; keeps the level term finite
	outgrownFade   = 0.2  // the level counts S(silence)^0.2 of itself, S the customer's own chance of so long a gap
	tenureWeight   = 0.1  // per e-fold of time from the first activity to the last
	tenureOffset   = 0.2  // horizons; keeps the tenure term finite
	frictionWeight = 0.5

	// maxRegularity is the greatest regularity in the odds that a silence lasts a horizon more: the tail of a clockwork
	// gap law says that everybody returns.
	maxRegularity = 2.5

	// Regularities from which on, and by which wholly, a silence is weighed by how much of the customer's own gaps it
	// outgrows, and not by those odds.
	clockworkFrom = 2.0
	clockworkTo   = 3.0
)

// Coefficient is a number in the formula of a term.
type Coefficient struct {
	Name  string
	Value float64
}

// Coefficients are the coefficients of each term.
func (m *Model) Coefficients() [NumTerms][]Coefficient {
	odds := []Coefficient{
		{"min_silent_days", MinSilence}, {"horizon_days", m.horizon}, {"max_regularity", maxRegularity},
	}
	return [NumTerms][]Coefficient{
		TermBase:   {{"base", baseTerm}},
		TermRhythm: append([]Coefficient{{"weight", rhythmWeight}}, odds...),
		TermSilence: append([]Coefficient{
			{"weight", silenceWeight}, {"clockwork_from", clockworkFrom}, {"clockwork_to", clockworkTo},
		}, odds...),
		TermLevel: {
			{"weight", levelWeight}, {"floor", levelFloor}, {"fade_days", m.levelFade}, {"outgrown_fade", outgrownFade},
		},
		TermTenure:   {{"weight", tenureWeight}, {"offset", tenureOffset}, {"horizon_days", m.horizon}},
		TermFriction: {{"weight", frictionWeight}, {"fade_days", m.horizon}},
	}
}

// silent is what a silence of r days means for a customer with this gap law: the log-odds that it lasts a horizon more,
// and how much of the customer's own gaps it outgrows.
func (m *Model) silent(lnTypical, regularity, r float64) (odds, outgrown float64) {
	ln, capped := exact.Log(r), min(regularity, maxRegularity)
	from := exact.Exp(float64(capped * (ln - lnTypical)))
	to := exact.Exp(float64(capped * (exact.Log(r+m.horizon) - lnTypical)))
	own := from
	if regularity > capped {
		own = exact.Exp(float64(regularity * (ln - lnTypical)))
	}
	return logitOf(from, to), exact.Log(1 + own)
}

// begun is the log-odds that a silence just begun lasts a horizon.
func (m *Model) begun(lnTypical, regularity float64) float64 {
	capped := min(regularity, maxRegularity)
	from := exact.Exp(float64(capped * (m.lnMin - lnTypical)))
	return logitOf(from, exact.Exp(float64(capped*(m.lnMinAhead-lnTypical))))
}

// LogitSilent is the log-odds q/(1-q) that a silence of r days lasts a horizon more, for gaps longer than x with
// probability S(x) = 1 / (1 + u(x)), u(x) = (x/e^m)^regularity: q = S(r+H) / S(r), so q/(1-q) = (1+u(r)) /
// (u(r+H)-u(r)).
//
// With regularity at most 16, |m| at most 12 and r from 0.02 to 2^43 ms, u stays within e^-255 and e^376.
func LogitSilent(lnTypical, regularity, r, horizon float64) float64 {
	from := exact.Exp(float64(regularity * (exact.Log(r) - lnTypical)))
	to := exact.Exp(float64(regularity * (exact.Log(r+horizon) - lnTypical)))
	return logitOf(from, to)
}

// logitOf is LogitSilent by u at either end.
func logitOf(from, to float64) float64 {
	return exact.Log((1 + from) / max(to-from, float64(to*0x1p-52)))
}

// Outgrown is -ln S(r) for the gaps of LogitSilent: how much of the customer's own gaps a silence of r days outgrows,
// 0.7 at the typical gap, 3.9 where it is longer than 98 in 100 of them.
func Outgrown(lnTypical, regularity, r float64) float64 {
	return exact.Log(1 + exact.Exp(float64(regularity*(exact.Log(max(r, MinSilence))-lnTypical))))
}

// clockwork is to what share a customer's silence is weighed by how much of its own gaps it outgrows.
func clockwork(regularity float64) float64 {
	return ClockworkBy(clockworkFrom, clockworkTo, regularity)
}

// ClockworkBy is that share by its coefficients.
func ClockworkBy(from, to, regularity float64) float64 {
	return min(max((regularity-from)/(to-from), 0), 1)
}

// SilenceBy is the term for a silence: added is by how much it raises the odds that it lasts a horizon more.
func SilenceBy(weight, clockwork, added, outgrown float64) float64 {
	return float64(weight * (float64((1-clockwork)*added) + float64(clockwork*outgrown)))
}

// LevelBy is the term for an amount of activity, as of idle days ago, by its coefficients and by how much of the
// customer's own gaps the silence outgrows.
func LevelBy(weight, floor, level, idle, fade, outgrownFade, outgrown float64) float64 {
	left := float64(level * exact.Exp(-idle/fade-float64(outgrownFade*outgrown)))
	return float64(-weight * exact.Log(left+floor))
}

// TenureBy is the term for days from the first activity to the last, by its coefficients.
func TenureBy(weight, offset, tenure, horizon float64) float64 {
	return float64(-weight * exact.Log(tenure/horizon+offset))
}

// FrictionBy is the term for a weight of negative events, as of idle days ago, by its coefficients.
func FrictionBy(weight, friction, idle, fade float64) float64 {
	if friction == 0 {
		return 0
	}
	return float64(weight * exact.Log(1+float64(friction*exact.Exp(-idle/fade))))
}
