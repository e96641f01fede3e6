package silences

import (
	"math"

	"ebb/cmd/ebb/silence"
)

const (
	secondMillis = 1000
	minuteMillis = 60_000
	dayMillis    = 86_400_000
	monthDays    = 30.44
	firstGaps    = 3 // of a customer, that describe the population
)

// Rules whose alerts are noted as they come.
const (
	Raised   = iota // the one that is judged
	Listed          // the one that lists as many a week
	NumNoted        // before the rules that wait for a fixed time
)

// Config is what a measure is made of.
type Config struct {
	Horizon int64
	End     int64   // of the log: nothing after it is known
	Waits   []int64 // of the rules that alert after a fixed time of silence
	Levels  int     // of the score, whose first time in each silence is noted
}

// Measure follows the silences of a log. Its methods are called in order of time for each customer.
type Measure struct {
	Config
	horizon int64
	window  silence.Window // alerts in it are judged, for then what follows is known

	silences int64
	known    int64 // ms that customers were known in the window, together
	rules    []tally
	levels   []tally
	lapses   [silence.Classes]int64 // silences of more than two horizons of which so much is known

	firsts []uint32 // gaps of the customers, in seconds
	long   []long
}

// tally counts what one rule did.
type tally [silence.Classes]struct {
	alerts, right int64
	caught        [numSoon]int64
	days          []int64 // lapses by the days until the alert, rounded
}

// Times by which a lapse is caught, as parts of a horizon.
const (
	third = iota
	half
	whole
	twice
	numSoon
)

// soonest is the first of those times that a delay is within; numSoon: none.
func (m *Measure) soonest(delay int64) int {
	switch {
	case delay*3 <= m.horizon:
		return third
	case delay*2 <= m.horizon:
		return half
	case delay <= m.horizon:
		return whole
	case delay <= 2*m.horizon:
		return twice
	}
	return numSoon
}

// longestDelay is more than the days, rounded, until an alert within two horizons.
func (m *Measure) longestDelay() int64 { return 2*m.horizon/dayMillis + 2 }

// New returns the measure of a log that begins at a time.
func New(cfg Config, begin int64) *Measure {
	return &Measure{
		Config: cfg, horizon: cfg.Horizon,
		window: silence.WindowOf(begin, cfg.End, cfg.Horizon),
		rules:  make([]tally, NumNoted+len(cfg.Waits)), levels: make([]tally, cfg.Levels),
	}
}

// Judged reports whether an alert at a time is judged.
func (m *Measure) Judged(at int64) bool { return m.window.Has(at) }

// Window is between when alerts are judged.
func (m *Measure) Window() (from, until int64) { return m.window.From, m.window.Until }

// Open is the end of a silence that the log does not end.
const Open = math.MaxInt64

// Silence judges what happened from one activity of a customer, after so many visits, to the next.
func (m *Measure) Silence(c *Customer, visits uint32, begin, end int64) {
	if end-begin >= visitGap && begin <= m.End {
		m.silences++
		if !c.known {
			c.known = true
			m.known += max(0, m.window.Until-max(m.window.From, begin))
		}
		m.judge(c, visits, begin, end)
	}
	m.Pass(c, visits, begin, end)
}

// Pass takes a silence of somebody who is no customer yet: it is not judged, and its gap counts as any other.
func (m *Measure) Pass(c *Customer, visits uint32, begin, end int64) {
	if end-begin >= visitGap && end <= m.End {
		gap := uint32(min((end-begin)/secondMillis, math.MaxUint32))
		if visits <= firstGaps {
			m.firsts = append(m.firsts, gap)
		}
		c.add(gap)
	}
	c.forget(end)
}

// judge counts the alerts of a silence, and what they were worth.
func (m *Measure) judge(c *Customer, visits uint32, begin, end int64) {
	if !m.matters(c, end-begin) {
		return
	}
	typical := c.typical()
	class := silence.ClassOf(int(visits), int64(typical)*secondMillis, m.horizon)
	lapsed := begin >= m.window.From && begin+2*m.horizon <= m.End && end-begin > 2*m.horizon
	if lapsed {
		m.lapses[class]++
	}
	for i, at := range c.noted {
		m.count(&m.rules[i], class, begin, end, at, lapsed)
	}
	for i, wait := range m.Waits {
		m.count(&m.rules[NumNoted+i], class, begin, end, begin+wait, lapsed)
	}
	for i, minute := range c.level {
		m.count(&m.levels[i], class, begin, end, int64(minute)*minuteMillis, lapsed)
	}
	if end-begin > m.horizon && begin >= m.window.From {
		m.long = append(m.long, long{
			begin: begin, length: end - begin, noted: c.noted,
			typical: typical, longest: c.longest(), gaps: uint8(len(c.gaps)), class: class,
		})
	}
}

// matters reports whether anything is to be counted in a silence: in most there is nothing.
func (m *Measure) matters(c *Customer, length int64) bool {
	if length > m.horizon || c.level != nil || c.noted != [NumNoted]int64{} {
		return true
	}
	for _, wait := range m.Waits {
		if length > wait {
			return true
		}
	}
	return false
}

// count counts an alert of a rule at a time, 0 for none, in a silence.
func (m *Measure) count(t *tally, class silence.Class, begin, end, at int64, lapsed bool) {
	if at == 0 || at >= end {
		return
	}
	n := &t[class]
	if m.Judged(at) {
		n.alerts++
		if end-at > m.horizon {
			n.right++
		}
	}
	if !lapsed {
		return
	}
	delay := at - begin
	soon := m.soonest(delay)
	for i := soon; i < numSoon; i++ {
		n.caught[i]++
	}
	if soon < numSoon {
		if n.days == nil {
			n.days = make([]int64, m.longestDelay())
		}
		n.days[(delay+dayMillis/2)/dayMillis]++
	}
}
