package main

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/cespare/xxhash/v2"

	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/feature"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// step is something that the line does for every event or alert.
type step struct {
	name string
	do   func()
}

// bench is a number of customers of a pack, as they are before each event.
type bench struct {
	pack      *pack.Pack
	scorer    *scoring.Scorer
	pop       profile.Population
	customers []customer
	turn      int // of them

	one  profile.Customer // the copy that a step works on
	work profile.Profile
	room []byte
}

// customer is one of them with a year behind it, and what may come next.
type customer struct {
	now      int64
	profile  profile.Profile
	features []byte
	next     map[string]*scoring.Observation // by the sort of event
}

const (
	begin     = 1_700_000_000_000 // ms since the epoch
	dayMs     = 86_400_000
	yearMs    = 365 * dayMs
	customers = 64
)

// newBench draws 10 to 640 events a year, of all the pack's types, for each customer, from fixed seeds.
func newBench(pack *pack.Pack) *bench {
	b := &bench{pack: pack, scorer: scoring.NewScorer(pack), room: make([]byte, 0, 2*pack.MaxFeatureState()+1), customers: make([]customer, customers)}
	types := pack.EventTypes()
	for i := range b.customers {
		u := &b.customers[i]
		r := rand.New(rand.NewPCG(1, uint64(i))) //nolint:gosec // a seeded draw, nothing secret
		c := profile.Customer{Profile: &u.profile}
		events := 10 * int64(i+1)
		for n := range events {
			u.now = begin + n*yearMs/events + r.Int64N(yearMs/events)
			for c.Armed != 0 && c.Armed <= u.now/60_000 {
				b.scorer.Wake(&c)
			}
			b.scorer.Observe(&c, &b.pop, b.observation(types[r.IntN(len(types))], u.now, r))
		}
		u.features = append([]byte{}, c.Features...)
		u.next = b.events(types, u, r)
	}
	return b
}

// events draws one event of each sort, up to three days after the customer's last, and one of any sort.
func (b *bench) events(types []string, u *customer, r *rand.Rand) map[string]*scoring.Observation {
	next := map[string]*scoring.Observation{}
	episode := opens(b.pack)
	for _, i := range r.Perm(len(types)) {
		o := b.observation(types[i], u.now+1+r.Int64N(3*dayMs), r)
		sort := ""
		switch s := o.Signal; {
		case s.Named&episode != 0:
			sort = "event that opens an episode"
		case s.Activity:
			sort = "visit"
		case s.Friction > 0:
			sort = "friction"
		case s.Named != 0:
			sort = "signal alone"
		}
		for _, name := range []string{sort, anyEvent} {
			if next[name] == nil {
				next[name] = o
			}
		}
	}
	if visit := next["visit"]; visit != nil {
		again := *visit
		again.Time = u.profile.Last + 60_000
		next["same visit"] = &again
	}
	return next
}

// anyEvent is the sort of an event of a type that was drawn from all.
const anyEvent = "any event"

// observation is an event of a type, with every property that the pack may read.
func (b *bench) observation(eventType string, at int64, r *rand.Rand) *scoring.Observation {
	properties := make([]feature.Property, len(b.pack.Properties()))
	for i := range properties {
		properties[i] = feature.Property{Kind: feature.PropertyNumber, Number: 1000 * r.Int64N(11)}
		if r.IntN(3) == 0 {
			properties[i] = feature.TextProperty(fmt.Appendf(nil, "value %d", r.IntN(8)))
		}
	}
	return &scoring.Observation{
		Time: at, Signal: b.pack.Signal([]byte(eventType), properties...), Value: r.Int64N(20_000), HasValue: true, Properties: properties,
	}
}

// restore makes b.one the next customer as it was.
func (b *bench) restore() (c *profile.Customer, u *customer) {
	u = &b.customers[b.turn%customers]
	b.turn++
	b.work = u.profile
	b.room = append(b.room[:0], u.features...)
	b.one = profile.Customer{Profile: &b.work, Features: b.room}
	return &b.one, u
}

// opens are the signals that open an episode of any kind.
func opens(pack *pack.Pack) (mask uint64) {
	for n := profile.Explicit; n < profile.NumKinds; n++ {
		for _, o := range pack.Kinds[n].Opens {
			mask |= o.Signal
		}
	}
	return mask
}

// steps are what is measured, each on one customer after the other. Each but the first begins with the customer's
// state as it was, so it holds the cost of the first.
func steps(pack *pack.Pack) []step {
	b := newBench(pack)
	all := []step{{"copy the state (in each below)", func() { b.restore() }}}
	for _, sort := range []string{anyEvent, "visit", "same visit", "friction", "signal alone", "event that opens an episode"} {
		if slices.ContainsFunc(b.customers, func(u customer) bool { return u.next[sort] == nil }) {
			continue // the pack has no such events
		}
		events := make([]*scoring.Observation, customers)
		for i := range events {
			events[i] = b.customers[i].next[sort]
		}
		all = append(all, step{sort, func() {
			o := events[b.turn%customers]
			c, _ := b.restore()
			b.scorer.Observe(c, &b.pop, o)
		}})
	}
	return append(all, b.others()...)
}

// others are the steps that are no event.
func (b *bench) others() []step {
	var calibration model.Calibration
	draw := xxhash.Sum64String("c-00000017")
	all := []step{
		{"look at a deadline", func() {
			c, _ := b.restore()
			b.scorer.Wake(c)
		}},
		{"score as of now", func() {
			c, u := b.restore()
			b.scorer.Eval.Score(c, u.now+dayMs)
		}},
		{"probe", func() {
			c, u := b.restore()
			c.Hash, c.Probe = draw, profile.Probe{Next: uint32(u.now / 60_000), Cell: 1}
			b.scorer.Eval.Probe(c, u.now, &calibration)
		}},
	}
	all = append(all, b.coding()...)
	if published := b.alert(); published != nil {
		id, out, renderer := published.ID(), make([]byte, 0, 1<<16), alert.NewRenderer(b.pack)
		all = append(all, step{"write an alert", func() { out = renderer.AppendAlert(out[:0], published, id) }})
	}
	return all
}

// coding are the steps to and from the store.
func (b *bench) coding() []step {
	encoded, out := make([][]byte, customers), make([]byte, 0, 1<<16)
	for i := range encoded {
		b.turn = i
		c, _ := b.restore()
		encoded[i] = profile.Append(nil, c, profile.Format)
	}
	return []step{
		{"write the state", func() {
			c, _ := b.restore()
			out = profile.Append(out[:0], c, profile.Format)
		}},
		{"read the state", func() {
			bytes := encoded[b.turn%customers]
			if c, _ := b.restore(); profile.Read(bytes, c) != nil {
				panic("BUG: what was written cannot be read")
			}
		}},
	}
}

// alert is the first that any of the customers gives by silence; nil: none does.
func (b *bench) alert() *alert.Alert {
	for i := range customers {
		b.turn = i
		for c, _ := b.restore(); c.Armed != 0; {
			for _, d := range b.scorer.Wake(c) {
				if d.Transition == scoring.Raised {
					d.Score.Values = append([]feature.Value{}, d.Score.Values...)
					return &alert.Alert{Decision: d, Tenant: []byte("shop"), Customer: []byte("c-00000017")}
				}
			}
		}
	}
	return nil
}
