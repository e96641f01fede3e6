package scoring_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cespare/xxhash/v2"

	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/feature"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// BenchmarkSteps is the cost of scoring an event with the largest shipped pack, by sort of event: "task bench:score"
// compares it with another commit's.
func BenchmarkSteps(b *testing.B) {
	p := newPanel(largestPack(b))
	for _, s := range p.steps() {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			p.turn = 0
			for b.Loop() {
				s.do()
			}
		})
	}
}

// TestSteps repeats each step with every shipped pack: the customer is the same each time, and nothing is allocated.
func TestSteps(t *testing.T) {
	for _, name := range pack.Shipped() {
		p := newPanel(shippedPack(t, name))
		before := p.customers[0].profile
		for _, s := range p.steps() {
			if n := testing.AllocsPerRun(2*panelSize, s.do); n != 0 {
				t.Errorf("%s, %s: %v allocations", name, s.name, n)
			}
		}
		if p.customers[0].profile != before {
			t.Errorf("%s: a step has changed the customer it began with", name)
		}
	}
}

// largestPack is the shipped pack whose features take the most bytes.
func largestPack(tb testing.TB) (largest *pack.Pack) {
	tb.Helper()
	for _, name := range pack.Shipped() {
		if k := shippedPack(tb, name); largest == nil || k.MaxFeatureState() > largest.MaxFeatureState() {
			largest = k
		}
	}
	return largest
}

func shippedPack(tb testing.TB, name string) *pack.Pack {
	tb.Helper()
	k, err := pack.Load(name, nil, pack.Overrides{})
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

// step is something that the line does for every event or alert.
type step struct {
	name string
	do   func()
}

// panel is a number of customers of a pack, in their state before each step.
type panel struct {
	pack      *pack.Pack
	scorer    *scoring.Scorer
	pop       profile.Population
	customers []panelist
	turn      int // the next of them

	one  profile.Customer // the copy that a step works on
	work profile.Profile
	room []byte
}

// panelist is a customer with a year of events, and the possible next ones.
type panelist struct {
	now      int64
	profile  profile.Profile
	features []byte
	next     map[string]*scoring.Observation // by sort of event
}

const (
	panelSize  = 64
	panelBegin = 1_700_000_000_000     // ms since the epoch
	panelYear  = 365 * scoringtest.Day // ms
)

// newPanel draws 10 to 640 events a year, of all the pack's types, for each customer, from fixed seeds.
func newPanel(k *pack.Pack) *panel {
	p := &panel{
		pack: k, scorer: scoring.NewScorer(k), customers: make([]panelist, panelSize),
		room: make([]byte, 0, 2*k.MaxFeatureState()+1),
	}
	types := k.EventTypes()
	for i := range p.customers {
		u := &p.customers[i]
		r := rand.New(rand.NewPCG(1, uint64(i)))
		u.profile = scoringtest.Eligible()
		c := profile.Customer{Profile: &u.profile}
		events := 10 * int64(i+1)
		for n := range events {
			u.now = panelBegin + n*panelYear/events + r.Int64N(panelYear/events)
			for c.Armed != 0 && c.Armed <= u.now/60_000 {
				p.scorer.Wake(&c)
			}
			p.scorer.Observe(&c, &p.pop, p.observation(types[r.IntN(len(types))], u.now, r))
		}
		u.features = append([]byte{}, c.Features...)
		u.next = p.events(types, u, r)
	}
	return p
}

// events draws one event of each sort, up to three days after the customer's last, and one of any sort.
func (p *panel) events(types []string, u *panelist, r *rand.Rand) map[string]*scoring.Observation {
	next := map[string]*scoring.Observation{}
	episode := opens(p.pack)
	for _, i := range r.Perm(len(types)) {
		o := p.observation(types[i], u.now+1+r.Int64N(3*scoringtest.Day), r)
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
func (p *panel) observation(eventType string, at int64, r *rand.Rand) *scoring.Observation {
	properties := make([]feature.Property, len(p.pack.Properties()))
	for i := range properties {
		properties[i] = feature.Property{Kind: feature.PropertyNumber, Number: 1000 * r.Int64N(11)}
		if r.IntN(3) == 0 {
			properties[i] = feature.TextProperty(fmt.Appendf(nil, "value %d", r.IntN(8)))
		}
	}
	return &scoring.Observation{
		Time: at, Signal: p.pack.Signal([]byte(eventType), properties...), Properties: properties,
		Value: r.Int64N(20_000), HasValue: true,
	}
}

// restore sets p.one to the next customer in its original state.
func (p *panel) restore() (c *profile.Customer, u *panelist) {
	u = &p.customers[p.turn%panelSize]
	p.turn++
	p.work = u.profile
	p.room = append(p.room[:0], u.features...)
	p.one = profile.Customer{Profile: &p.work, Features: p.room}
	return &p.one, u
}

// opens are the signals that open an episode of any kind.
func opens(k *pack.Pack) (mask uint64) {
	for n := profile.Explicit; n < profile.NumKinds; n++ {
		for _, o := range k.Kinds[n].Opens {
			mask |= o.Signal
		}
	}
	return mask
}

// steps are the measured steps, each on one customer after the other. Each but the first begins by restoring the
// customer's state, so it includes the cost of the first.
func (p *panel) steps() []step {
	all := []step{{"copy the state (in each below)", func() { p.restore() }}}
	sorts := []string{anyEvent, "visit", "same visit", "friction", "signal alone", "event that opens an episode"}
	for _, sort := range sorts {
		if slices.ContainsFunc(p.customers, func(u panelist) bool { return u.next[sort] == nil }) {
			continue // the pack has no such events
		}
		events := make([]*scoring.Observation, panelSize)
		for i := range events {
			events[i] = p.customers[i].next[sort]
		}
		all = append(all, step{sort, func() {
			o := events[p.turn%panelSize]
			c, _ := p.restore()
			p.scorer.Observe(c, &p.pop, o)
		}})
	}
	return append(all, p.others()...)
}

// others are the steps without an event.
func (p *panel) others() []step {
	var calibration model.Calibration
	draw := xxhash.Sum64String("c-00000017")
	all := []step{
		{"look at a deadline", func() {
			c, _ := p.restore()
			p.scorer.Wake(c)
		}},
		{"score as of now", func() {
			c, u := p.restore()
			p.scorer.Eval.Score(c, u.now+scoringtest.Day)
		}},
		{"probe", func() {
			c, u := p.restore()
			c.Hash, c.Probe = draw, profile.Probe{Next: uint32(u.now / 60_000), Cell: 1}
			p.scorer.Eval.Probe(c, u.now, &calibration)
		}},
	}
	all = append(all, p.coding()...)
	if a := p.alert(); a != nil {
		renderer, id, out := alert.NewRenderer(p.pack), a.ID(), make([]byte, 0, 1<<16)
		all = append(all, step{"write an alert", func() { out = renderer.AppendAlert(out[:0], a, id) }})
	}
	return all
}

// coding are the steps to and from the store.
func (p *panel) coding() []step {
	encoded, out := make([][]byte, panelSize), make([]byte, 0, 1<<16)
	for i := range encoded {
		p.turn = i
		c, _ := p.restore()
		encoded[i] = profile.Append(nil, c, profile.Format)
	}
	return []step{
		{"write the state", func() {
			c, _ := p.restore()
			out = profile.Append(out[:0], c, profile.Format)
		}},
		{"read the state", func() {
			bytes := encoded[p.turn%panelSize]
			if c, _ := p.restore(); profile.Read(bytes, c) != nil {
				panic("BUG: what was written cannot be read")
			}
		}},
	}
}

// alert is the first alert that any of the customers' silences leads to; nil: none does.
func (p *panel) alert() *alert.Alert {
	for i := range panelSize {
		p.turn = i
		for c, _ := p.restore(); c.Armed != 0; {
			for _, d := range p.scorer.Wake(c) {
				if d.Transition == scoring.Raised {
					d.Score.Values = append([]feature.Value{}, d.Score.Values...)
					return &alert.Alert{Decision: d, Tenant: []byte("shop"), Customer: []byte("c-00000017")}
				}
			}
		}
	}
	return nil
}
