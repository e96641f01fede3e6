package shop

// Cause is why a customer leaves for good. The names are part of the truth file.
type Cause uint8

// Causes.
const (
	Stays    Cause = iota
	Once           // needed one thing, a present say, and has it
	Tried          // came a few times and did not take to the shop
	Moved          // its life has changed: from one day to the next it needs the shop no more
	Rival          // another shop wins it over: it comes less and less often
	Returned       // sent its last order back
	Unpaid         // its payment failed, and failed again
	Unheard        // asked for help, and nobody solved it
	Causes         // how many there are
)

var causeNames = [Causes]string{"stays", "once", "tried", "moved", "rival", "returned", "unpaid", "unheard"}

// String is the cause's name.
func (c Cause) String() string { return causeNames[c] }

// causes are those of customers who have stayed for a while.
var causes = [...]weighted[Cause]{{25, Moved}, {33, Rival}, {10, Returned}, {16, Unpaid}, {16, Unheard}}

// tasterCauses are those of customers who come once or a few times; Tried stands for Once where it is once.
var tasterCauses = [...]weighted[Cause]{{80, Tried}, {9, Returned}, {5, Unpaid}, {6, Unheard}}

// farewell plans the end of the customer's story. It comes after everything that has happened, and then the customer
// leaves.
func (c *customer) farewell() {
	var last []action
	switch c.cause {
	case Returned:
		last = []action{{c.session + c.dice.between(4*day, 15*day), -c.price, 0, refunded}}
	case Unpaid: // two tries
		last = c.failedVisit(max(c.daytime(c.left), c.session+hour))
		last = append(last, c.failedVisit(last[len(last)-1].at+c.dice.between(20*hour, 40*hour))...)
	case Unheard:
		first := c.session + c.dice.between(2*day, 6*day)
		last = []action{{first, 0, 0, ticketOpened}, {first + c.dice.between(2*day, 9*day), 0, 0, ticketOpened}}
	default:
		return
	}
	if late := c.last + minute - last[0].at; late > 0 {
		for i := range last {
			last[i].at += late
		}
	}
	c.left = max(c.left, last[len(last)-1].at+hour)
	for _, a := range last {
		c.do(a)
	}
}

// failedVisit is a visit that ends with a payment that failed.
func (c *customer) failedVisit(at int64) []action {
	d, price := &c.dice, c.dice.logNormal(c.basket, 0.5)
	pay := at + d.between(minute, 5*minute)
	return []action{{at, 0, 0, checkout}, {pay, price, 0, failed}}
}
