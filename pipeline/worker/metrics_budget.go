package worker

import "github.com/prometheus/client_golang/prometheus"

// tickBudgets refreshes the gauges of budgets.
func (m *Metrics) tickBudgets(o *owner, partition string) {
	m.waiting.DeletePartialMatch(prometheus.Labels{"partition": partition})
	for _, lane := range o.line.Lanes() {
		m.waiting.WithLabelValues(partition, lane.Name).Set(float64(lane.Held))
	}
	if o.cfg.Line.Identity.Partition != 0 {
		return
	}
	m.budgets.Reset()
	budgets := o.line.Budgets()
	for i := range budgets {
		kept := o.line.Lane(budgets[i].Lane)
		m.budgets.WithLabelValues(budgets[i].Lane).Set(float64(kept.Grant.LeftOn(&budgets[i], o.line.Today())))
	}
}
