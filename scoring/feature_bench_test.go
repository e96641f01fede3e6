package scoring_test

import (
	"math/rand/v2"
	"testing"

	"ebb/scoring"
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
func shopFeatures() []scoring.Feature {
	windowed := func(name string, kind scoring.FeatureKind, of, property, within int) scoring.Feature {
		return scoring.Feature{Name: name, Kind: kind, Of: of, To: -1, Property: property, Within: within}
	}
	since := func(name string, of int) scoring.Feature {
		return scoring.Feature{Name: name, Kind: scoring.FeatureSince, Of: of, To: -1, Property: -1}
	}
	list := []scoring.Feature{
		windowed("orders_90d", scoring.FeatureCount, ordered, -1, 90),
		windowed("spend_90d", scoring.FeatureSum, ordered, -1, 90),
		windowed("spend_365d", scoring.FeatureSum, ordered, -1, 365),
		windowed("order_trend", scoring.FeatureTrend, ordered, -1, 90),
		windowed("view_trend", scoring.FeatureTrend, viewed, -1, 30),
		windowed("view_days", scoring.FeatureActiveDays, viewed, -1, 14),
		windowed("views_48h", scoring.FeatureCount, viewed, -1, 48),
		windowed("searches_30d", scoring.FeatureCount, searched, -1, 30),
		windowed("vain_searches_30d", scoring.FeatureCount, searchedInVain, -1, 30),
		windowed("returns_90d", scoring.FeatureCount, returned, -1, 90),
		windowed("categories", scoring.FeatureDistinct, ordered, category, 180),
		windowed("rating", scoring.FeatureLast, reviewed, rating, 180),
		windowed("low_reviews", scoring.FeatureCount, reviewedBadly, -1, 90),
		{Name: "ticket", Kind: scoring.FeatureOpen, Of: ticketOpened, To: ticketSolved, Property: -1, AbsentZero: true},
		windowed("tickets_30d", scoring.FeatureCount, ticketOpened, -1, 30),
		since("since_click", clicked),
		since("since_redeemed", redeemed),
		since("since_order", ordered),
		{Name: "payment", Kind: scoring.FeatureOpen, Of: paymentFailed, To: paymentSucceeded, Property: -1},
		{Name: "tenure", Kind: scoring.FeatureTenure, Of: -1, To: -1, Property: -1},
	}
	list[3].Least, list[4].Least = 3, 3
	list[6].Hourly = true
	ratio := func(name string, of, to int) scoring.Feature {
		return scoring.Feature{Name: name, Kind: scoring.FeatureRatio, Of: of, To: to, Property: -1, Least: 2}
	}
	return append(list, ratio("basket", 1, 0), ratio("return_share", 9, 0), ratio("vain_share", 8, 7))
}

// shopHistory draws so many events of a customer over a year.
func shopHistory(r *rand.Rand, n int) []scoring.FeatureEvent {
	var events []scoring.FeatureEvent
	kinds := []uint64{
		1 << ordered, 1 << ordered, 1 << viewed, 1 << viewed, 1 << viewed, 1 << viewed, 1 << viewed, 1 << searched,
		1<<searched | 1<<searchedInVain, 1 << returned, 1 << ticketOpened, 1 << ticketSolved, 1 << reviewed, 1 << clicked, 1 << clicked,
		1<<reviewed | 1<<reviewedBadly, 1 << redeemed, 1 << paymentFailed, 1 << paymentSucceeded, 1 << paymentSucceeded,
	}
	for i := range n {
		events = append(events, scoring.FeatureEvent{
			Time: scoringtest.Begin + (int64(i)*365*scoringtest.Day+r.Int64N(365*scoringtest.Day))/int64(n), Set: kinds[r.IntN(len(kinds))],
			Value: 1000 + r.Int64N(20_000), HasValue: true, Properties: []scoring.PropertyValue{
				{Kind: scoring.PropertyText, Hash: r.Uint64N(8)}, {Kind: scoring.PropertyNumber, Number: 1000 * (1 + r.Int64N(5))},
			},
		})
	}
	return events
}

// featureCustomer is a customer with so many events in a year.
type featureCustomer struct {
	f      *scoring.Features
	events []scoring.FeatureEvent
	next   int
	year   int64
	state  []byte
	values []scoring.FeatureValue
	ranges []scoring.FeatureRange
}

func newFeatureCustomer(tb testing.TB, n int) *featureCustomer {
	tb.Helper()
	h := &featureCustomer{f: scoringtest.Must(scoring.CompileFeatures(shopFeatures())), events: shopHistory(rand.New(rand.NewPCG(1, uint64(n))), n)}
	h.state = make([]byte, 0, 2*h.f.MaxState())
	for range h.events {
		h.fold()
	}
	h.values = h.f.Values(nil, scoring.AllFeatures, h.state, scoringtest.Begin, scoringtest.Begin+366*scoringtest.Day)
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
		"values": func() { h.values = h.f.Values(h.values[:0], scoring.AllFeatures, h.state, scoringtest.Begin, at) },
		"ranges": func() {
			h.ranges = h.f.Ranges(h.ranges[:0], scoring.AllFeatures, h.state, scoringtest.Begin, at, at+14*scoringtest.Day)
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
