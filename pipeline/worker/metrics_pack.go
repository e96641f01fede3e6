package worker

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"ebb/pipeline"
)

// packActive shows which pack a partition is scored with: customers change to it with their next event.
func (m *Metrics) packActive(partition int, k pipeline.PackRef) {
	p := strconv.Itoa(partition)
	m.pack.DeletePartialMatch(prometheus.Labels{"partition": p})
	m.pack.WithLabelValues(p, k.Name, k.Version, k.Hash).Set(1)
}

// showPack shows the pack that the partition is scored with, if it has changed.
func (o *owner) showPack() {
	if k := pipeline.RefOf(o.line.Pack()); k != o.active {
		o.active = k
		o.cfg.Metrics.packActive(o.cfg.Line.Identity.Partition, k)
	}
}
