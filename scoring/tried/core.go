package main

import "math"

// parameters are the constants of the core, and of what was tried beside it. A weight of 0 leaves the latter out.
type parameters struct {
	forget, priorWeight, priorGaps float64 // priorGaps: times what the prior gap law is worth in gaps
	spells, levelFade              float64 // per horizon; in horizons
	frictionFade, frictionWeight   float64
	rhythm, silence                float64 // weights
	level, levelFloor              float64
	tenure, tenureOffset           float64

	ownMost     float64 // regularity is at most this; 0: the core's bound
	mixture     float64 // share of gaps that follow the population's law, not the customer's
	trend       float64 // weight of how much longer the latest gaps are
	shortLevel  float64 // weight of a second level that fades in a horizon, taken from the first
	interaction float64 // weight of recency times frequency
	frequency   float64 // weight of visits per horizon since the first
	money       float64 // exponent of a visit's value, relative to the usual, in the level
	weekly      bool    // silence and gaps in days of usual activity, by day of the week
	regular     float64 // weight of ln regularity
	lastGap     float64 // weight of how short the last gap was
}

// constants are the core's.
func constants() parameters {
	return parameters{
		forget: 0.9, priorWeight: 4, priorGaps: 1, spells: 12, levelFade: 4, frictionFade: 1, frictionWeight: 0.5,
		rhythm: 0.5, silence: 0.5, level: 1, levelFloor: 0.2, tenure: 0.1, tenureOffset: 0.2,
	}
}

// person is a customer's state.
type person struct {
	first, last, counted, at float64 // days since the epoch
	visits                   int
	w, mu, m2                float64
	level, short, friction   float64
	fast, latest             float64 // ln of the gap: of the latest few, of the last
	m, k                     float64
}

// engine is a variant on its way through a log.
type engine struct {
	parameters
	h         float64
	customers []person

	n, nAt, mean, total         float64 // population, first gaps
	nWithin, withinAt, variance float64
	money, moneyN               float64    // mean ln value
	days                        [7]float64 // activity by day of the week, fading
	daysAt                      float64
}

func newEngine(c parameters, horizon float64, customers int) *engine {
	e := &engine{parameters: c, h: horizon, customers: make([]person, customers)}
	for i := range e.days {
		e.days[i] = 10 // until there is more, every day is like another
	}
	return e
}

const (
	visitGap   = 0.5
	minSilence = 0.02
)

func (e *engine) fold(ev *event) {
	p := &e.customers[ev.customer]
	if p.at == 0 {
		p.at = ev.at
	}
	if dt := ev.at - p.at; dt > 0 {
		p.level *= math.Exp(-dt / (e.levelFade * e.h))
		p.short *= math.Exp(-dt / e.h)
		p.friction *= math.Exp(-dt / (e.frictionFade * e.h))
		p.at = ev.at
	}
	if !ev.activity {
		p.friction++
		return
	}
	e.rememberDay(ev.at)
	switch {
	case p.visits == 0:
		p.first, p.counted, p.visits = ev.at, ev.at, 1
		p.level, p.short = e.worth(ev.value), 1
	case ev.at-p.last >= visitGap:
		e.visit(p, ev)
	}
	p.last = max(p.last, ev.at)
	mean, within, between := e.moments()
	k0 := e.priorGaps * within / between
	p.m = (k0*mean + p.w*p.mu) / (k0 + p.w)
	variance := (e.priorWeight*within + p.m2) / (e.priorWeight + p.w)
	p.k = min(math.Pi/math.Sqrt(3*variance*(1+1/(k0+p.w))), 16)
	if e.ownMost > 0 {
		p.k = min(p.k, e.ownMost)
	}
}

func (e *engine) visit(p *person, ev *event) {
	x := math.Log(max(e.span(p.last, ev.at), minSilence))
	d := x - p.mu
	fade := 4 * e.h
	if p.w > 0 {
		e.nWithin = e.nWithin*math.Exp(-max(0, ev.at-e.withinAt)/fade) + 1
		e.withinAt = max(e.withinAt, ev.at)
		e.variance += (d*d*p.w/(p.w+1) - e.variance) / e.nWithin
		p.fast += 0.4 * (x - p.fast)
	} else {
		p.fast = x
	}
	if p.visits <= 3 {
		e.n = e.n*math.Exp(-max(0, ev.at-e.nAt)/fade) + 1
		e.nAt = max(e.nAt, ev.at)
		first := x - e.mean
		e.mean += first / e.n
		e.total += (first*(x-e.mean) - e.total) / e.n
	}
	p.w = e.forget*p.w + 1
	p.mu += d / p.w
	p.m2 = max(e.forget*p.m2+d*(x-p.mu), 0)
	p.latest = x
	p.visits++
	if ev.at-p.counted >= e.h/e.spells {
		p.level += e.worth(ev.value)
		p.short++
		p.counted = ev.at
	}
}

func (e *engine) moments() (mean, within, between float64) {
	mean, within, between = math.Log(7), 1, 1
	if e.nWithin >= 10 {
		within = max(e.variance, 0.05)
	}
	if e.n >= 10 {
		mean, between = e.mean, max(e.total-within, 0.05)
	}
	return mean, within, between
}

// score is a customer's, in log-odds.
func (e *engine) score(p *person, now float64) float64 {
	idle := now - p.at
	level := p.level * math.Exp(-idle/(e.levelFade*e.h))
	short := p.short * math.Exp(-idle/e.h)
	friction := p.friction * math.Exp(-idle/(e.frictionFade*e.h))
	r, age := max(e.span(p.last, now), minSilence), (now-p.first)/e.h
	just := e.logitSilent(p, minSilence)
	sum := 1.8 + e.rhythm*just + e.silence*(e.logitSilent(p, r)-just) -
		(e.level-e.shortLevel)*math.Log(level+e.levelFloor) - e.shortLevel*math.Log(short+e.levelFloor) -
		e.tenure*math.Log(age+e.tenureOffset) + e.frictionWeight*math.Log1p(friction)
	if p.w > 0 {
		sum += e.trend*(p.fast-p.mu) - e.lastGap*(p.m-p.latest)
	}
	return sum + e.interaction*math.Log(r/e.h+0.1)*math.Log(level+e.levelFloor) -
		e.frequency*math.Log(float64(p.visits)/(age+1)) + e.regular*math.Log(p.k)
}

// logitSilent is the log-odds that a silence of r days lasts a horizon more.
func (e *engine) logitSilent(p *person, r float64) float64 {
	from, to := math.Exp(p.k*(math.Log(r)-p.m)), math.Exp(p.k*(math.Log(r+e.h)-p.m))
	if e.mixture == 0 {
		return math.Log((1 + from) / max(to-from, to*0x1p-52))
	}
	mean, within, between := e.moments()
	k := math.Pi / math.Sqrt(3*(within+between))
	longer := func(own, x float64) float64 {
		return (1-e.mixture)/(1+own) + e.mixture/(1+math.Exp(k*(math.Log(x)-mean)))
	}
	q := longer(to, r+e.h) / longer(from, r)
	return math.Log(q / max(1-q, 0x1p-52))
}

// worth is what a visit adds to the level: 1, or more where more was spent than usual.
func (e *engine) worth(value float64) float64 {
	if e.parameters.money == 0 || value <= 0 {
		return 1
	}
	x := math.Log(value)
	e.moneyN = min(e.moneyN+1, 1000)
	e.money += (x - e.money) / e.moneyN
	return min(max(math.Exp(e.parameters.money*(x-e.money)), 0.25), 4)
}

// rememberDay counts activity by day of the week, fading over four horizons.
func (e *engine) rememberDay(at float64) {
	if !e.weekly {
		return
	}
	if e.daysAt > 0 && at > e.daysAt {
		fade := math.Exp(-(at - e.daysAt) / (4 * e.h))
		for i := range e.days {
			e.days[i] *= fade
		}
	}
	e.daysAt = max(e.daysAt, at)
	e.days[int(at)%7]++
}

// span is the days from one instant to another; of usual activity, where days of the week count by it.
func (e *engine) span(from, to float64) float64 {
	if !e.weekly {
		return to - from
	}
	sum := 0.0
	for _, n := range e.days {
		sum += n
	}
	weeks := math.Floor((to - from) / 7)
	left := to - from - 7*weeks
	usual := 7 * weeks
	for at := from; left > 0; {
		step := min(left, math.Floor(at)+1-at)
		usual += step * 7 * e.days[int(at)%7] / sum
		at += step
		left -= step
	}
	return usual
}
