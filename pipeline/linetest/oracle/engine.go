package oracle

import "math"

const (
	visitGap       = 0.5 // days
	forget         = 0.9
	priorDOF       = 4.0
	base           = 1.75
	rhythmWeight   = 0.65
	silenceWeight  = 0.5
	frictionWeight = 0.5
	levelFloor     = 0.2
	levelFade      = 0.2
	levelSpell     = 1.0 / 12
	tenureWeight   = 0.1
	minSilence     = 0.02 // days
	maxRegularity  = 2.5
	clockworkFrom  = 2.0
	clockworkTo    = 3.0
	regularVisits  = 5
	regularGap     = 1.0 / 5 // of the horizon
)

// customer holds times in days since the epoch.
type customer struct {
	first, last, counted, at float64
	visits                   int
	w, mu, m2                float64
	level, friction          float64
	m, k                     float64
}

// population is what the customers of one partition share.
type population struct {
	tau, n, nAt, mean, total  float64
	nWithin, withinAt, within float64
}

func fade(n, t, at, tau float64) float64 { return n*math.Exp(-math.Max(0, t-at)/tau) + 1 }

func (p *population) firstGaps(x, t float64) {
	p.n = fade(p.n, t, p.nAt, p.tau)
	p.nAt = math.Max(p.nAt, t)
	d := x - p.mean
	p.mean += d / p.n
	p.total += (d*(x-p.mean) - p.total) / p.n
}

func (p *population) surprise(d, w, t float64) {
	p.nWithin = fade(p.nWithin, t, p.withinAt, p.tau)
	p.withinAt = math.Max(p.withinAt, t)
	p.within += (d*d*w/(w+1) - p.within) / p.nWithin
}

func (p *population) moments() (mean, within, between float64) {
	mean, within, between = math.Log(7), 1, 1
	if p.nWithin >= 10 {
		within = math.Max(p.within, 0.05)
	}
	if p.n >= 10 {
		mean, between = p.mean, math.Max(p.total-within, 0.05)
	}
	return mean, within, between
}

func (c *customer) decay(t, horizon float64) {
	dt := t - c.at
	if dt <= 0 {
		return
	}
	c.level *= math.Exp(-dt / (4 * horizon))
	c.friction *= math.Exp(-dt / horizon)
	c.at = t
}

// visit folds activity at t; decay has been called.
func (c *customer) visit(t, horizon float64, pop *population) {
	switch {
	case c.visits == 0:
		c.first, c.last, c.counted = t, t, t
		c.visits, c.level = 1, 1
	case apart(c.last, t, visitGap):
		c.gap(math.Log(t-c.last), t, pop)
		c.visits++
		if apart(c.counted, t, levelSpell*horizon) {
			c.level++
			c.counted = t
		}
	}
	c.last = math.Max(c.last, t)
	m0, within, between := pop.moments()
	k0 := within / between
	c.m = (k0*m0 + c.w*c.mu) / (k0 + c.w)
	spread := (priorDOF*within + c.m2) / (priorDOF + c.w)
	c.k = math.Pi / math.Sqrt(3*spread*(1+1/(k0+c.w)))
}

// apart reports whether t is at least so many days after from, to the millisecond: as days, times are rounded, and two
// visits exactly a spell apart would count by chance.
func apart(from, t, days float64) bool {
	return math.Round((t-from)*float64(day)) >= math.Ceil(days*float64(day)-1e-3)
}

// gap folds x, the logarithm of the days since the last visit.
func (c *customer) gap(x, t float64, pop *population) {
	d := x - c.mu
	if c.w > 0 {
		pop.surprise(d, c.w, t)
	}
	if c.visits <= 3 {
		pop.firstGaps(x, t)
	}
	w := forget*c.w + 1
	c.mu += d / w
	c.m2 = forget*c.m2 + d*(x-c.mu)
	c.w = w
}

// score is the log-odds that the customer stays silent, at the present instant.
func (c *customer) score(now, horizon float64) float64 {
	silence := math.Max(now-c.last, minSilence)
	idle := math.Max(0, now-c.at)
	k := math.Min(c.k, maxRegularity)
	rhythm := logitSilent(k, c.m, minSilence, horizon)
	outgrown := softplus(c.k * (math.Log(silence) - c.m))
	clockwork := math.Min(math.Max((c.k-clockworkFrom)/(clockworkTo-clockworkFrom), 0), 1)
	return base + rhythmWeight*rhythm +
		silenceWeight*((1-clockwork)*(logitSilent(k, c.m, silence, horizon)-rhythm)+clockwork*outgrown) -
		math.Log(c.level*math.Exp(-idle/(4*horizon)-levelFade*outgrown)+levelFloor) -
		tenureWeight*math.Log((c.last-c.first)/horizon+0.2) +
		frictionWeight*math.Log1p(c.friction*math.Exp(-idle/horizon))
}

// regular reports whether the customer comes often: a lapse is raised at watch then, and not at at_risk.
func (c *customer) regular(horizon float64) bool {
	return c.visits >= regularVisits && math.Exp(c.m) <= regularGap*horizon
}

// logitSilent is the log-odds that a silence of r days lasts h more, gaps being log-logistic with median e^m and shape
// k.
func logitSilent(k, m, r, h float64) float64 {
	z0, z1 := k*(math.Log(r)-m), k*(math.Log(r+h)-m)
	return softplus(z0) - (z1 + math.Log1p(-math.Exp(math.Min(z0-z1, -1e-12))))
}

func softplus(z float64) float64 {
	if z > 35 {
		return z
	}
	return math.Log1p(math.Exp(z))
}
