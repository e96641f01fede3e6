package worker

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ebb/pipeline"
	"ebb/pipeline/line"
	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/profile"
)

// Metrics are the line's published measurements. Names and labels are a contract.
type Metrics struct {
	events      *prometheus.CounterVec // outcome
	oddities    *prometheus.CounterVec // kind
	quarantined *prometheus.CounterVec // code
	unnamed     *unnamedTypes
	folded      foldedCount
	alerts      *prometheus.CounterVec // transition
	tiers       *prometheus.CounterVec // tier
	arms        *prometheus.CounterVec // arm
	suppressed  prometheus.Counter
	decided     prometheus.Counter
	withheld    *prometheus.CounterVec // reason
	released    *prometheus.CounterVec // reason
	withdrawn   *prometheus.CounterVec // reason
	removed     prometheus.Counter
	erased      prometheus.Counter
	gone        prometheus.Counter
	drawn       prometheus.Counter
	strays      prometheus.Counter
	deadlines   *prometheus.CounterVec // outcome
	steps       *prometheus.HistogramVec
	interrupts  *prometheus.CounterVec // partition, reason
	stops       *prometheus.GaugeVec   // partition, code
	stalls      *prometheus.GaugeVec   // partition
	packWait    *prometheus.GaugeVec   // partition, reason
	reload      prometheus.Gauge
	throttled   *prometheus.CounterVec // request
	pack        *prometheus.GaugeVec   // partition, name, version, hash

	poison    *prometheus.GaugeVec   // partition
	advances  *prometheus.CounterVec // partition
	lag       *prometheus.GaugeVec
	delay     *prometheus.GaugeVec
	watermark *prometheus.GaugeVec
	outbox    *prometheus.GaugeVec
	outboxAge *prometheus.GaugeVec
	due       *prometheus.GaugeVec
	customers *prometheus.GaugeVec
	held      *prometheus.GaugeVec   // partition, reason
	storms    *prometheus.CounterVec // partition
	silences  *prometheus.GaugeVec   // partition
	budgets   *prometheus.GaugeVec   // lane
	waiting   *prometheus.GaugeVec   // partition, lane
	cached    *prometheus.GaugeVec
	sources   *prometheus.GaugeVec
}

// NewMetrics builds the metrics and registers them.
func NewMetrics(r prometheus.Registerer) *Metrics { return newMetrics(r, "ebb_") }

// NewShadowMetrics builds the same for the shadow of this name. Their prefix is ebb_shadow_ instead of ebb_, so that no
// sum over the main processor's metrics includes them, and the label shadow names the shadow. Any number of shadows may
// share a registry.
func NewShadowMetrics(r prometheus.Registerer, shadow string) *Metrics {
	return newMetrics(prometheus.WrapRegistererWith(prometheus.Labels{"shadow": shadow}, r), shadowPrefix)
}

const shadowPrefix = "ebb_shadow_"

// NewShadowUp builds and registers the metric that shows whether a shadow runs.
func NewShadowUp(r prometheus.Registerer) *prometheus.GaugeVec {
	up := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: shadowPrefix + "up",
		Help: "1 while the shadow is at work or waits for Kafka or Redis, 0 once it has ended by a fault: the log says why " +
			"and what to do.",
	}, []string{"shadow"})
	r.MustRegister(up)
	return up
}

// newMetrics builds metrics whose names begin with prefix.
func newMetrics(r prometheus.Registerer, prefix string) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help}, labels)
		r.MustRegister(v)
		return v
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: prefix + name, Help: help}, labels)
		r.MustRegister(v)
		return v
	}
	m := &Metrics{
		events: counter("events_total", "Input records whose effect is committed, by outcome.", "outcome"),
		oddities: counter(
			"event_oddities_total",
			"Counted events that are late, too late for every window of the features, ahead of the watermark by more than a "+
				"day, of a type the pack does not name, of a customer that only the subject of a CloudEvent named, of one whom "+
				"the pack does not alert about yet, with money in another currency than their customer's, or that name a time "+
				"zone or a channel which is none.",
			"kind",
		),
		quarantined: counter("quarantined_total", "Input records that could not be used, by code.", "code"),
		alerts:      counter("alerts_total", "Alerts decided and committed, by transition.", "transition"),
		tiers:       counter("alert_tiers_total", "Alerts decided and committed, by tier.", "tier"),
		arms: counter(
			"alert_arms_total",
			"Alerts decided and committed of episodes that were raised while a holdout was on, by arm: those of `holdout` "+
				"went to kafka.holdout.",
			"arm",
		),
		suppressed: prometheus.NewCounter(
			prometheus.CounterOpts{
				Name: prefix + "suppressed_total",
				Help: "Decisions repeated after the state was rolled back, published before and not again.",
			},
		),
		decided: prometheus.NewCounter(
			prometheus.CounterOpts{
				Name: prefix + "decided_total",
				Help: "Decisions: each is in ebb_alerts_total, in ebb_withheld_total, in ebb_withdrawn_total or among " +
					"ebb_held_raises.",
			},
		),
		withheld: counter(
			"withheld_total",
			"Decisions that never become an alert, by reason; of repeated ones, unusable records too.",
			"reason",
		),
		released: counter("released_total", "Held raises that became an alert after all, by why they were held.", "reason"),
		withdrawn: counter(
			"withdrawn_total",
			"Held raises that never become an alert, by why they were held: their episode ended first, or their customer is gone.",
			"reason",
		),
		deadlines: counter(
			"deadlines_total",
			"Customers' deadlines, by what happened: stored, or looked at when due.",
			"outcome",
		),
		removed: prometheus.NewCounter(
			prometheus.CounterOpts{
				Name: prefix + "customers_removed_total",
				Help: "Customers whose state was removed, silent for the retention.",
			},
		),
		erased: prometheus.NewCounter(
			prometheus.CounterOpts{
				Name: prefix + "customers_erased_total",
				Help: "Customers who were erased.",
			},
		),
		gone: prometheus.NewCounter(
			prometheus.CounterOpts{
				Name: prefix + "initial_gone_total",
				Help: "Held raises of a first start that were given up: when history was over, or by the time they were to be " +
					"released, they had begun more than two horizons ago.",
			},
		),
		drawn: prometheus.NewCounter(
			prometheus.CounterOpts{
				Name: prefix + "customers_drawn_total",
				Help: "Customers drawn to see whether other partitions know them too.",
			},
		),
		strays: prometheus.NewCounter(
			prometheus.CounterOpts{
				Name: prefix + "customers_stray_total",
				Help: "Customers among those drawn with state in more than one partition: the input is not keyed by customer.",
			},
		),
		interrupts: counter(
			"interruptions_total",
			"Times a partition had to be taken over again, by reason.",
			"partition",
			"reason",
		),
		throttled: counter(
			"kafka_throttled_seconds_total",
			"Time for which brokers held requests up by a quota, by kind of request.",
			"request",
		),
		stops: gauge(
			"partition_stopped",
			"1 where a partition has stopped until a person decides, by code.",
			"partition",
			"code",
		),
		stalls: gauge(
			"partition_stalled",
			"1 where a running partition does not move, though there is something to do.",
			"partition",
		),
		packWait: gauge(
			"pack_waiting",
			"1 where the configured pack does not apply to a partition, by reason.",
			"partition",
			"reason",
		),
		reload: prometheus.NewGauge(
			prometheus.GaugeOpts{
				Name: prefix + "pack_reload_failed",
				Help: "1 while the pack's file has changed and cannot be used: the pack of before stays.",
			},
		),
		unnamed: newUnnamedTypes(prefix),
		poison: gauge(
			"quarantined_ratio",
			"Share of the partition's last 1,000 records that could not be used; above input.poison_breaker the partition "+
				"stops.",
			"partition",
		),
		advances: counter(
			"idle_advances_total",
			"Time records written where no event came for time.idle: how often deadlines fired by the clock.",
			"partition",
		),
		lag:       gauge("lag_records", "Records in the log that have not been folded.", "partition"),
		delay:     gauge("delay_seconds", "Wall time between the newest folded record's timestamp and now.", "partition"),
		watermark: gauge("watermark_lag_seconds", "Wall time minus the partition's event-time watermark.", "partition"),
		outbox:    gauge("outbox_entries", "Entries committed and not yet published.", "partition"),
		outboxAge: gauge("outbox_age_seconds", "How long the oldest entry of the outbox has waited at most.", "partition"),
		due:       gauge("deadlines_due", "Armed deadlines in the hours that the watermark has reached.", "partition"),
		customers: gauge(
			"customers",
			"Customers with state, by whether the pack alerts about them.",
			"partition",
			"eligible",
		),
		sources: gauge(
			"source_stalled",
			"1 for a guarded source of events that is stalled, else 0; an empty name is of the events that name none.",
			"partition",
			"source",
		),
		cached: gauge("cached_customers", "Profiles kept in memory.", "partition"),
		held: gauge(
			"held_raises",
			"Raises that are held: decided, not published, and to be decided once more; by reason: of a first start's history, "+
				"of a storm, for a silence, or for a budget.",
			"partition",
			"reason",
		),
		silences: gauge("silences", "Silences in force, which hold back the raises that they match.", "partition"),
		budgets: gauge(
			"budget_left",
			"Raises of a lane that its budget has left today, in event time, for all partitions; from the process that owns partition 0.",
			"lane",
		),
		waiting: gauge("budget_waiting", "Raises that wait for the budget of a lane.", "partition", "lane"),
		storms: counter(
			"storms_total",
			"Hours in which far more lapses fell due than usual, so that further ones were held.",
			"partition",
		),
		steps: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: prefix + "step_seconds", Help: "Time of the protocol's steps.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"step"}),
	}
	r.MustRegister(m.suppressed, m.decided, m.removed, m.erased, m.gone, m.drawn, m.strays, m.steps, m.unnamed, m.reload)
	m.pack = gauge(
		"pack_active",
		"1 for the pack that a partition is scored with.",
		"partition",
		"name",
		"version",
		"hash",
	)
	return m
}

// UnnamedTypes are the most frequent event types that the pack does not name, at most n, over all partitions since the
// start.
func (m *Metrics) UnnamedTypes(n int) []line.TypeCount { return m.unnamed.top(n) }

func (m *Metrics) step(s pipeline.Step, took time.Duration) {
	m.steps.WithLabelValues(s.String()).Observe(took.Seconds())
}

func (m *Metrics) interrupted(partition int, reason string) {
	m.interrupts.WithLabelValues(strconv.Itoa(partition), reason).Inc()
}

// Throttled counts for how long brokers held a kind of request up by a quota.
func (m *Metrics) Throttled(request string, d time.Duration) {
	m.throttled.WithLabelValues(request).Add(d.Seconds())
}

// Drawn counts a customer that was looked for in every partition.
func (m *Metrics) Drawn(stray bool) {
	m.drawn.Inc()
	if stray {
		m.strays.Inc()
	}
}

func (m *Metrics) passed(partition int, times uint64) {
	if times > 0 {
		m.advances.WithLabelValues(strconv.Itoa(partition)).Add(float64(times))
	}
}

func (m *Metrics) stormOpened(partition int) { m.storms.WithLabelValues(strconv.Itoa(partition)).Inc() }

func (m *Metrics) stopped(partition int, code string) {
	m.stops.WithLabelValues(strconv.Itoa(partition), code).Set(1)
}

func (m *Metrics) stall(partition int, stalled bool) {
	v := 0.0
	if stalled {
		v = 1
	}
	m.stalls.WithLabelValues(strconv.Itoa(partition)).Set(v)
}

// packWaits shows why the configured pack does not apply to a partition; "": it does.
func (m *Metrics) packWaits(partition int, why string) {
	p := strconv.Itoa(partition)
	m.packWait.DeletePartialMatch(prometheus.Labels{"partition": p})
	if why != "" {
		m.packWait.WithLabelValues(p, why).Set(1)
	}
}

// PackReload shows whether the pack's file can be used in its present state.
func (m *Metrics) PackReload(ok bool) {
	m.reload.Set(map[bool]float64{false: 1}[ok])
}

// Forget removes the gauges of a partition that is no longer owned, so that nobody reads a stale value.
func (m *Metrics) Forget(partition int) {
	p := prometheus.Labels{"partition": strconv.Itoa(partition)}
	for _, v := range []*prometheus.GaugeVec{
		m.poison,
		m.lag,
		m.delay,
		m.watermark,
		m.outbox,
		m.outboxAge,
		m.due,
		m.customers,
		m.cached,
		m.held,
		m.silences,
		m.waiting,
		m.stops,
		m.stalls,
		m.packWait,
		m.pack,
		m.sources,
	} {
		v.DeletePartialMatch(p)
	}
	if partition == 0 {
		m.budgets.Reset()
	}
}

// fetched shows an answer, and the lag behind the last end that is known.
func (m *Metrics) fetched(partition int, f *pipeline.Fetched, end int64) {
	p := strconv.Itoa(partition)
	m.lag.WithLabelValues(p).Set(float64(max(0, end-f.Next)))
	if n := len(f.Records); n > 0 {
		m.delay.WithLabelValues(p).Set(max(0, time.Since(time.UnixMilli(f.Records[n-1].Timestamp)).Seconds()))
	}
}

func (m *Metrics) committed(t *line.Tally) {
	add := func(v *prometheus.CounterVec, label string, n uint64) {
		if n > 0 {
			v.WithLabelValues(label).Add(float64(n))
		}
	}
	quarantined := t.AllQuarantined()
	add(m.events, "counted", t.Records-t.Duplicates-t.Anonymous-t.Heartbeats-t.Forgotten-quarantined)
	add(m.events, "duplicate", t.Duplicates)
	add(m.events, "anonymous", t.Anonymous)
	add(m.events, "heartbeat", t.Heartbeats)
	add(m.events, "erased", t.Forgotten)
	add(m.events, "quarantined", quarantined)
	add(m.oddities, "late", t.Late)
	add(m.oddities, "too_late", t.TooLate)
	add(m.oddities, "future", t.Future)
	add(m.oddities, "unnamed", t.Unnamed)
	add(m.oddities, "ineligible", t.Ineligible)
	add(m.oddities, "by_subject", t.BySubject)
	add(m.oddities, "other_currency", t.OtherCurrency)
	add(m.oddities, "no_zone", t.NoZone)
	add(m.oddities, "no_channel", t.NoChannel)
	m.folded.add(t)
	if t.Unnamed > 0 {
		m.unnamed.add(t.Types)
	}
	add(m.deadlines, "stored", t.Armed)
	add(m.deadlines, "looked_at", t.Woken)
	m.suppressed.Add(float64(t.Withheld[line.Repeated]))
	for why, n := range t.Withheld {
		add(m.withheld, why, n)
	}
	m.decided.Add(float64(t.Decided))
	for reason := pipeline.HeldHistory; reason < pipeline.NumHoldReasons; reason++ {
		add(m.released, reason.String(), t.Released[reason])
		add(m.withdrawn, reason.String(), t.Withdrawn[reason])
	}
	m.removed.Add(float64(t.Removed))
	m.erased.Add(float64(t.Erased))
	m.gone.Add(float64(t.Gone))
	for i, n := range t.Alerts {
		add(m.alerts, scoring.Transition(i).String(), n)
	}
	for i, n := range t.Tiers {
		add(m.tiers, profile.Tier(i).String(), n)
	}
	for arm := alert.Treated; arm < alert.NumArms; arm++ {
		add(m.arms, arm.String(), t.Arms[arm])
	}
	for i, n := range t.Quarantined {
		add(m.quarantined, pipeline.Code(i).String(), n)
	}
}

// tick refreshes the gauges that are read from the owner's state.
func (m *Metrics) tick(o *owner) {
	p := strconv.Itoa(o.cfg.Line.Identity.Partition)
	now, unpublished := time.Now(), o.p.Unpublished().Entries
	m.outbox.WithLabelValues(p).Set(float64(unpublished))
	m.outboxAge.WithLabelValues(p).Set(o.out.age(now, unpublished).Seconds())
	size := o.line.Size()
	m.poison.WithLabelValues(p).Set(float64(size.Poisoned) / pipeline.PoisonWindow)
	m.due.WithLabelValues(p).Set(float64(size.Due))
	m.customers.WithLabelValues(p, "true").Set(float64(size.Profiles - size.Ineligible))
	m.customers.WithLabelValues(p, "false").Set(float64(size.Ineligible))
	m.cached.WithLabelValues(p).Set(float64(size.Customers))
	for reason := pipeline.HeldHistory; reason < pipeline.NumHoldReasons; reason++ {
		m.held.WithLabelValues(p, reason.String()).Set(float64(size.Held[reason]))
	}
	m.silences.WithLabelValues(p).Set(float64(len(o.line.Silences())))
	m.tickBudgets(o, p)
	m.sources.DeletePartialMatch(prometheus.Labels{"partition": p})
	o.line.Sources(func(name string, stalled bool) {
		m.sources.WithLabelValues(p, name).Set(map[bool]float64{true: 1}[stalled])
	})
	if w, started := o.line.Watermark(); started {
		m.watermark.WithLabelValues(p).Set(now.Sub(time.UnixMilli(w)).Seconds())
	}
}
