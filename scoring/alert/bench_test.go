package alert_test

import (
	"testing"

	"ebb/scoring/alert"
	"ebb/scoring/pack"
	"ebb/scoring/scoringtest"
)

// BenchmarkAppendAlert renders alerts of every kind and transition that occurs with a pack: nanoseconds and bytes of
// JSON for each.
func BenchmarkAppendAlert(b *testing.B) {
	for _, name := range []string{"any", "retail", "saas"} {
		b.Run(name, func(b *testing.B) {
			k := scoringtest.Must(pack.Load(name, nil, pack.Overrides{}))
			r, all, out := alert.NewRenderer(k), manyDecided(k, 7, 60, 0), make([]byte, 0, 1<<14)
			ids := make([]alert.ID, len(all))
			for i := range all {
				ids[i] = all[i].ID()
			}
			b.ReportAllocs()
			n, written := 0, 0
			for b.Loop() {
				i := n % len(all)
				out = r.AppendAlert(out[:0], &all[i], ids[i])
				n, written = n+1, written+len(out)
			}
			b.ReportMetric(float64(written)/float64(n), "json-B/op")
		})
	}
}

// BenchmarkExplain explains the same alerts by their pack.
func BenchmarkExplain(b *testing.B) {
	k := scoringtest.Must(pack.Load("retail", nil, pack.Overrides{}))
	r, all := alert.NewRenderer(k), manyAlerts(b, k)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if _, err := r.Explain(all[n%len(all)]); err != nil {
			b.Fatal(err)
		}
		n++
	}
}
