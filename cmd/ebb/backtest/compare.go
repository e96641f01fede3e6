package backtest

import (
	"time"

	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/feature"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// Comparison folds a log by two packs at once, A and B, and notes where their decisions differ. One goroutine uses it.
type Comparison struct {
	sides    [2]side
	dates    []time.Time // of migrations, ascending; the last is the log's end, once it is read
	examples int

	timeline
	counts    Compared
	customers map[string]*compared
	all       []*compared // in order of their first event
	found     tallies
}

// Sides of a comparison.
const (
	sideA = iota
	sideB
)

// side is one of the two packs, with the state of all customers by it.
type side struct {
	scorer     *scoring.Scorer
	renderer   *alert.Renderer
	population profile.Population
}

func newSide(k *pack.Pack) side {
	return side{scorer: scoring.NewScorer(k), renderer: alert.NewRenderer(k)}
}

// compared is what is kept of a customer.
type compared struct {
	key     string
	states  [2]profile.Customer
	pending []pendingAlert // that the other pack has not sent yet, but still may
}

// Compared counts the events of a log by what became of them.
type Compared struct {
	Events     int64    `json:"events"`
	Customers  int64    `json:"customers"`  // with an event that either pack names
	Active     [2]int64 `json:"active"`     // of those, with activity by either pack
	Unnamed    [2]int64 `json:"unnamed"`    // events of types that either pack does not name
	Duplicates int64    `json:"duplicates"` // events whose id was among the customer's last 16, by A
	Late       int64    `json:"late"`       // events more than a day older than the newest before them
}

// NewComparison compares a with b at dates, ascending, and at the log's end. It keeps up to the given number of
// examples of each sort of difference.
func NewComparison(a, b *pack.Pack, dates []time.Time, examples int) *Comparison {
	return &Comparison{
		sides: [2]side{newSide(a), newSide(b)}, dates: dates, examples: examples,
		customers: map[string]*compared{}, found: newTallies(examples),
	}
}

// Observe takes the next event. Its properties are those that A reads; b are those that B reads.
func (c *Comparison) Observe(ev *Event, b []feature.Property) {
	if c.reach(ev.Time) {
		c.advance(ev.Time - 1)
	}
	properties := [2][]feature.Property{ev.Properties, b}
	var signals [2]pack.Signal
	for i := range c.sides {
		if signals[i] = c.sides[i].scorer.Pack.Signal(ev.Type, properties[i]...); !signals[i].Known && signals[i].Named == 0 {
			c.counts.Unnamed[i]++
		}
	}
	if !signals[sideA].Effective() && !signals[sideB].Effective() {
		return
	}
	u := c.customer(ev.Key)
	for i := range c.sides {
		if c.wake(u, i, ev.Time); signals[i].Effective() {
			c.fold(
				u,
				i,
				ev,
				&scoring.Observation{
					Time:       ev.Time,
					Signal:     signals[i],
					Value:      ev.Minor,
					HasValue:   ev.HasValue,
					Properties: properties[i],
				},
			)
		}
	}
	c.settle(u)
}

// fold applies an event to one side.
func (c *Comparison) fold(u *compared, i int, ev *Event, o *scoring.Observation) {
	state := &u.states[i]
	if ev.ID != 0 {
		if state.Seen(ev.ID) {
			if i == sideA {
				c.counts.Duplicates++
			}
			return
		}
		state.Remember(ev.ID)
	}
	if o.Signal.Activity && state.Visits == 0 {
		c.counts.Active[i]++
	}
	c.note(u, i, c.sides[i].scorer.Observe(state, &c.sides[i].population, o))
}

// wake fires what is due for a customer on one side as of a time.
func (c *Comparison) wake(u *compared, i int, at int64) {
	state := &u.states[i]
	for minute := at / 60_000; state.Armed != 0 && state.Armed <= minute; {
		c.note(u, i, c.sides[i].scorer.Wake(state))
	}
}

// customer is the one of this key. It makes one if there is none.
func (c *Comparison) customer(key []byte) *compared {
	u := c.customers[string(key)]
	if u == nil {
		u = &compared{key: string(key)}
		for i := range u.states {
			u.states[i].Profile = &profile.Profile{}
		}
		c.customers[u.key] = u
		c.all = append(c.all, u)
		c.counts.Customers++
	}
	return u
}

// advance compares at the dates up to until. All events up to until have been folded.
func (c *Comparison) advance(until int64) {
	for len(c.found.migrations) < len(c.dates) {
		at := c.dates[len(c.found.migrations)].UnixMilli()
		if at > until {
			return
		}
		c.migrate(at)
	}
}

// migrate counts the customers by the tier and the stage that each side has them in.
func (c *Comparison) migrate(at int64) {
	m := Migration{At: instant(at)}
	for _, u := range c.all {
		var tiers [2]profile.Tier
		var stages [2]profile.Stage
		for i := range c.sides {
			c.wake(u, i, at)
			tiers[i], stages[i] = c.sides[i].scorer.TierAt(&u.states[i], at)
		}
		c.settle(u)
		m.Tiers[tiers[sideA]][tiers[sideB]]++
		m.Stages[stages[sideA]][stages[sideB]]++
	}
	c.found.migrations = append(c.found.migrations, m)
}

// Finish ends the log and returns what differs. Dates after the log's end are left out.
func (c *Comparison) Finish() *Difference {
	c.counts.Events, c.counts.Late = c.events, c.late
	d := &Difference{Compared: c.counts}
	if c.events > 0 {
		c.advance(c.newest)
		c.migrate(c.newest)
		for _, u := range c.all {
			c.giveUp(u)
		}
		d.First, d.Last = instant(c.first), instant(c.newest)
	}
	c.found.report(d)
	return d
}
