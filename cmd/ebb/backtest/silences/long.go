package silences

import (
	"math"
	"slices"

	"ebb/cmd/ebb/silence"
)

// long is a silence of more than a horizon. Whether it is a lapse by the customer's own gaps is known when the log
// ends, for the population's gaps count with them.
type long struct {
	begin, length int64
	noted         [NumNoted]int64
	longest       [highest]uint32 // of the customer's recent gaps, in seconds
	typical       uint32          // in seconds
	gaps          uint8           // how many recent ones there are
	class         silence.Class
}

// definition says which silences are lapses.
type definition func(*long) bool

// afterTwoHorizons takes silences of more than two horizons.
func (m *Measure) afterTwoHorizons(s *long) bool {
	return s.begin+2*m.horizon <= m.End && s.length > 2*m.horizon
}

// beyondOwn takes silences that last a horizon longer than nearly all gaps that the customer had.
func (m *Measure) beyondOwn() definition {
	population := m.population()
	return func(s *long) bool {
		own := int64(quantile(int(s.gaps), s.longest, population)) * secondMillis
		return s.begin+2*m.horizon <= m.End && s.begin+own+m.horizon <= m.End && s.length > own+m.horizon
	}
}

// population are five gaps that stand for those of all customers: deciles of their first ones.
func (m *Measure) population() []uint32 {
	if len(m.firsts) == 0 {
		return nil
	}
	slices.Sort(m.firsts)
	var gaps []uint32
	for _, q := range []float64{.1, .3, .5, .7, .9} {
		gaps = append(gaps, m.firsts[int(float64(len(m.firsts))*q)])
	}
	return gaps
}

// delays are how long after the beginning of each lapse a rule alerted, in days and in the customer's typical gaps;
// +Inf: not within two horizons.
type delays struct{ days, gaps []float64 }

// caught is how soon a rule alerts in the lapses of a class, or of all, by a definition.
func (m *Measure) caught(is definition, rule int, class func(silence.Class) bool) Caught {
	var d delays
	var soon [numSoon]int64
	for i := range m.long {
		s := &m.long[i]
		if !class(s.class) || !is(s) {
			continue
		}
		delay := m.delay(s, rule)
		days := math.Inf(1)
		first := m.soonest(delay)
		if first < numSoon {
			days = float64(delay) / dayMillis
		}
		for k := first; k < numSoon; k++ {
			soon[k]++
		}
		d.days = append(d.days, days)
		if s.typical > 0 {
			d.gaps = append(d.gaps, days*dayMillis/(float64(s.typical)*secondMillis))
		}
	}
	c := caughtOf(soon, int64(len(d.days)))
	c.MedianDays = Figure(silence.Median(d.days))
	if len(d.gaps) == len(d.days) { // one-timers have none
		c.MedianGaps = Figure(silence.Median(d.gaps))
	}
	return c
}

// delay is how long after the beginning of a silence a rule alerts; too long for any time where it does not.
func (m *Measure) delay(s *long, rule int) int64 {
	at := s.begin
	if rule < NumNoted {
		at = s.noted[rule]
	} else {
		at += m.Waits[rule-NumNoted]
	}
	if at == 0 || at >= s.begin+s.length {
		return math.MaxInt64 / 4
	}
	return at - s.begin
}
