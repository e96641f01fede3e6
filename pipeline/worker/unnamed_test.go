package worker

import (
	"fmt"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"ebb/pipeline/line"
)

// TestUnnamedTypesMetric shows the most frequent types and no more, whatever their names.
func TestUnnamedTypesMetric(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := NewMetrics(registry)
	for range 2 { // commits
		tally := line.Tally{Types: &line.Types{}}
		for i := range 40 {
			for range 40 - i {
				tally.Unnamed++
				tally.Types.Observe(fmt.Appendf(nil, "type %d", i))
			}
		}
		tally.Types.Observe([]byte("no UTF-8: \xff"))
		m.committed(&tally)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		if f.GetName() == "ebb_unnamed_events" {
			for _, s := range f.GetMetric() {
				got[s.GetLabel()[0].GetValue()] = s.GetGauge().GetValue()
			}
		}
	}
	if len(got) != unnamedShown || got["type 0"] != 80 || got["type 19"] != 42 {
		t.Errorf("%v", got)
	}
	m.unnamed.types = line.Types{}
	m.unnamed.types.Observe([]byte("\xff"))
	if _, err := registry.Gather(); err != nil {
		t.Error(err)
	}
}
