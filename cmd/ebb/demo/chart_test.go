package demo

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ebb/cmd/ebb/terminal"
	"ebb/scoring/pack"
)

// TestChart draws a customer who comes, falls silent, is back, and leaves.
func TestChart(t *testing.T) {
	from := time.Date(2025, 2, 14, 0, 0, 0, 0, time.UTC)
	s := &scores{from: from.UnixMilli(), step: (10 * 24 * time.Hour).Milliseconds()}
	for _, risk := range []float64{-1, -1, 5, 0, 9, 22, 38, 41, 58, 61, 12, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100} {
		s.most = append(s.most, risk)
		s.visited = append(s.visited, risk >= 0 && risk < 13)
	}
	var out bytes.Buffer
	c := &chart{
		screen: terminal.NewScreen(&out, nil), tiers: pack.Tiers{Watch: 40, AtRisk: 60, Critical: 80}, scores: s,
		raised: []int64{s.from + 9*s.step, s.from + 17*s.step - 1},
	}
	c.draw()
	want := `critical 80                    ▄█
at_risk  60                  ▄███
watch    40         ▇█     ▄█████
         20      ▁▇███   ▄███████
          0   ▂▁▄█████▅▄█████████
    visits    ···     ··
    alerts           ▲      ▲
                Apr      Jul
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("want (-), drawn (+):\n%s", diff)
	}
}
