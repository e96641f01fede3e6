package shop

import (
	"fmt"
	"strconv"
	"strings"
)

// business is what sort of shop it is: what its customers do, what happens to them, and why they leave. It is a table;
// the rest of this package plays it.
type business struct {
	name  string // of the pack whose events it has
	title string // what it is called
	worth Worth

	events []event // by what, which is a place in it
	joins  []what  // make somebody a customer
	pays   []what  // bring in what a customer is worth

	kinds        []weighted[kind]
	rhythms      []weighted[rhythm] // of loyal customers
	taste        law                // of the times between visits of who comes a few times
	buys         span               // visits in a hundred that end with a deal, by customer
	basket       law                // what a customer's deals are worth as a rule
	spread       float64            // standard deviation of the logarithm of one customer's own prices
	causes       []weighted[Cause]  // of customers who have stayed for a while
	tasterCauses []weighted[Cause]  // of customers who come once or a few times
	farewells    map[Cause]farewell // how a cause shows before its customers leave

	joining []step  // begins a customer's first visit
	guest   []step  // a visit of somebody who never buys; nil: as a customer's
	look    []step  // begins a visit
	deal    []step  // ends a visit, where a deal is made
	visited []chain // what may follow a visit
	dealt   []chain // what may follow a deal
	rounds  []round // what comes again and again, whether or not the customer does
}

// what is an event of a business: a place in its table.
type what uint8

// event is a kind of event. Several may have one type, with other properties.
type event struct {
	name   string
	source source
	draws  int32 // from so many things what it is about; kept: about the thing of the event before; 0: about nothing
	about  []property
}

// kept is the thing of the event before.
const kept = -1

// property is a property of an event. It follows from the thing that the event is about, or from the customer.
type property struct {
	name   string
	prefix string   // of the thing's or the customer's number, which makes a text; empty: one of values
	values []string // JSON; the number chooses one
	own    bool     // the customer's number, and not the thing's
}

// step is an event of a visit or of a chain.
type step struct {
	what   what
	share  int64 // how often in a hundred; a chain ends where it is not; 0: always
	idle   int64 // of a step of a deal: how often in a hundred without one
	most   int64 // times in a visit, at least once; 0: once
	whose  span  // customers of each hundred, by their numbers; 0: all
	delay  span  // after the step before, in a chain; 0: none
	prices bool  // a price is drawn with it
	money  money
}

// money is what an event's value is.
type money uint8

const (
	noMoney money = iota
	price         // the price drawn last
	part          // of that price, back
	whole         // of the price of the latest deal, back
	fee           // what the customer's deals are worth as a rule, every time
)

// chain is what may follow something, step by step.
type chain struct {
	share int64 // how often in a hundred; returning: of each customer its own
	steps []step
}

// returning is the share of orders with a return, which is the customer's own.
const returning = -1

// round is a chain that begins again and again, from a customer's first visit until it leaves.
type round struct {
	every law
	loyal bool // only for loyal customers
	chain
}

// farewell is a chain at the end of which the customer leaves.
type farewell struct {
	last  bool // it begins when the customer means to leave; else it follows its last visit
	steps []step
}

// Worth is what customers are worth in a business: where the upper value tiers begin, in minor units paid within some
// days.
type Worth struct {
	High, Mid int64
	Days      int
	Per       string // those days in words
}

// businesses are those that can be simulated, by the pack that is for them.
func businesses() []*business {
	return []*business{retail(), saas(), creator(), marketplace(), marketplaceSeller()}
}

// Businesses are the names of the businesses that can be simulated.
func Businesses() (names []string) {
	for _, b := range businesses() {
		names = append(names, b.name)
	}
	return names
}

// businessOf is the business of a name; of none it is retail.
func businessOf(name string) (*business, error) {
	for _, b := range businesses() {
		if b.name == name || name == "" && b.name == "retail" {
			return b, nil
		}
	}
	return nil, fmt.Errorf("a business is one of %s, found %q", strings.Join(Businesses(), ", "), name)
}

// appendProperties appends an event's properties as a JSON object; nothing where it has none.
func (e *event) appendProperties(dst []byte, thing, customer int) []byte {
	before := byte('{')
	for i := range e.about {
		p := &e.about[i]
		number := thing
		if p.own {
			number = customer
		}
		dst = append(append(append(dst, before, '"'), p.name...), '"', ':')
		if p.prefix != "" {
			dst = append(strconv.AppendInt(append(append(dst, '"'), p.prefix...), int64(number), 10), '"')
		} else {
			dst = append(dst, p.values[number%len(p.values)]...)
		}
		before = ','
	}
	if before == ',' {
		dst = append(dst, '}')
	}
	return dst
}
