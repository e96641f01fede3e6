package delivery

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ebb/sinks/format"
)

// Metrics are the measurements of all lanes of a process. Names and labels are a contract.
type Metrics struct {
	attempts *prometheus.HistogramVec // outcome
	failures *prometheus.CounterVec   // class
	letters  *prometheus.CounterVec   // reason
	gone     prometheus.Counter
	over     prometheus.Counter
	lag      *prometheus.GaugeVec // partition
	stall    *prometheus.GaugeVec // partition
	undone   *prometheus.GaugeVec // partition
}

// NewMetrics builds the metrics and registers them. classes are those of the destination's failures.
func NewMetrics(r prometheus.Registerer, classes []string) *Metrics {
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, []string{"partition"})
	}
	m := &Metrics{
		attempts: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "ebb_deliver_attempt_seconds",
			Help:    "Time of attempts, by outcome: delivered or failed; its _count is the number of each.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 13),
		}, []string{"outcome"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ebb_deliver_failures_total", Help: "Failed attempts, by class.",
		}, []string{"class"}),
		letters: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ebb_deliver_dead_letters_total",
			Help: "Alerts that were given up, by reason: expired before the destination took them, or unreadable.",
		}, []string{"reason"}),
		gone: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "ebb_deliver_lost_total",
			Help: "Offsets that the alert topic's retention deleted before they were delivered.",
		}),
		over: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "ebb_deliver_passed_over_total", Help: "Alerts that deliver.match leaves out.",
		}),
		lag: gauge("ebb_deliver_lag_records", "Records of the alert topic that are neither delivered nor dead letters."),
		stall: gauge("ebb_deliver_stalled_since_seconds",
			"Unix time of the first attempt since the latest success that failed; 0: the latest succeeded."),
		undone: gauge("ebb_deliver_oldest_undelivered_seconds",
			"Unix time of the oldest alert that is not delivered, as event time; 0: there is none."),
	}
	r.MustRegister(m.attempts, m.failures, m.letters, m.gone, m.over, m.lag, m.stall, m.undone)
	for _, outcome := range []string{outcomeDelivered, outcomeFailed} {
		m.attempts.WithLabelValues(outcome)
	}
	for _, class := range classes {
		m.failures.WithLabelValues(class)
	}
	for _, reason := range []string{format.ReasonExpired, format.ReasonUnreadable} {
		m.letters.WithLabelValues(reason)
	}
	return m
}

// Outcomes of an attempt.
const (
	outcomeDelivered = "delivered"
	outcomeFailed    = "failed"
)

func (m *Metrics) attempt(took time.Duration, err error) {
	outcome := outcomeDelivered
	if err != nil {
		outcome = outcomeFailed
		m.failures.WithLabelValues(asFailure(err).Class).Inc()
	}
	m.attempts.WithLabelValues(outcome).Observe(took.Seconds())
}

func (m *Metrics) buried(reason string) { m.letters.WithLabelValues(reason).Inc() }

func (m *Metrics) passed() { m.over.Inc() }

func (m *Metrics) lost(offsets int64) { m.gone.Add(float64(offsets)) }

func (m *Metrics) behind(partition int32, records int64) {
	m.lag.WithLabelValues(label(partition)).Set(float64(records))
}

func (m *Metrics) stalled(partition int32, since time.Time) {
	seconds := 0.0
	if !since.IsZero() {
		seconds = float64(since.UnixMilli()) / 1000
	}
	m.stall.WithLabelValues(label(partition)).Set(seconds)
}

// oldest sets the time of the oldest alert that is not delivered, in ms since the epoch; 0: there is none.
func (m *Metrics) oldest(partition int32, at int64) {
	m.undone.WithLabelValues(label(partition)).Set(float64(at) / 1000)
}

// forget drops what concerns a partition that this process has no more.
func (m *Metrics) forget(partition int32) {
	for _, g := range []*prometheus.GaugeVec{m.lag, m.stall, m.undone} {
		g.DeleteLabelValues(label(partition))
	}
}

func label(partition int32) string { return strconv.Itoa(int(partition)) }
