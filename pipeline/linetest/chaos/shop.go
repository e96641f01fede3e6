package main

import (
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// shop makes the input of a seed: customers of a shop come in rhythms of their own, complain at times, and one day stay
// away for good. Another customer then takes the place. At times their events arrive late and twice, some clocks run
// ahead, and some records cannot be used.
type shop struct {
	r      *rand.Rand
	queue  arrivals
	people int // so far
	lines  int // events so far
}

// Shares of the input, one in so many.
const (
	oneLate      = 5   // arrives up to half an hour after its time
	oneTwice     = 50  // arrives a second time
	oneAhead     = 500 // has a time of up to five days ahead
	onePoisoned  = 300 // is followed by an unusable record
	oneOfTenant  = 10  // customers, not events
	oneComplaint = 20
	oneNote      = 15 // has no effect
)

const (
	hour = 3600 * int64(1000)
	day  = 24 * hour
)

// arrival is either a customer with an event to come or, where it has a record, what arrives.
type arrival struct {
	at     int64 // event time, ms
	number int   // in which order they were drawn
	who    *person
	record *record
}

type person struct {
	name, tenant string
	rhythm       float64 // ln of the usual gap in days
	leaves       int64   // ms
}

// record is one record of the input.
type record struct {
	key     string
	value   []byte
	headers []kgo.RecordHeader
}

// firstDay is where event time begins, in 1990: early enough for the longest run.
const firstDay = 7305 * day

func newShop(seed uint64, customers int) *shop {
	s := &shop{r: rand.New(rand.NewPCG(seed, 2))}
	for range customers {
		s.join(firstDay + s.r.Int64N(20*day))
	}
	return s
}

// join adds a customer who comes for the first time at t.
func (s *shop) join(t int64) {
	s.people++
	p := &person{
		name:   fmt.Sprintf("c%06d", s.people),
		rhythm: 1 + 2.5*s.r.Float64(),
		leaves: t + int64(s.r.ExpFloat64()*250*float64(day)),
	}
	if s.r.IntN(oneOfTenant) == 0 {
		p.tenant = "acme"
	}
	s.push(arrival{at: t, who: p})
}

func (s *shop) push(a arrival) {
	s.lines++
	a.number = s.lines
	heap.Push(&s.queue, a)
}

// next returns the next n records in the order of their arrival.
func (s *shop) next(n int) []record {
	records := make([]record, 0, n)
	for len(records) < n {
		a := heap.Pop(&s.queue).(arrival) //nolint:forcetypeassert // it contains nothing else
		if a.record != nil {
			records = append(records, *a.record)
			continue
		}
		s.act(a.who, a.at)
	}
	return records
}

// act makes a customer do something at t, and come again.
func (s *shop) act(p *person, t int64) {
	kind := "visit"
	if s.r.IntN(oneComplaint) == 0 {
		kind = "complaint"
	} else if s.r.IntN(oneNote) == 0 {
		kind = "note"
	}
	stamp := t
	if s.r.IntN(oneAhead) == 0 {
		stamp += s.r.Int64N(5 * day)
	}
	rec := &record{key: p.name, value: s.flat(p, kind, stamp)}
	s.push(arrival{at: t + s.delay(), record: rec})
	if s.r.IntN(oneTwice) == 0 {
		s.push(arrival{at: t + s.r.Int64N(hour/2), record: rec})
	}
	if s.r.IntN(onePoisoned) == 0 {
		s.push(arrival{at: t, record: s.poison(p)})
	}
	next := t + int64(float64(day)*math.Exp(p.rhythm+0.6*s.r.NormFloat64()))
	if next < p.leaves {
		s.push(arrival{at: next, who: p})
		return
	}
	s.join(max(next, p.leaves))
}

func (s *shop) delay() int64 {
	if s.r.IntN(oneLate) == 0 {
		return s.r.Int64N(hour / 2)
	}
	return 0
}

// flat renders an event in ebb's own envelope.
func (s *shop) flat(p *person, kind string, t int64) []byte {
	tenant := ""
	if p.tenant != "" {
		tenant = fmt.Sprintf(`,"tenant":%q`, p.tenant)
	}
	return fmt.Appendf(nil, `{"id":"e%d","customer":%q,"type":%q,"time":%q%s}`,
		s.lines, p.name, kind, time.UnixMilli(t).UTC().Format("2006-01-02T15:04:05.000Z"), tenant)
}

// poison is an unusable record, for one of many reasons.
func (s *shop) poison(p *person) *record {
	values := []string{
		fmt.Sprintf(`{"customer":%q`, p.name),
		`{"type":"visit","time":"2020-01-02T03:04:05Z"}`,
		fmt.Sprintf(`{"customer":%q,"time":"2020-01-02T03:04:05Z"}`, p.name),
		fmt.Sprintf(`{"customer":%q,"type":"visit"}`, p.name),
		fmt.Sprintf(`{"customer":%q,"type":"visit","time":"yesterday"}`, p.name),
		"\x00\x00\x00\x00\x07avro",
		"\xff\xfe",
		"",
		fmt.Sprintf(`{"customer":%q,"type":"visit","time":"2020-01-02T03:04:05Z","tenant":["a"]}`, p.name),
	}
	r := &record{
		key:   p.name,
		value: fmt.Appendf(nil, "%s", values[s.r.IntN(len(values))]),
		headers: []kgo.RecordHeader{
			{Key: "number", Value: fmt.Append(nil, s.lines)},
			{Key: "raw", Value: []byte{0, 0xff}},
			{Key: "empty"},
		},
	}
	if len(r.value) == 0 {
		r.value = nil // a tombstone
	}
	return r
}

// ghosts are events that would count if they were committed: they are written and aborted.
func (s *shop) ghosts(records []record) (ghosts []record) {
	for _, r := range records {
		if len(r.headers) == 0 && s.r.IntN(3) == 0 {
			ghosts = append(ghosts, record{key: r.key, value: append([]byte(`{"id":"ghost`), r.value[len(`{"id":"e`):]...)})
		}
	}
	return ghosts
}

// arrivals is a heap by event time.
type arrivals []arrival

func (a *arrivals) Len() int { return len(*a) }
func (a *arrivals) Less(i, j int) bool {
	x, y := (*a)[i], (*a)[j]
	return x.at < y.at || x.at == y.at && x.number < y.number
}
func (a *arrivals) Swap(i, j int) { (*a)[i], (*a)[j] = (*a)[j], (*a)[i] }
func (a *arrivals) Push(x any)    { *a = append(*a, x.(arrival)) } //nolint:forcetypeassert // of heap.Push
func (a *arrivals) Pop() any {
	old := *a
	last := old[len(old)-1]
	old[len(old)-1] = arrival{}
	*a = old[:len(old)-1]
	return last
}
