package shop

// kind is what somebody is to the shop.
type kind uint8

const (
	loyal  kind = iota // comes again and again, until it leaves
	taster             // buys once or a few times
	passer             // looks around a few times and never buys
)

// law is a log-normal law of times.
type law struct {
	median int64
	spread float64 // standard deviation of the logarithm
}

func (d *dice) draw(l law) int64 { return d.logNormal(l.median, l.spread) }

// rhythm is when a group of customers comes.
type rhythm struct {
	gap         law   // typical gaps of its customers
	loose, more int64 // the spread of one customer's own gaps, in hundredths: from loose on, by less than more
}

// loyal makes a customer who comes again and again.
func (c *customer) loyal(s *Shop) {
	d := &c.dice
	r := pick(d, c.business.rhythms)
	c.gap = law{d.draw(r.gap), float64(r.loose+d.below(r.more)) / 100}
	c.buys = d.between(c.business.buys.from, c.business.buys.to)
	c.purse()
	if d.chance(55) { // an old customer: the first visit follows its rhythm
		c.visit = s.start + d.below(min(c.gap.median, s.end-s.start))
	}
	if d.chance(35) { // leaves some time, if the shop is there for long enough
		c.cause = pick(d, c.business.causes)
		c.left = c.visit + day + d.draw(law{350 * day, 1})
	}
	c.pause.to = c.visit - d.below(pauseEvery)
	c.nextPause()
}

// tastes are how often tasters come.
var tastes = [...]weighted[int64]{{62, 1}, {12, 2}, {10, 3}, {9, 4}, {7, 5}}

// taste makes a customer who comes once or a few times.
func (c *customer) taste() {
	d := &c.dice
	c.gap = c.business.taste
	c.visits = pick(d, tastes[:])
	if c.cause = pick(d, c.business.tasterCauses); c.cause == Tried && c.visits == 1 {
		c.cause = Once
	}
	c.buys = d.between(c.business.buys.from, c.business.buys.to)
	c.purse()
}

// pass makes a visitor who never buys.
func (c *customer) pass() {
	c.gap = law{9 * day, 0.8}
	for c.visits = 1; c.visits < 4 && c.dice.chance(25); c.visits++ {
	}
}

// purse draws what the customer's orders are like.
func (c *customer) purse() {
	d := &c.dice
	c.basket = d.draw(c.business.basket)
	if d.chance(30) {
		c.returns = d.between(10, 30)
	}
}

// finish ends the visits of somebody who was to come so many times. A customer leaves when what follows its last order
// is over.
func (c *customer) finish() {
	if c.visit = never; c.cause != Stays {
		c.left = c.session + c.dice.between(16*day, 21*day)
		c.visit = c.left
	}
}
