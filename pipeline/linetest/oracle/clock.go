package oracle

import "slices"

// month is how far apart events that confirm the same time may lie.
const month = 30 * day

// clock is the watermark of one partition. An event more than a day ahead of all accepted ones is a claim, and before
// there are accepted ones every event is. Claims of three customers, among the eight latest, that lie within a month of
// the latest claim move the watermark. A partition that has not begun may also begin without them: after events that
// cover a day, each at most a day ahead of all before it and none a month behind them.
type clock struct {
	lateness  int64
	started   bool
	watermark int64
	claims    map[string]claim
	made      int     // claims so far
	before    []int64 // times of the events of the present run, until the clock has started
}

type claim struct {
	time   int64
	number int   // in order of arrival
	since  int64 // watermark at the claim, or after others' claims made it leap
}

// observe takes an event and reports whether it is older than the watermark, or so far ahead that it does not move it.
func (c *clock) observe(key string, t int64) (late, future bool) {
	if !c.started {
		c.begin(key, t)
		return false, false
	}
	newest := c.watermark + c.lateness
	if t > newest+day {
		agreeing := c.add(key, t)
		if len(agreeing) < 3 {
			return false, true
		}
		earliest := slices.Min(agreeing)
		for k, a := range c.claims {
			a.since = earliest - c.lateness
			c.claims[k] = a
		}
		c.accept(earliest)
		return false, false
	}
	if t > newest {
		c.accept(t)
	}
	return t < newest-c.lateness, false
}

// begin takes an event of a clock that has not started.
func (c *clock) begin(key string, t int64) {
	agreeing := c.add(key, t)
	if len(c.before) > 0 && (t > slices.Max(c.before)+day || t < slices.Max(c.before)-month) {
		c.before = nil
	}
	c.before = append(c.before, t)
	var first int64
	switch {
	case len(agreeing) >= 3:
		first = slices.Min(agreeing)
		for again := true; again; { // later claims that steps of a day lead to
			again = false
			for _, a := range c.claims {
				if a.time > first && a.time <= first+day {
					first, again = a.time, true
				}
			}
		}
	case slices.Max(c.before)-c.before[0] >= day:
		first = slices.Max(c.before)
	default:
		return
	}
	c.started = true
	for k, a := range c.claims {
		a.since = first - c.lateness
		c.claims[k] = a
	}
	c.accept(first)
}

// accept moves the watermark by an event at t. Claims that are no longer ahead are done, and a claim that the events of
// a day have not led to is void.
func (c *clock) accept(t int64) {
	c.watermark = max(c.watermark, t-c.lateness)
	for k, a := range c.claims {
		if a.time-day <= t || c.watermark-a.since > day {
			delete(c.claims, k)
		}
	}
}

// add makes t the customer's claim and returns the times of all that agree with it.
func (c *clock) add(key string, t int64) (agreeing []int64) {
	c.made++
	c.claims[key] = claim{time: t, number: c.made, since: c.watermark}
	if len(c.claims) > 8 {
		oldest := key
		for k, a := range c.claims {
			if a.number < c.claims[oldest].number {
				oldest = k
			}
		}
		delete(c.claims, oldest)
	}
	for _, a := range c.claims {
		if a.time >= t-month && a.time <= t+month {
			agreeing = append(agreeing, a.time)
		}
	}
	return agreeing
}
