package pipeline

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// TestOutboxAgeAfterATakeover: an outbox that was taken over full has the age of the ownership, not of the calendar.
func TestOutboxAgeAfterATakeover(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := NewMetrics(registry)
	o := &owner{
		Worker: NewWorker(Config{Metrics: m}), p: &Protocol{outbox: make([]Pending, 1)},
		line: &line{cache: newCache(1), due: newDueQueue()},
	}
	m.tick(o)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "ebb_outbox_age_seconds" {
			if age := f.GetMetric()[0].GetGauge().GetValue(); age > 1 {
				t.Errorf("the outbox is %v s old", age)
			}
			return
		}
	}
	t.Error("ebb_outbox_age_seconds is missing")
}
