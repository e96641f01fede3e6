package shop

// Cause is why a customer leaves for good. The names are part of the truth file.
type Cause uint8

// Causes.
const (
	Stays     Cause = iota
	Once            // needed one thing, a present say, and has it
	Tried           // came a few times and did not take to the shop
	Moved           // its life has changed: from one day to the next it needs the shop no more
	Rival           // another shop wins it over: it comes less and less often
	Returned        // sent its last order back
	Unpaid          // its payment failed, and failed again
	Unheard         // asked for help, and nobody solved it
	Cancelled       // has decided to go, and says so
	Deserted        // who has brought it here has left, or does no longer care
	Wronged         // was let down by the other side, or by the house
	Unsold          // sells no longer what it did
	Causes          // how many there are
)

var causeNames = [Causes]string{
	"stays", "once", "tried", "moved", "rival", "returned", "unpaid", "unheard", "cancelled", "deserted", "wronged",
	"unsold",
}

// String is the cause's name.
func (c Cause) String() string { return causeNames[c] }

// farewell plans the end of the customer's story. It comes after everything that has happened, and then the customer
// leaves.
func (c *customer) farewell() {
	f, shows := c.business.farewells[c.cause]
	if !shows {
		return
	}
	from := c.session
	if f.last {
		from = max(c.daytime(c.left), c.session+hour)
	}
	last := c.chain(f.steps, from, c.price, 0)
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
