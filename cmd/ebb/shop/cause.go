package shop

// Story is how a customer leaves. The names are part of the truth file.
type Story uint8

// Stories of those who leave.
const (
	stays    Story = iota
	Vanished       // from one day to the next
	Drifted        // came less and less often
	Unpaid         // its payment failed, and failed again
	Unheard        // asked for help, and nobody solved it
)

var storyNames = [...]string{"stays", "vanished", "drifted", "unpaid", "unheard"}

// String is the story's name.
func (s Story) String() string { return storyNames[s] }

// stories are how customers leave who have stayed for a while.
var stories = [...]weighted[Story]{{25, Vanished}, {40, Drifted}, {17, Unpaid}, {18, Unheard}}

// farewell plans the end of the customer's story. It comes after everything that has happened, and then the customer
// leaves.
func (c *customer) farewell() {
	var last []action
	switch c.story {
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
