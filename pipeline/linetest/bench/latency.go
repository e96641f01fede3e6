package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/twmb/franz-go/pkg/kgo"
)

// latency is how long live events took to become alerts: from the call that produced the event until a reader of
// committed data had the alert. Only recoveries can be timed, since they name the event as their cause.
type latency struct {
	Offered  float64 `json:"offered_events_per_second"`
	Produced float64 `json:"produced_events_per_second"`
	Events   int     `json:"events"`
	WarmUp   float64 `json:"warm_up_seconds"` // alerts within it are not counted
	Alerts   int     `json:"alerts_measured"`
	P50      float64 `json:"p50_ms"`
	P99      float64 `json:"p99_ms"`
	Max      float64 `json:"max_ms"`
	Commit   float64 `json:"mean_commit_ms"`  // a commit to Redis
	Publish  float64 `json:"mean_publish_ms"` // a transaction
}

// seen is an alert caused by a live event, when it was read.
type seen struct {
	event int
	at    time.Time
}

const (
	patience  = 60 * time.Second
	recovered = "ebb.alert.lapse.recovered.v1"
)

// latency runs the group live and sends it events at rate. alerts is how many alerts it has published so far.
func (g *group) latency(ctx context.Context, rate float64, alerts uint64) (l *latency, err error) {
	reader, err := g.reader()
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	open, err := openEpisodes(ctx, reader, alerts)
	if err != nil {
		return nil, fmt.Errorf("read the alerts so far: %w", err)
	}
	s, err := g.newStretch(ctx, rate, open)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(g.say, "%d live events at %.0f a second\n", s.events, rate)
	found, m, err := g.observe(ctx, reader, s)
	if err != nil {
		return nil, err
	}
	l = s.result(found, rate)
	l.Commit, l.Publish = meanMillis(m["ebb_step_seconds"], "commit"), meanMillis(m["ebb_step_seconds"], "publish")
	return l, nil
}

// reader reads the group's alerts from the first one on.
func (g *group) reader() (*kgo.Client, error) { return g.committed(g.alerts) }

// committed reads what is committed of a topic, from its start on.
func (g *group) committed(topic string, more ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(g.kafka), kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	}, more...)...)
}

// observe runs ebb, sends it a stretch of live events, and reads until all of the alerts are there that they must lead
// to. It returns these, and ebb's metrics at the end.
func (g *group) observe(
	ctx context.Context, reader *kgo.Client, s *stretch,
) (alerts []seen, metrics map[string]*dto.MetricFamily, err error) {
	stop, err := g.start(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	reading, cancel := context.WithCancel(ctx)
	defer cancel()
	found := make(chan []seen, 1)
	go func() { found <- s.read(reading, reader) }()
	if err := s.produce(ctx, g.kafka); err != nil {
		return nil, nil, fmt.Errorf("produce live events: %w", err)
	}
	select {
	case alerts = <-found:
		if metrics, err = g.metrics(ctx); err != nil {
			return nil, nil, fmt.Errorf("ask for metrics: %w", err)
		}
		return alerts, metrics, nil
	case <-time.After(patience):
		cancel()
		return nil, nil, fmt.Errorf("%d alerts came of %d that had to", s.count(<-found), s.planned())
	}
}

// start runs ebb in the background until stop, which drains it.
func (g *group) start(ctx context.Context) (stop func() error, err error) {
	var stderr bytes.Buffer
	cmd := g.command(ctx)
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	stop = func() error {
		_ = cmd.Process.Signal(syscall.SIGTERM) // if it has already ended, that is reported below
		if err := <-ended; err != nil {
			return fmt.Errorf("ebb run: %w\n%s", err, stderr.Bytes())
		}
		return nil
	}
	late := time.After(patience)
	for tick := time.Tick(50 * time.Millisecond); ; {
		select {
		case <-tick:
			if _, err := g.get(ctx, "/readyz"); err == nil {
				return stop, nil
			}
		case err := <-ended:
			return nil, fmt.Errorf("ebb run ended: %w\n%s", err, stderr.Bytes())
		case <-late:
			return nil, errors.Join(errors.New("ebb run is not ready"), stop())
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), stop())
		}
	}
}

// readAlerts reads n alerts.
func readAlerts(ctx context.Context, reader *kgo.Client, n uint64, take func(*kgo.Record) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for read := uint64(0); read < n; {
		f := reader.PollFetches(ctx)
		if err := f.Err(); err != nil {
			return fmt.Errorf("%d of %d: %w", read, n, err)
		}
		for _, r := range f.Records() {
			read++
			if err := take(r); err != nil {
				return fmt.Errorf("alert %d: %w", read, err)
			}
		}
	}
	return nil
}

// openEpisodes reads n alerts and lists the customers whose episode is open after them, in order.
func openEpisodes(ctx context.Context, reader *kgo.Client, n uint64) ([]string, error) {
	open := map[string]bool{}
	err := readAlerts(ctx, reader, n, func(r *kgo.Record) error {
		open[string(r.Key)] = header(r, "ce_type") != recovered
		return nil
	})
	if err != nil {
		return nil, err
	}
	var customers []string
	for c, is := range open {
		if is {
			customers = append(customers, c)
		}
	}
	slices.Sort(customers)
	return customers, nil
}

// read notes recoveries as they come, until all expected ones are there or ctx ends.
func (s *stretch) read(ctx context.Context, reader *kgo.Client) (found []seen) {
	for planned := 0; planned < s.planned() && ctx.Err() == nil; {
		f := reader.PollFetches(ctx)
		at := time.Now()
		f.EachRecord(func(r *kgo.Record) {
			if header(r, "ce_type") != recovered {
				return
			}
			if n, ok := causedBy(r.Value); ok {
				found = append(found, seen{n, at})
				if s.due(n) {
					planned++
				}
			}
		})
	}
	return found
}

// result matches alerts with the times at which their events were produced.
func (s *stretch) result(alerts []seen, rate float64) *latency {
	var delays []time.Duration
	for _, a := range alerts {
		if a.event >= s.warm {
			delays = append(delays, a.at.Sub(s.began)-s.sent[a.event])
		}
	}
	return &latency{
		Offered:  rate,
		Produced: float64(s.events) / s.sent[s.events-1].Seconds(),
		Events:   s.events,
		WarmUp:   float64(s.warm) / rate,
		Alerts:   len(delays),
		P50:      quantile(delays, 0.5),
		P99:      quantile(delays, 0.99),
		Max:      quantile(delays, 1),
	}
}

// quantile is in ms; of no delays 0.
func quantile(delays []time.Duration, q float64) float64 {
	if len(delays) == 0 {
		return 0
	}
	slices.Sort(delays)
	return delays[min(int(q*float64(len(delays))), len(delays)-1)].Seconds() * 1e3
}

func (s *stretch) count(alerts []seen) (n int) {
	for _, a := range alerts {
		if s.due(a.event) {
			n++
		}
	}
	return n
}

func header(r *kgo.Record, name string) string {
	for _, h := range r.Headers {
		if h.Key == name {
			return string(h.Value)
		}
	}
	return ""
}
