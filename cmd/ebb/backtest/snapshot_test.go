package backtest

import (
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"ebb/scoring/model"
)

// TestWithoutAFactor: a factor is worth what the others, within the cap, do not add without it.
func TestWithoutAFactor(t *testing.T) {
	for name, c := range map[string]struct {
		factors []float64
		cap     float64
		want    []float64 // what is subtracted from the score, factor by factor
	}{
		"below the cap":         {[]float64{0.25, -0.5}, 1, []float64{0.25, -0.5}},
		"each reaches it alone": {[]float64{1, 1}, 1, []float64{0, 0}},
		"one goes beyond it":    {[]float64{0.75, 0.75}, 1, []float64{0.25, 0.25}},
		"one against another":   {[]float64{1.5, -0.25}, 1, []float64{1.25, 0}},
		"all take away":         {[]float64{-1, -0.5}, 1, []float64{-0.5, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			core := [model.NumTerms]float64{1.5, -1, 0.5, 0, 0, 0.25}
			s := &snapshot{
				cap:   c.cap,
				names: make([]string, model.NumTerms+len(c.factors)),
				terms: append(core[:], c.factors...),
			}
			score := 1.25 + s.capped(s.terms, -1)
			s.rows = []row{{score: score}}
			var got []float64
			for i := range c.factors {
				got = append(got, score-s.without(model.NumTerms + i)[0])
			}
			if diff := gocmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got := score - s.without(0)[0]; got != 1.5 {
				t.Errorf("the base is worth %v", got)
			}
		})
	}
}
