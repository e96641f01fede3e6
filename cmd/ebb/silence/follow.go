package silence

import "slices"

// recentGaps are those that a typical gap is made of.
const recentGaps = 20

// Customer follows one customer's activity. Its zero value has none.
type Customer struct {
	open  Silence
	came  bool
	gaps  []int64 // the latest ones
	order []int64 // the same, sorted
}

// Active takes an activity, not before the one before. It returns the silence that it ends, if it ends one.
func (c *Customer) Active(at int64) (ended Silence, ok bool) {
	switch {
	case !c.came:
		c.came = true
		c.open.Visits = 1
	case at-c.open.Start >= Least:
		ended, ok = c.open, true
		ended.Next = at
		c.open.Visits++
		c.gap(at - c.open.Start)
	}
	c.open.Start = at
	return ended, ok
}

// gap adds a gap between visits.
func (c *Customer) gap(length int64) {
	if len(c.gaps) == recentGaps {
		i, _ := slices.BinarySearch(c.order, c.gaps[0])
		c.gaps, c.order = slices.Delete(c.gaps, 0, 1), slices.Delete(c.order, i, i+1)
	}
	c.gaps = append(c.gaps, length)
	i, _ := slices.BinarySearch(c.order, length)
	c.order = slices.Insert(c.order, i, length)
	c.open.Typical = c.order[len(c.order)/2]
}

// Open is the silence that lasts since the latest activity; false before the first.
func (c *Customer) Open() (Silence, bool) {
	s := c.open
	s.Next = Never
	return s, c.came
}
