package silences

import (
	"math"
	"slices"

	"ebb/cmd/ebb/silence"
)

const (
	visitGap    = silence.Least
	recentGaps  = 50 // of a customer, that its own 95 % quantile is taken from
	typicalGaps = 20 // of those, the latest, that its typical gap is taken from
	highest     = 3  // of the recent gaps: no more are needed for the quantile
)

// Customer is what the measure keeps of a customer: its recent gaps, and the alerts in its present silence. The zero
// value is a customer without either.
type Customer struct {
	gaps  []uint32 // in seconds, from newest-oldest on overwritten in a circle
	next  uint8    // where the next one goes, once there are recentGaps
	noted [NumNoted]int64
	level []uint32 // the minute since the epoch at which the score reached each level; 0: it has not
	known bool     // a silence of it was judged
}

// Alerted reports whether a noted rule has alerted in the present silence.
func (c *Customer) Alerted(rule int) bool { return c.noted[rule] != 0 }

// Note notes an alert of a noted rule. Of several in one silence the first counts.
func (c *Customer) Note(rule int, at int64) {
	if c.noted[rule] == 0 {
		c.noted[rule] = at
	}
}

// Reached is the minute at which a level was reached in the present silence; 0: it was not.
func (c *Customer) Reached(level int) uint32 {
	if c.level == nil {
		return 0
	}
	return c.level[level]
}

// Reach notes that the score reached one of so many levels.
func (c *Customer) Reach(level, levels int, minute int64) {
	if c.level == nil {
		c.level = make([]uint32, levels)
	}
	c.level[level] = uint32(minute)
}

// forget forgets the alerts before an activity. One at its very time belongs to the silence that begins with it.
func (c *Customer) forget(before int64) {
	for i, at := range c.noted {
		if at < before {
			c.noted[i] = 0
		}
	}
	for i, minute := range c.level {
		if int64(minute)*minuteMillis < before {
			c.level[i] = 0
		}
	}
}

// add adds a gap.
func (c *Customer) add(seconds uint32) {
	if len(c.gaps) < recentGaps {
		c.gaps = append(c.gaps, seconds)
		return
	}
	c.gaps[c.next] = seconds
	c.next = (c.next + 1) % recentGaps
}

// typical is the upper median of the latest gaps, in seconds; 0: there are none.
func (c *Customer) typical() uint32 {
	n := min(len(c.gaps), typicalGaps)
	if n == 0 {
		return 0
	}
	var latest [typicalGaps]uint32
	for i := range n {
		latest[i] = c.gaps[(int(c.next)+len(c.gaps)-1-i)%len(c.gaps)]
	}
	slices.Sort(latest[:n])
	return latest[n/2]
}

// longest are the longest of the recent gaps, in descending order.
func (c *Customer) longest() (top [highest]uint32) {
	for _, g := range c.gaps {
		for i := range top {
			if g > top[i] {
				g, top[i] = top[i], g
			}
		}
	}
	return top
}

// quantile is the 95 % quantile, in seconds, of so many gaps of a customer, of which the longest are given, and of the
// population's own.
func quantile(gaps int, longest [highest]uint32, population []uint32) uint32 {
	n := gaps + len(population)
	if n == 0 {
		return math.MaxUint32
	}
	all := append(slices.Clone(population), longest[:min(gaps, highest)]...)
	slices.Sort(all)
	below := n - int(math.Ceil(.95*float64(n))) // gaps longer than the quantile
	return all[len(all)-1-below]
}
