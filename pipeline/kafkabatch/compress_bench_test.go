package kafkabatch_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"ebb/pipeline/kafkabatch"
	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// someAlerts are n alerts about shoppers who fell silent after one to forty orders.
func someAlerts(b *testing.B, n int) (alerts [][]byte) {
	b.Helper()
	const day = 86_400_000
	pack, err := pack.Load("retail", nil, pack.Overrides{})
	if err != nil {
		b.Fatal(err)
	}
	s, renderer, pop := scoring.NewScorer(pack), alert.NewRenderer(pack), &profile.Population{}
	for i := range uint64(n) {
		r := rand.New(rand.NewPCG(1, i))
		c := profile.Customer{Profile: &profile.Profile{}}
		at := int64(1_700_000_000_000)
		for range 1 + r.IntN(40) {
			s.Observe(
				&c,
				pop,
				&scoring.Observation{
					Time:     at,
					Signal:   pack.Signal([]byte("Order Completed")),
					HasValue: true,
					Value:    r.Int64N(50_000),
				},
			)
			at += day + r.Int64N(20*day)
		}
		for c.Armed != 0 {
			for _, d := range s.Wake(&c) {
				a := alert.Alert{
					Decision: d,
					Customer: fmt.Appendf(nil, "c-%08d", i),
					Cause:    alert.Cause{Deadline: true, Time: d.At},
				}
				alerts = append(alerts, renderer.AppendAlert(nil, &a, a.ID()))
			}
		}
	}
	return alerts
}

// BenchmarkDeflate is what compressing alerts costs, and what it leaves of them.
func BenchmarkDeflate(b *testing.B) {
	alerts := someAlerts(b, 400)
	for name, how := range map[string]kafkabatch.Compression{"snappy": kafkabatch.Snappy, "zstd": kafkabatch.Zstd} {
		b.Run(name, func(b *testing.B) {
			d := kafkabatch.NewCompressed(how, alerts)
			b.SetBytes(int64(d.Size))
			b.ReportAllocs()
			for b.Loop() {
				if err := d.Compress(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(d.Compressed)/float64(d.Size), "left")
			b.ReportMetric(float64(d.Size)/float64(len(alerts)), "bytes/alert")
		})
	}
}
