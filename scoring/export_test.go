package scoring

// What tests in package scoring_test look at from the inside.

func Exp(x float64) float64 { return exp(x) }

func Log(x float64) float64 { return log(x) }

func AppendString(dst, s []byte) []byte { return appendString(dst, s) }

// LogitSilent is the log-odds that a silence of r days lasts a horizon more.
func (k *Pack) LogitSilent(m, regularity, r float64) float64 { return k.logitSilent(m, regularity, r) }

// OverdueMinute is the first minute at which p is overdue.
func (k *Pack) OverdueMinute(p *Profile) int64 { return k.overdueMinute(p) }

// Bound is what bounds the score from minute a to minute b.
func (k *Pack) Bound(p *Profile, a, b int64) float64 {
	from, to := k.point(p, a), k.point(p, b)
	return from.bound(&to)
}

// BoundFrom is Bound as an event has it worked out, for an a at which p is overdue.
func (k *Pack) BoundFrom(p *Profile, a, b int64) float64 {
	from, to := k.begin(p, a), k.point(p, b)
	return from.bound(&to)
}

// Valid reports whether a decoder would accept p.
func (p *Profile) Valid() bool { return p.valid() }

// Add notes a probe of this score that resolved at a time; horizon in ms.
func (c *Calibration) Add(score float64, silent bool, at, horizon int64) {
	c.add(scoreCell(score), silent, at, days(horizon))
}
