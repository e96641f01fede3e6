package shop

// pause is a time without visits, after which the customer is back.
type pause struct{ from, to int64 }

// pauses are how long pauses take: a holiday, an illness or a house move, a season in which nothing is needed.
var pauses = [...]weighted[law]{
	{45, law{27 * day, 0.5}},
	{32, law{62 * day, 0.4}},
	{23, law{138 * day, 0.42}},
}

// pauseEvery is the usual time from one pause to the next.
const pauseEvery = 200 * day

// nextPause plans the pause after the one that is over.
func (c *customer) nextPause() {
	from := c.pause.to + c.dice.logNormal(pauseEvery, 0.55)
	c.pause = pause{from, from + c.dice.draw(pick(&c.dice, pauses[:]))}
}

// afterPause is when somebody comes who means to come at a moment: then, or some days after a pause.
func (c *customer) afterPause(at int64) int64 {
	for c.pause.to <= at {
		c.nextPause()
	}
	if at < c.pause.from {
		return at
	}
	return c.daytime(c.pause.to + c.dice.below(4*day))
}
