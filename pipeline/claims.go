package pipeline

import (
	"cmp"
	"math"
	"slices"
)

// What it takes for the watermark to leap, or to start: so many customers, whose events lie no farther apart than this.
const (
	vouchers    = 3
	agreeMillis = 30 * futureMillis
	maxClaims   = 8 // customers kept; five of them may have a bad clock and hide nothing
)

// FutureEvent is an event that nothing confirms yet: its customer's claim of a time ahead of the watermark.
type FutureEvent struct {
	Customer uint64 // hash of the customer's key
	Time     int64  // ms since the epoch
	Seen     int64  // the watermark when it was noted, or when others have leapt since
}

// Start is the state of a clock before it starts. Times are in ms since the epoch.
type Start struct {
	Earliest int64 // time of the oldest event; 0: there was none. No deadline lies before it
	// From and To bound the latest run of events: each at most a day ahead of those before it, and none 30 days behind.
	From int64
	To   int64
}

// note takes in an event at t.
func (s *Start) note(t int64) {
	if s.Earliest == 0 || t < s.Earliest {
		s.Earliest = t
	}
}

// run takes an event at t into the run, or begins a new one, and reports whether the run spans a day.
func (s *Start) run(t int64) bool {
	if s.To == 0 || t > s.To+futureMillis || t < s.To-agreeMillis {
		s.From, s.To = t, t
	}
	s.To = max(s.To, t)
	return s.To-s.From >= futureMillis
}

// before is the last position before all deadlines that may have been armed, and not beyond watermark.
func (s *Start) before(watermark int64) Due {
	return Due{Minute: FloorDiv(min(s.Earliest, watermark), MinuteMillis), Hash: math.MaxUint64}
}

// tryStart starts the clock if the event at t completes what that takes: three customers who agree, or, where there are
// fewer customers, a day of events without a gap or a contradiction.
func (c *Clock) tryStart(customer uint64, t, lateness int64) {
	spans := c.Start.run(t)
	oldest, agreed := c.claim(customer, t)
	switch {
	case agreed:
		c.start(c.follow(oldest), lateness)
	case spans:
		c.start(c.Start.To, lateness)
	}
}

// start starts the clock at an accepted event at t. Deadlines that were armed before are swept from the first one on.
func (c *Clock) start(t, lateness int64) {
	w := t - lateness
	c.Started, c.Fired, c.Start = true, c.Start.before(w), Start{}
	for i := range c.Future {
		c.Future[i].Seen = w
	}
	c.advance(t, lateness)
}

// follow is how far the claims lead from t in steps of at most a day.
func (c *Clock) follow(t int64) int64 {
	ordered := slices.SortedFunc(
		slices.Values(c.Future),
		func(a, b FutureEvent) int { return cmp.Compare(a.Time, b.Time) },
	)
	for _, f := range ordered {
		if f.Time <= t+futureMillis {
			t = max(t, f.Time)
		}
	}
	return t
}

// leap notes an event far ahead of the watermark and reports whether the watermark moved. It moves to the oldest of the
// claims that agree with it, which one or two bad clocks cannot choose.
func (c *Clock) leap(customer uint64, t, lateness int64) bool {
	oldest, agreed := c.claim(customer, t)
	if !agreed {
		return false
	}
	for i := range c.Future {
		c.Future[i].Seen = oldest - lateness
	}
	c.advance(oldest, lateness)
	return true
}

// claim notes a customer's event at t in place of its last one, and reports whether enough customers' claims agree with
// it, and the oldest of those. Where there are too many claims, the one noted first is dropped.
func (c *Clock) claim(customer uint64, t int64) (oldest int64, agreed bool) {
	c.Future = slices.DeleteFunc(c.Future, func(f FutureEvent) bool { return f.Customer == customer })
	if len(c.Future) == maxClaims {
		c.Future = slices.Delete(c.Future, 0, 1)
	}
	c.Future = append(c.Future, FutureEvent{Customer: customer, Time: t, Seen: c.Watermark})
	oldest, n := t, 0
	for _, f := range c.Future {
		if max(f.Time-t, t-f.Time) <= agreeMillis {
			oldest, n = min(oldest, f.Time), n+1
		}
	}
	return oldest, n >= vouchers
}
