package demo

import (
	"math"
	"time"

	"ebb/cmd/ebb/shop"
	"ebb/cmd/ebb/silence"
)

// Truth compares the alerts with the simulation's truth. Package silence defines what is right and what is caught.
type Truth struct {
	Left      int64   `json:"left"`      // customers who left for good
	Early     int64   `json:"early"`     // of them, silent since before alerts count, in the log's first horizon
	Recent    int64   `json:"recent"`    // of them, silent for less than a horizon at the end: too soon to tell
	Undecided int64   `json:"undecided"` // raised alerts in the first or the last horizon
	Visitors  int64   `json:"visitors"`  // raised alerts about somebody who had not bought
	Groups    []Group `json:"groups"`    // of customers; all of them first

	settling time.Duration // the beginning of the log, in which no alert is judged
}

// Group is what the alerts about a group of customers were worth.
type Group struct {
	By   string `json:"by"` // all, value, class or cause
	Name string `json:"name"`

	Leavers    int64    `json:"leavers"`
	ByHalf     int64    `json:"by_half"`     // caught within half a horizon of the last activity
	ByHorizon  int64    `json:"by_horizon"`  // and within one
	MedianDays *float64 `json:"median_days"` // until half of the leavers are caught; null: fewer are within a horizon
	MedianGaps *float64 `json:"median_own_gaps"`

	Alerts int64 `json:"alerts"` // raised, with a known outcome; those by cause have none
	Right  int64 `json:"right"`  // not back within a horizon
}

// What groups are made by.
const (
	byAll   = "all"
	byValue = "value"
	byClass = "class"
	byCause = "cause"
)

const (
	high = iota
	mid
	low
	worths
)

var worthNames = [...]string{"high", "mid", "low"}

// spent is what the customer paid in the time up to a moment that counts for its worth. What was before is forgotten.
func (c *judged) spent(until int64, w shop.Worth) (sum int64) {
	from := until - int64(w.Days)*24*time.Hour.Milliseconds()
	for len(c.orders) > 0 && c.orders[0].at <= from {
		c.orders = c.orders[1:]
	}
	for _, o := range c.orders {
		if o.at <= until {
			sum += o.paid
		}
	}
	return sum
}

// worth is the customer's value tier at a moment, not before that of the last call.
func (c *judged) worth(at int64, w shop.Worth) int {
	switch sum := c.spent(at, w); {
	case sum >= w.High:
		return high
	case sum >= w.Mid:
		return mid
	default:
		return low
	}
}

// groups are the tallies of all customers, and of each value tier, class and cause.
type groups struct {
	all    silence.Tally
	worth  [worths]silence.Tally
	class  [silence.Classes]silence.Tally
	causes [shop.Causes]silence.Tally
}

// of are the tallies of a customer's silence.
func (g *groups) of(class silence.Class, worth int) []*silence.Tally {
	return []*silence.Tally{&g.all, &g.worth[worth], &g.class[class]}
}

func (g *groups) cause(c shop.Cause) *silence.Tally { return &g.causes[c] }

// report are the groups in the order in which they are shown.
func (g *groups) report() []Group {
	all := []Group{groupOf(byAll, "all", &g.all)}
	for i := range g.worth {
		all = append(all, groupOf(byValue, worthNames[i], &g.worth[i]))
	}
	for c := int(silence.Classes) - 1; c >= 0; c-- {
		all = append(all, groupOf(byClass, silence.Class(c).String(), &g.class[c]))
	}
	for c := shop.Once; c < shop.Causes; c++ {
		if g.causes[c].Gone > 0 { // no business has them all
			all = append(all, groupOf(byCause, c.String(), &g.causes[c]))
		}
	}
	return all
}

func groupOf(by, name string, t *silence.Tally) Group {
	days, gaps := t.Delay()
	return Group{
		By: by, Name: name, Leavers: t.Gone, ByHalf: t.ByHalf, ByHorizon: t.ByHorizon,
		MedianDays: known(days), MedianGaps: known(gaps), Alerts: t.Alerts, Right: t.Right,
	}
}

// known is nil for a figure that is none.
func known(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
