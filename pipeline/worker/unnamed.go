package worker

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"ebb/pipeline/line"
)

// unnamedTypes is the process's summary of types that the pack does not name, and the metric that shows the most
// frequent.
type unnamedTypes struct {
	desc  *prometheus.Desc
	mu    sync.Mutex
	types line.Types
}

// unnamedShown bounds the metric's label: so many types at most.
const unnamedShown = 20

func newUnnamedTypes(prefix string) *unnamedTypes {
	return &unnamedTypes{desc: prometheus.NewDesc(
		prefix+"unnamed_events",
		"Events of the 20 most frequent types that the pack does not name, since the process started; where there are more "+
			"than 64 such types a count may be too high.",
		[]string{"type"},
		nil,
	)}
}

func (u *unnamedTypes) add(t *line.Types) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.types.Add(t)
}

func (u *unnamedTypes) top(n int) []line.TypeCount {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.types.Top(n)
}

// Describe implements prometheus.Collector.
func (u *unnamedTypes) Describe(out chan<- *prometheus.Desc) { out <- u.desc }

// Collect implements prometheus.Collector.
func (u *unnamedTypes) Collect(out chan<- prometheus.Metric) {
	for _, t := range u.top(unnamedShown) {
		m, err := prometheus.NewConstMetric(u.desc, prometheus.GaugeValue, float64(t.Events), t.Type)
		if err != nil { // not UTF-8: names from senders must not end a scrape
			continue
		}
		out <- m
	}
}
