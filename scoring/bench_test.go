package scoring_test

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"ebb/scoring"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// visit is one event of the seeded load.
type visit struct {
	ms       int64
	customer int32
	kind     uint8
}

// loadTypes are the event types of the load, each as often as it is listed.
var loadTypes = []string{
	"Product Viewed",
	"Product Viewed",
	"Product Viewed",
	"Product Viewed",
	"Product Viewed",
	"Product Viewed",
	"Product Added",
	"Product Added",
	"Products Searched",
	"Products Searched",
	"Order Completed",
	"Order Completed",
	"Order Completed",
	"Support Ticket Opened",
	"Payment Failed",
	"Signed In",
	"Signed In",
	"Signed In",
	"Signed In",
	"Email Clicked",
}

// load is a shop over half a year: each customer a renewal process with its own log-normal gap; half of them stop for
// good.
func load(events, customers int, seed uint64) []visit {
	r := rand.New(rand.NewPCG(seed, seed^0x9e3779b97f4a7c15))
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	const span = 180 * 86_400e3
	mean := float64(events) / float64(customers)
	var all []visit
	for len(all) < events {
		for c := range customers {
			mu := math.Log(span/mean/2) + 0.9*r.NormFloat64()
			t, stop := r.Float64()*span*0.6, span
			if r.Float64() < 0.5 {
				stop = t + r.ExpFloat64()*span*0.4
			}
			for n := 0; t < min(span, stop) && n < int(8*mean); n++ {
				all = append(all, visit{start + int64(t), int32(c), uint8(r.IntN(len(loadTypes)))})
				t += math.Exp(mu + 0.8*r.NormFloat64())
			}
		}
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	all = all[:events]
	slices.SortFunc(
		all,
		func(a, b visit) int { return cmp.Or(cmp.Compare(a.ms, b.ms), cmp.Compare(a.customer, b.customer)) },
	)
	return all
}

// BenchmarkLoad folds the load as the line does, deadlines included, in one partition: nanoseconds, looks at
// customers by deadline and deadlines stored, per event.
func BenchmarkLoad(b *testing.B) {
	for _, horizon := range []time.Duration{90 * 24 * time.Hour, 30 * 24 * time.Hour} {
		b.Run(horizon.String(), func(b *testing.B) {
			k := scoringtest.Must(pack.Load("retail", nil, pack.Overrides{Horizon: horizon}))
			signals := make([]pack.Signal, len(loadTypes))
			for i, t := range loadTypes {
				signals[i] = k.Signal([]byte(t))
			}
			const events, customers = 1_000_000, 100_000
			visits := load(events, customers, 1)
			b.ResetTimer()
			var woken, armed, decided int
			var wakeTime time.Duration
			for b.Loop() {
				woken, armed, decided, wakeTime = fold(k, visits, signals, customers)
			}
			n := float64(events)
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/event")
			b.ReportMetric(float64(wakeTime.Nanoseconds())/n, "sweep-ns/event")
			b.ReportMetric(float64(woken)/n, "woken/event")
			b.ReportMetric(float64(armed)/n, "armed/event")
			b.ReportMetric(float64(decided)/n, "alerts/event")
		})
	}
}

// fold observes every visit and, each hour of event time, wakes the customers that are due.
func fold(
	pack *pack.Pack,
	visits []visit,
	signals []pack.Signal,
	customers int,
) (woken, armed, decided int, sweep time.Duration) {
	profiles := make([]profile.Profile, customers)
	one := &profile.Customer{}
	scorer := scoring.NewScorer(pack)
	due := map[int64][]int32{}
	var pop profile.Population
	arm := func(c int32, before int64) {
		if a := profiles[c].Armed; a != 0 && a != before {
			due[a/60] = append(due[a/60], c)
			armed++
		}
	}
	wake := func(c int32, limit int64) {
		p := &profiles[c]
		for p.Armed != 0 && p.Armed <= limit {
			woken++
			one.Profile = p
			decided += len(scorer.Wake(one))
		}
	}
	hour := visits[0].ms / 3_600_000
	for _, v := range visits {
		if h := v.ms / 3_600_000; h > hour {
			began := time.Now()
			for ; hour < h; hour++ {
				for _, c := range due[hour] {
					before := profiles[c].Armed
					wake(c, hour*60+59)
					arm(c, before)
				}
				delete(due, hour)
			}
			sweep += time.Since(began)
		}
		p := &profiles[v.customer]
		before := p.Armed
		wake(v.customer, v.ms/60_000)
		one.Profile = p
		decided += len(scorer.Observe(one, &pop, &scoring.Observation{Time: v.ms, Signal: signals[v.kind]}))
		arm(v.customer, before)
	}
	return woken, armed, decided, sweep
}
