package shop

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Lengths of time, in ms.
const (
	second = int64(1000)
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour

	never = int64(math.MaxInt64)
)

// customer is somebody who comes to the shop, with its plans.
type customer struct {
	business *business
	dice     dice
	number   int
	name     string
	kind     kind
	stranger bool // nobody has signed in: an anonymous visitor

	gap     law   // of the times between visits
	buys    int64 // visits in a hundred that end with an order; 0: it never buys
	basket  int64 // median worth of an order, minor units
	returns int64 // orders in a hundred with a return
	visits  int64 // how many visits are left; never: nobody counts them

	left  int64 // when it leaves for good; never: it stays
	cause Cause // why it leaves
	pause pause // the next one

	visit   int64    // when the next visit begins; never: there is none
	session int64    // end of the latest one; before the first, its beginning
	joined  bool     // it has become a customer
	price   int64    // of its latest order
	last    int64    // time of the event taken last
	due     []int64  // when each of the business's rounds comes next
	plan    []action // what happens before and after the next visit, in order of time
}

// customer makes the customer with a number from 0 on, as it is at its first visit. The numbers after the customers are
// those of anonymous visitors.
func (s *Shop) customer(i int) *customer {
	c := &customer{
		business: s.business, number: i, dice: newDice(s.cfg.Seed, i), left: never, visits: never, pause: pause{never, never},
	}
	d := &c.dice
	if i < s.cfg.Customers {
		c.name, c.kind = fmt.Sprintf("c-%06d", i+1), pick(d, s.business.kinds)
	} else {
		c.name, c.kind, c.stranger = fmt.Sprintf("a-%06d", i-s.cfg.Customers+1), passer, true
	}
	c.visit = s.start + d.below((s.end-s.start)*85/100+1)
	switch c.kind {
	case loyal:
		c.loyal(s)
	case taster:
		c.taste()
	case passer:
		c.pass()
	}
	c.visit = c.daytime(c.visit)
	c.session = c.visit
	for i := range s.business.rounds {
		c.due = append(c.due, c.visit+d.draw(s.business.rounds[i].every))
	}
	return c
}

// weighted is one of several choices, with how often in a hundred it is taken.
type weighted[T any] struct {
	percent int64
	choice  T
}

func pick[T any](d *dice, from []weighted[T]) T {
	n := d.below(100)
	for _, w := range from {
		if n -= w.percent; n < 0 {
			return w.choice
		}
	}
	panic("BUG: choices that do not add up to 100")
}

// next is the time of the customer's next event; never if there is none. It plans visits as far as needed.
func (c *customer) next() int64 {
	for c.visit != never && (len(c.plan) == 0 || c.plan[0].at >= c.visit) {
		if c.joined {
			c.rounds(c.visit)
		}
		if c.visit >= c.left {
			c.visit = never
			c.farewell()
			break
		}
		c.calling()
		if c.visits--; c.visits == 0 {
			c.finish()
			continue
		}
		c.visit = c.comeBack()
	}
	if len(c.plan) == 0 {
		return never
	}
	return c.plan[0].at
}

// take removes and returns the event that next has found.
func (c *customer) take() action {
	a := c.plan[0]
	c.plan = slices.Delete(c.plan, 0, 1)
	c.last = a.at
	return a
}

// do plans something, unless the customer will have left by then. No two events of a customer have the same time.
func (c *customer) do(a action) {
	i := len(c.plan)
	for i > 0 && c.plan[i-1].at >= a.at { // most plans are made in order
		i--
	}
	for ; i < len(c.plan) && c.plan[i].at == a.at; i++ {
		a.at++
	}
	if a.at < c.left {
		c.plan = slices.Insert(c.plan, i, a)
	}
}

// seasons are how busy each month is, in percent: a mild wave over the year, and December.
var seasons = [...]int64{92, 94, 98, 100, 102, 98, 92, 92, 100, 104, 112, 116}

// comeBack is when the next visit begins.
func (c *customer) comeBack() int64 {
	gap := c.dice.draw(c.gap)
	gap = gap * 100 / seasons[time.UnixMilli(c.session).UTC().Month()-1]
	if c.cause == Rival && c.left-c.session < 4*c.gap.median {
		gap = gap * 8 / 5
	}
	return max(c.afterPause(c.daytime(c.session+gap)), c.session+hour)
}

// hours are when people shop: the lunch break, and the evening.
var hours = [...]weighted[int64]{
	{4, 7},
	{6, 9},
	{7, 10},
	{7, 11},
	{11, 12},
	{8, 13},
	{6, 15},
	{8, 17},
	{10, 18},
	{11, 19},
	{12, 20},
	{7, 21},
	{3, 22},
}

// daytime moves a moment to an hour of its day at which people are awake.
func (c *customer) daytime(at int64) int64 {
	return at - at%day + pick(&c.dice, hours[:])*hour + c.dice.below(hour)
}
