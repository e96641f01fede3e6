package shop

// what is a kind of event.
type what uint8

// The names are those of the Segment e-commerce specification, version 2, as far as it has them.
const (
	searched what = iota
	viewed
	added
	checkout
	ordered
	refunded
	reviewed
	failed
	ticketOpened
	ticketSolved
)

var whatNames = [...]string{
	"Products Searched", "Product Viewed", "Product Added", "Checkout Started", Order, "Order Refunded",
	"Product Reviewed", "Payment Failed", "Support Ticket Opened", "Support Ticket Solved",
}

// Order is the type of the event of an order.
const Order = "Order Completed"

func (w what) String() string { return whatNames[w] }

// action is something planned.
type action struct {
	at      int64 // ms since the epoch
	value   int64 // minor units
	product int32
	what    what
}

// products is the number of products.
const products = 2000

// shopping plans the visit that is due, and its consequences.
func (c *customer) shopping() {
	if c.plan == nil {
		c.plan = make([]action, 0, 12) // hardly a visit has more
	}
	d, at := &c.dice, c.visit
	step := func(w what, value int64, product int32) {
		c.do(action{at, value, product, w})
		at += d.between(15*second, 4*minute)
	}
	if d.chance(40) {
		step(searched, 0, 0)
	}
	var product int32
	for range d.between(1, 5) {
		product = 1 + int32(d.below(products))
		step(viewed, 0, product)
	}
	buys := c.buys > 0 && (!c.bought || d.chance(c.buys)) // a customer's account begins with an order
	if buys || d.chance(25) {
		step(added, 0, product)
	}
	if buys {
		step(checkout, 0, 0)
		price := d.logNormal(c.basket, 0.5)
		if d.chance(2) { // mistyped the card's number
			step(failed, price, 0)
		}
		step(ordered, price, 0)
		c.bought, c.price = true, price
		c.aftermath(at, price)
	}
	c.session = at
}

// aftermath plans what may follow an order. None of it is a reason to leave.
func (c *customer) aftermath(at, price int64) {
	d := &c.dice
	if d.chance(c.returns) {
		c.do(action{at + d.between(4*day, 15*day), -price * d.between(30, 101) / 100, 0, refunded})
	}
	if d.chance(4) {
		c.do(action{at + d.between(3*day, 10*day), 0, 1 + int32(d.below(products)), reviewed})
	}
	if d.chance(3) {
		opened := at + d.between(day, 5*day)
		c.do(action{opened, 0, 0, ticketOpened})
		c.do(action{opened + d.between(2*hour, 3*day), 0, 0, ticketSolved})
	}
}
