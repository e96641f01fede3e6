package feature_test

import (
	"math/rand/v2"
	"testing"

	"ebb/scoring/feature"
	"ebb/scoring/scoringtest"
)

// Signals and properties of shopFeatures.
const (
	ordered = iota
	viewed
	searched
	searchedInVain
	returned
	ticketOpened
	ticketSolved
	reviewed
	reviewedBadly
	clicked
	redeemed
	paymentFailed
	paymentSucceeded

	category = 0
	rating   = 1
)

// shopFeatures are those of a shop, 23 over 13 signals.
func shopFeatures() []feature.Feature {
	windowed := func(name string, kind feature.Kind, of, property, within int) feature.Feature {
		return feature.Feature{Name: name, Kind: kind, Of: of, To: -1, Property: property, Within: within}
	}
	since := func(name string, of int) feature.Feature {
		return feature.Feature{Name: name, Kind: feature.Since, Of: of, To: -1, Property: -1}
	}
	list := []feature.Feature{
		windowed("orders_90d", feature.Count, ordered, -1, 90),
		windowed("spend_90d", feature.Sum, ordered, -1, 90),
		windowed("spend_365d", feature.Sum, ordered, -1, 365),
		windowed("order_trend", feature.Trend, ordered, -1, 90),
		windowed("view_trend", feature.Trend, viewed, -1, 30),
		windowed("view_days", feature.ActiveDays, viewed, -1, 14),
		windowed("views_48h", feature.Count, viewed, -1, 48),
		windowed("searches_30d", feature.Count, searched, -1, 30),
		windowed("vain_searches_30d", feature.Count, searchedInVain, -1, 30),
		windowed("returns_90d", feature.Count, returned, -1, 90),
		windowed("categories", feature.Distinct, ordered, category, 180),
		windowed("rating", feature.Last, reviewed, rating, 180),
		windowed("low_reviews", feature.Count, reviewedBadly, -1, 90),
		{Name: "ticket", Kind: feature.Open, Of: ticketOpened, To: ticketSolved, Property: -1, AbsentZero: true},
		windowed("tickets_30d", feature.Count, ticketOpened, -1, 30),
		since("since_click", clicked),
		since("since_redeemed", redeemed),
		since("since_order", ordered),
		{Name: "payment", Kind: feature.Open, Of: paymentFailed, To: paymentSucceeded, Property: -1},
		{Name: "tenure", Kind: feature.Tenure, Of: -1, To: -1, Property: -1},
	}
	list[3].Least, list[4].Least = 3, 3
	list[6].Hourly = true
	ratio := func(name string, of, to int) feature.Feature {
		return feature.Feature{Name: name, Kind: feature.Ratio, Of: of, To: to, Property: -1, Least: 2}
	}
	return append(list, ratio("basket", 1, 0), ratio("return_share", 9, 0), ratio("vain_share", 8, 7))
}

// shopHistory draws so many events of a customer over a year.
func shopHistory(r *rand.Rand, n int) []feature.Event {
	var events []feature.Event
	kinds := []uint64{
		1 << ordered,
		1 << ordered,
		1 << viewed,
		1 << viewed,
		1 << viewed,
		1 << viewed,
		1 << viewed,
		1 << searched,
		1<<searched | 1<<searchedInVain,
		1 << returned,
		1 << ticketOpened,
		1 << ticketSolved,
		1 << reviewed,
		1 << clicked,
		1 << clicked,
		1<<reviewed | 1<<reviewedBadly,
		1 << redeemed,
		1 << paymentFailed,
		1 << paymentSucceeded,
		1 << paymentSucceeded,
	}
	for i := range n {
		events = append(events, feature.Event{
			Time: scoringtest.Begin + (int64(i)*365*scoringtest.Day+r.Int64N(365*scoringtest.Day))/int64(
				n,
			),
			Set:      kinds[r.IntN(len(kinds))],
			Value:    1000 + r.Int64N(20_000),
			HasValue: true,
			Properties: []feature.Property{
				{Kind: feature.PropertyText, Hash: r.Uint64N(8)}, {Kind: feature.PropertyNumber, Number: 1000 * (1 + r.Int64N(5))},
			},
		})
	}
	return events
}

// featureCustomer is a customer with so many events in a year.
type featureCustomer struct {
	f      *feature.Set
	events []feature.Event
	next   int
	year   int64
	state  []byte
	values []feature.Value
	ranges []feature.Range
}

func newFeatureCustomer(tb testing.TB, n int) *featureCustomer {
	tb.Helper()
	h := &featureCustomer{
		f:      scoringtest.Must(feature.Compile(shopFeatures())),
		events: shopHistory(rand.New(rand.NewPCG(1, uint64(n))), n),
	}
	h.state = make([]byte, 0, 2*h.f.MaxState())
	for range h.events {
		h.fold()
	}
	h.values = h.f.Values(nil, feature.All, h.state, scoringtest.Begin, scoringtest.Begin+366*scoringtest.Day)
	return h
}

// fold folds the next event; after the last comes the first, a year later.
func (h *featureCustomer) fold() {
	o := h.events[h.next]
	o.Time += h.year
	h.state, _ = h.f.Fold(h.state, &o)
	if h.next++; h.next == len(h.events) {
		h.next, h.year = 0, (h.year+365*scoringtest.Day)%(100*365*scoringtest.Day)
		if h.year == 0 {
			h.state = h.state[:0]
		}
	}
}

func (h *featureCustomer) steps() map[string]func() {
	at := scoringtest.Begin + 366*scoringtest.Day
	return map[string]func(){
		"fold":   h.fold,
		"values": func() { h.values = h.f.Values(h.values[:0], feature.All, h.state, scoringtest.Begin, at) },
		"ranges": func() {
			h.ranges = h.f.Ranges(h.ranges[:0], feature.All, h.state, scoringtest.Begin, at, at+14*scoringtest.Day)
		},
		"edge":  func() { h.f.EdgeOfAny(h.values, h.state, scoringtest.Begin, at) },
		"valid": func() { h.f.Valid(h.state) },
	}
}

func TestFeaturesDoNotAllocate(t *testing.T) {
	for _, n := range []int{30, 3000} {
		for name, step := range newFeatureCustomer(t, n).steps() {
			if n := testing.AllocsPerRun(2000, step); n != 0 {
				t.Errorf("%s: %v allocations", name, n)
			}
		}
	}
}

// BenchmarkFeatures measures the features of a shop on customers with 30, 300 and 3,000 events a year.
func BenchmarkFeatures(b *testing.B) {
	for _, c := range []struct {
		name   string
		events int
	}{{"typical", 30}, {"busy", 300}, {"machine", 3000}} {
		h := newFeatureCustomer(b, c.events)
		size := len(h.state)
		for name, step := range h.steps() {
			b.Run(c.name+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					step()
				}
				b.ReportMetric(float64(size), "state-bytes")
			})
		}
	}
}
