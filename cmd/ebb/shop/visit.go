package shop

// action is something planned.
type action struct {
	at    int64 // ms since the epoch
	value int64 // minor units
	thing int32 // what it is about; 0: nothing
	what  what
}

// calling plans the visit that is due, and its consequences.
func (c *customer) calling() {
	if c.plan == nil {
		c.plan = make([]action, 0, 12) // hardly a visit has more
	}
	v := visit{customer: c, at: c.visit}
	b, customer, joins := c.business, c.buys > 0, c.buys > 0 && !c.joined
	switch {
	case joins:
		v.steps(b.joining)
		v.steps(b.look)
	case !customer && b.guest != nil:
		v.steps(b.guest)
	default:
		v.steps(b.look)
	}
	deal := joins && b.joining == nil || customer && c.dice.chance(c.buys) // who does not join becomes one with a deal
	v.deal(deal)
	if deal {
		c.price = v.price
		c.follow(b.dealt, v.at, v.price, v.thing)
	}
	if c.joined = customer; customer {
		c.follow(b.visited, v.at, v.price, v.thing)
	}
	c.session = v.at
}

// visit is a visit as far as it is planned.
type visit struct {
	*customer
	at    int64 // of the next step
	price int64 // drawn last
	thing int32 // what the latest step was about
}

// steps plans steps of the visit.
func (v *visit) steps(all []step) {
	for i := range all {
		if s := &all[i]; v.isFor(s) && (s.share == 0 || v.dice.chance(s.share)) {
			v.step(s)
		}
	}
}

// deal plans the end of the visit, with or without a deal.
func (v *visit) deal(made bool) {
	for i := range v.business.deal {
		s := &v.business.deal[i]
		share := s.share
		if !made {
			share = s.idle
		}
		if made && share == 0 || share > 0 && v.dice.chance(share) {
			v.step(s)
		}
	}
}

// step plans a step, as often as it comes.
func (v *visit) step(s *step) {
	times := int64(1)
	if s.most > 0 {
		times = v.dice.between(1, s.most+1)
	}
	for range times {
		v.thing = v.about(s.what, v.thing)
		v.do(action{v.at, v.money(s, v.price), v.thingOf(s.what, v.thing), s.what})
		v.at += v.dice.between(15*second, 4*minute)
	}
	if s.prices {
		v.price = v.dice.logNormal(v.basket, v.business.spread)
	}
}

// follow plans what may follow something. None of it is a reason to leave.
func (c *customer) follow(chains []chain, at, price int64, thing int32) {
	for i := range chains {
		share := chains[i].share
		if share == returning {
			share = c.returns
		}
		if c.dice.chance(share) {
			for _, a := range c.chain(chains[i].steps, at, price, thing) {
				c.do(a)
			}
		}
	}
}

// chain is what happens step by step from a moment on.
func (c *customer) chain(steps []step, at, price int64, thing int32) (all []action) {
	for i := range steps {
		s := &steps[i]
		if !c.isFor(s) || s.share > 0 && !c.dice.chance(s.share) {
			break
		}
		if s.delay.to > 0 {
			at += c.dice.between(s.delay.from, s.delay.to)
		}
		value := c.money(s, price)
		thing = c.about(s.what, thing)
		all = append(all, action{at, value, c.thingOf(s.what, thing), s.what})
		if s.prices {
			price = c.dice.logNormal(c.basket, c.business.spread)
		}
	}
	return all
}

// about draws what an event is about; what draws nothing leaves the thing of the event before.
func (c *customer) about(w what, before int32) int32 {
	if n := c.business.events[w].draws; n > 0 {
		return 1 + int32(c.dice.below(int64(n)))
	}
	return before
}

// thingOf is the thing that an event is about; 0: nothing.
func (c *customer) thingOf(w what, thing int32) int32 {
	if c.business.events[w].draws == 0 {
		return 0
	}
	return thing
}

// money is the value of an event.
func (c *customer) money(s *step, drawn int64) int64 {
	switch s.money {
	case price:
		return drawn
	case part:
		return -drawn * c.dice.between(30, 101) / 100
	case whole:
		return -c.price
	case fee:
		return c.basket
	default:
		return 0
	}
}

// isFor reports whether a step is one of this customer's.
func (c *customer) isFor(s *step) bool {
	n := int64(c.number % 100)
	return s.whose.to == 0 || s.whose.from <= n && n < s.whose.to
}

// rounds plans what comes by itself until a moment.
func (c *customer) rounds(until int64) {
	for i := range c.business.rounds {
		r := &c.business.rounds[i]
		if r.loyal && c.kind != loyal {
			continue
		}
		for c.due[i] < until && c.due[i] < c.left {
			c.follow([]chain{r.chain}, c.due[i], c.price, 0)
			c.due[i] += c.dice.draw(r.every)
		}
	}
}
