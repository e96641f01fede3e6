package backtest

import (
	"cmp"
	"math"
	"slices"
)

// Rules that alert, in the order of the tables.
const (
	ruleEbb    = iota // an episode is raised
	ruleRFM           // once a week, as many as ebb has raised in it, those with the highest RFM rank sum
	ruleSilent        // silent for 30 days
	numRules
)

// listEvery is the time between two lists of the RFM rule.
const listEvery = 7 * millisPerDay

// alerts measures the rules silence by silence. A silence begins with an activity and ends with the next. A rule alerts
// at most once in a silence. All times are in ms since the epoch.
type alerts struct {
	horizon     int64
	from, until int64 // only silences that begin after from and not after until are measured

	silences int64 // that lasted longer than a horizon
	rules    [numRules]tally

	lately   int64 // raised since the last list
	nextList int64
}

// tally is how one rule did.
type tally struct {
	raised int64
	right  int64   // of those, followed by a horizon without activity
	caught int64   // silences longer than a horizon in which it alerted within a horizon
	leads  []int64 // of those, by hours before the silence had lasted a horizon
}

const millisPerHour = 3_600_000

func newAlerts(horizon, until int64) *alerts {
	a := &alerts{horizon: horizon, until: until}
	for i := range a.rules {
		a.rules[i].leads = make([]int64, horizon/millisPerHour+1)
	}
	return a
}

// begin sets when the log begins. Nothing is measured for a horizon, since every customer is new during it.
func (a *alerts) begin(first int64) {
	a.from = first + a.horizon
	a.nextList = a.from + listEvery
}

func (a *alerts) measures(at int64) bool { return at > a.from && at <= a.until }

// raised notes that ebb has alerted.
func (a *alerts) raised(c *customer, at int64) {
	c.alerted[ruleEbb] = at
	if a.measures(at) {
		a.lately++
	}
}

// silence measures a customer's silence from its beginning to its end. A silence without an end in the log never ends.
// silence clears what the rules did in it.
func (a *alerts) silence(c *customer, begin, end int64) {
	if end-begin > silentAfter {
		c.alerted[ruleSilent] = begin + silentAfter
	}
	gone := a.measures(begin) && end-begin > a.horizon
	if gone {
		a.silences++
	}
	for i, at := range c.alerted {
		if at == 0 {
			continue
		}
		t := &a.rules[i]
		if a.measures(at) {
			t.raised++
			if end-at > a.horizon {
				t.right++
			}
		}
		if lead := begin + a.horizon - at; gone && lead >= 0 {
			t.caught++
			t.leads[lead/millisPerHour]++
		}
	}
	c.alerted = [numRules]int64{}
}

// list raises the RFM rule's alerts: as many as ebb has raised since the last list, for active customers without an
// alert of the rule in their silence. It passes over customers who have been silent for a horizon, since an alert would
// come too late.
func (e *Engine) list(at int64) {
	a := e.alerts
	a.nextList += listEvery
	if at > a.until {
		a.nextList = math.MaxInt64
		return
	}
	active := &snapshot{at: at}
	e.each(func(c *customer) {
		e.wake(c, at)
		if c.profile.Last > at-e.active {
			active.rows = append(active.rows, row{customer: c, last: c.profile.Last, days: c.activeDays, value: c.value})
		}
	})
	scores := active.rfm()
	order := make([]int32, 0, len(scores))
	for i := range active.rows {
		if r := &active.rows[i]; r.customer.alerted[ruleRFM] == 0 && at-r.last <= e.horizon {
			order = append(order, int32(i))
		}
	}
	slices.SortFunc(order, func(i, j int32) int { return cmp.Or(cmp.Compare(scores[j], scores[i]), cmp.Compare(i, j)) })
	for _, i := range order[:min(int64(len(order)), a.lately)] {
		active.rows[i].customer.alerted[ruleRFM] = at
	}
	a.lately = 0
}
