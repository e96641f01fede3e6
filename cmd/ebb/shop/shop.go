// Package shop simulates a shop, or another business that a shipped pack is for: a table for each says what its
// customers do, what happens to them and why they leave; see business. Most of its customers come once or a few times. The others come in rhythms of their
// own, look around, buy and return goods; they pause for a holiday, an illness or a season, and come back. Some of them
// leave for good, at a moment and for a cause that the simulation determines. Visitors come who never buy, and the
// feeds of its systems are cut for some days now and then.
//
// That moment is the truth that alerts can be compared with. It is drawn before anything is scored, and independently
// of ebb's scoring: the package imports nothing of ebb.
//
// A seed gives the same shop on every machine. The random numbers are integers (PCG), and floating point is used only
// with operations that IEEE 754 fixes to the bit; see dice.
package shop

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"time"
)

// Defaults of a Config's zero values.
const (
	DefaultCustomers = 10_000
	DefaultDays      = 540
)

// DefaultStart is when a shop opens by default. It is fixed, so that a seed determines everything.
func DefaultStart() time.Time { return time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC) }

// Bounds of a Config.
const (
	MaxCustomers = 50_000_000
	MaxDays      = 36_500
)

// Config is what shop to simulate. The zero value is the default shop.
type Config struct {
	Business  string    // one of Businesses; empty: retail
	Customers int       // who ever come; 0: as many as Events needs, else DefaultCustomers
	Days      int       // from Start on; 0: DefaultDays
	Events    int64     // ends the simulation early after so many events; 0: the days end it
	Seed      uint64    // another seed, another shop
	Start     time.Time // zero: DefaultStart
}

// Shop is a simulated shop. It does not change: its events and its truth may be read repeatedly, and are the same each
// time.
type Shop struct {
	cfg      Config
	business *business
	start    int64 // ms since the epoch
	end      int64
	cuts     [sources][]span // of each source's feed
}

// New checks cfg and sizes the shop.
func New(cfg Config) (*Shop, error) {
	switch {
	case cfg.Customers < 0 || cfg.Customers > MaxCustomers:
		return nil, fmt.Errorf("customers must be between 1 and %d, found %d", MaxCustomers, cfg.Customers)
	case cfg.Days < 0 || cfg.Days > MaxDays:
		return nil, fmt.Errorf("days must be between 1 and %d, found %d", MaxDays, cfg.Days)
	case cfg.Events < 0:
		return nil, fmt.Errorf("events must not be negative, found %d", cfg.Events)
	}
	if cfg.Days == 0 {
		cfg.Days = DefaultDays
	}
	if cfg.Start.IsZero() {
		cfg.Start = DefaultStart()
	}
	b, err := businessOf(cfg.Business)
	if err != nil {
		return nil, err
	}
	s := &Shop{cfg: cfg, business: b, start: cfg.Start.UnixMilli()}
	s.end = s.start + int64(cfg.Days)*day
	s.cutFeeds()
	switch {
	case cfg.Customers > 0:
	case cfg.Events > 0:
		return s, s.size()
	default:
		s.cfg.Customers = DefaultCustomers
	}
	return s, nil
}

// strangersPer is how many customers there are for each anonymous visitor.
const strangersPer = 2

// people is how many come: the customers, and then the anonymous visitors.
func (s *Shop) people() int { return s.cfg.Customers + s.cfg.Customers/strangersPer }

// size finds how many customers make the requested number of events, with some to spare, by simulating a sample of
// them.
func (s *Shop) size() error {
	const sample, spare = 4000, 1.1
	s.cfg.Customers = sample
	var seen float64
	for i := range s.people() {
		c := s.customer(i)
		for at := c.next(); at < s.end; at = c.next() {
			if !s.lost(c.take()) {
				seen++
			}
		}
	}
	need := math.Ceil(spare*sample*float64(s.cfg.Events)/seen) + 20
	if need > MaxCustomers {
		return fmt.Errorf(
			"%d events in %d days take %.0f customers, more than %d: give it more days",
			s.cfg.Events,
			s.cfg.Days,
			need,
			MaxCustomers,
		)
	}
	s.cfg.Customers = int(need)
	return nil
}

// Customers is how many customers the shop has over all its days.
func (s *Shop) Customers() int { return s.cfg.Customers }

// Title is what the business is called.
func (s *Shop) Title() string { return s.business.title }

// Worth is what its customers are worth.
func (s *Shop) Worth() Worth { return s.business.worth }

// Start is when the shop opens.
func (s *Shop) Start() time.Time { return time.UnixMilli(s.start).UTC() }

// End is when the simulation ends, unless the number of events ends it earlier. No event is at or after it.
func (s *Shop) End() time.Time { return time.UnixMilli(s.end).UTC() }

// Event is something that a customer did, or that happened to one.
type Event struct {
	ID         string
	Customer   string
	Anonymous  bool   // nobody has signed in: Customer is the visitor's
	Type       string // as in the Segment e-commerce specification, where that has a name for it
	Time       time.Time
	Value      int64 // minor units of Currency: amount paid, of a failed payment, or, negative, paid back; else 0
	Currency   string
	Properties string // a JSON object; empty: none
	Joins      bool   // makes somebody a customer
	Pays       bool   // its value counts for what the customer is worth
}

// Events are all events of the shop, in order of time, and at the same millisecond in order of customers. They are made
// while they are read: memory holds the customers who have come and will come again, with their plans.
func (s *Shop) Events() iter.Seq[Event] {
	return func(yield func(Event) bool) {
		q := s.open()
		prefix := fmt.Appendf(make([]byte, 0, 48), "s%d-", s.cfg.Seed) // with room for the number
		var properties []byte
		limit := s.cfg.Events
		if limit == 0 {
			limit = math.MaxInt64
		}
		for n := int64(1); n <= limit; q.moved() {
			if q.first() >= s.end {
				return
			}
			c := q.customer()
			a := c.take()
			if s.lost(a) {
				continue
			}
			kind := &s.business.events[a.what]
			ev := Event{
				ID: string(strconv.AppendInt(prefix, n, 10)), Customer: c.name, Anonymous: c.stranger, Type: kind.name,
				Time: time.UnixMilli(a.at).UTC(), Value: a.value,
				Joins: slices.Contains(s.business.joins, a.what), Pays: slices.Contains(s.business.pays, a.what),
			}
			if len(kind.about) > 0 {
				properties = kind.appendProperties(properties[:0], int(a.thing), c.number+1)
				ev.Properties = string(properties)
			}
			if a.value != 0 {
				ev.Currency = currency
			}
			if !yield(ev) {
				return
			}
			n++
		}
	}
}

// currency is the currency of the shop.
const currency = "EUR"
