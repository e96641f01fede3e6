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

// customer is a customer of the shop, with its plans.
type customer struct {
	dice dice
	name string

	gap     int64   // median time between visits, ms
	spread  float64 // standard deviation of a gap's logarithm
	buys    int64   // visits in a hundred that end with an order
	basket  int64   // median worth of an order, minor units
	returns int64   // orders in a hundred with a return

	left      int64 // when it leaves for good; never: it stays
	story     Story // how it leaves
	pauseFrom int64 // a holiday: no visit from here
	pauseTo   int64 // to here

	visit   int64    // when the next visit begins; never: there is none
	session int64    // end of the latest one
	last    int64    // time of the event taken last
	plan    []action // what happens before and after the next visit, in order of time
}

// customer makes the customer with a number from 0 on, as it is at its first visit.
func (s *Shop) customer(i int) *customer {
	c := &customer{dice: newDice(s.cfg.Seed, i), name: fmt.Sprintf("c-%06d", i+1), left: never}
	d := &c.dice
	c.gap = d.logNormal(pick(d, rhythms[:]), 0.25)
	c.spread = float64(d.between(25, 60)) / 100
	c.buys = d.between(45, 95)
	c.basket = d.logNormal(4500, 0.6)
	if d.chance(30) {
		c.returns = d.between(10, 30)
	}
	span := s.end - s.start
	if d.chance(55) { // an old customer: the first visit follows its rhythm
		c.visit = s.start + d.below(min(c.gap, span))
	} else {
		c.visit = s.start + d.below(span*85/100+1)
	}
	c.visit = c.daytime(c.visit)
	c.session = c.visit
	if life := c.lifetime(); life != never {
		c.left = c.visit + life
	}
	if d.chance(12) {
		c.pauseFrom = s.start + d.below(span)
		c.pauseTo = c.pauseFrom + d.between(21*day, 63*day)
	}
	return c
}

// weighted is one of several choices, with how often in a hundred it is taken.
type weighted[T any] struct {
	percent int64
	choice  T
}

// rhythms are the usual times between visits.
var rhythms = [...]weighted[int64]{{12, 7 * day}, {30, 14 * day}, {44, 28 * day}, {14, 60 * day}}

func pick[T any](d *dice, from []weighted[T]) T {
	n := d.below(100)
	for _, w := range from {
		if n -= w.percent; n < 0 {
			return w.choice
		}
	}
	panic("BUG: choices that do not add up to 100")
}

// lifetime is how long the customer stays, and how it leaves. Half of them stay, and one in ten never gets going.
func (c *customer) lifetime() int64 {
	switch n := c.dice.below(100); {
	case n < 10:
		c.story = Vanished
		return c.dice.logNormal(20*day, 0.7)
	case n < 50:
		c.story = pick(&c.dice, stories[:])
		return c.dice.logNormal(170*day, 0.8)
	}
	return never
}

// next is the time of the customer's next event; never if there is none. It plans visits as far as needed.
func (c *customer) next() int64 {
	for c.visit != never && (len(c.plan) == 0 || c.plan[0].at >= c.visit) {
		if c.visit >= c.left {
			c.visit = never
			c.farewell()
			break
		}
		c.shopping()
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
	gap := c.dice.logNormal(c.gap, c.spread)
	gap = gap * 100 / seasons[time.UnixMilli(c.session).UTC().Month()-1]
	if c.story == Drifted && c.left != never && c.left-c.session < 4*c.gap {
		gap = gap * 8 / 5
	}
	at := c.daytime(c.session + gap)
	if at >= c.pauseFrom && at < c.pauseTo {
		at = c.daytime(c.pauseTo + c.dice.below(4*day))
	}
	return max(at, c.session+hour)
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
