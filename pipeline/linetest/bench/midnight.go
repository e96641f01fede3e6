package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// midnight measures what live events wait for while the deadlines of very many customers fall due in one hour of event
// time, which passes in less wall time.
type midnight struct {
	*bench
	report *midnightReport
	wait   int64 // from a customer's only event to its lapse, ms
}

// midnightReport is what was measured, by how fast the hour passed.
type midnightReport struct {
	Commit    string  `json:"commit"`
	Machine   string  `json:"machine"`
	Customers int     `json:"customers"`
	Rate      float64 `json:"live_events_per_second"`
	Hours     []hour  `json:"hours"`
}

// hour is one hour of deadlines.
type hour struct {
	Seconds float64  `json:"hour_passes_in_seconds"`
	P50     float64  `json:"p50_ms"`
	P99     float64  `json:"p99_ms"`
	Max     float64  `json:"max_ms"`
	Calm    float64  `json:"p99_ms_before_the_hour"`
	Curve   []second `json:"curve"`
}

// second is one second of live events.
type second struct {
	At     int     `json:"second"` // since the hour began
	Alerts int     `json:"alerts_measured"`
	P50    float64 `json:"p50_ms"`
	Max    float64 `json:"max_ms"`
}

// The live events: some before the hour begins, and some after it is over. Of the customers whose lapse is long open
// one in minDistance events is, and ends it.
const (
	midnightRate  = 5_000 // events per second
	midnightLead  = 10 * time.Second
	midnightRest  = 15 * time.Second
	midnightOpen  = 20_000              // customers with an open lapse
	midnightAgo   = 120 * 24 * 60 * 60  // their silence when the hour of events begins, seconds
	midnightStart = 1_700_000_000 * 1e3 // the hour of events begins, ms
	lateness      = 5 * 60 * 1e3        // of the default configuration, ms
	hourMillis    = 60 * 60 * 1e3
)

func measureMidnight(ctx context.Context, o *options, say io.Writer) (*midnightReport, error) {
	r := &midnightReport{Commit: commit(ctx), Machine: machine(), Customers: o.Customers, Rate: midnightRate}
	return r, serving(ctx, o, say, func(b *bench) error {
		m := &midnight{bench: b, report: r}
		for i, seconds := range o.passing {
			h, err := m.hour(ctx, i, seconds)
			if err != nil {
				return fmt.Errorf("an hour in %g s: %w", seconds, err)
			}
			r.Hours = append(r.Hours, *h)
			fmt.Fprintf(say, "an hour in %g s: p99 %.0f ms, at most %.0f ms\n", seconds, h.P99, h.Max)
		}
		return nil
	})
}

// fillHour makes the topic anew, without the live events of the hour before, and writes one event of each customer: of
// those with an open lapse long ago, of all others within one hour.
func (m *midnight) fillHour(ctx context.Context) error {
	cl, err := kgo.NewClient(
		kgo.SeedBrokers(m.kafka), kgo.DefaultProduceTopic(input), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)),
		kgo.MaxBufferedRecords(200_000),
	)
	if err != nil {
		return err
	}
	defer cl.Close()
	if _, err := kadm.NewClient(cl).DeleteTopic(ctx, input); err != nil && !errors.Is(err, kerr.UnknownTopicOrPartition) {
		return err
	}
	if err := createTopic(ctx, cl, m.Partitions, input); err != nil {
		return err
	}
	var failed error
	promise := func(_ *kgo.Record, err error) { failed = errors.Join(failed, err) }
	for i := range midnightOpen {
		at := midnightStart - int64(midnightAgo*1e3) + int64(i)
		cl.Produce(ctx, visit("open-"+strconv.Itoa(i), "first-"+strconv.Itoa(i), at), promise)
	}
	for i := range m.Customers {
		at := midnightStart + int64(i)*hourMillis/int64(m.Customers)
		cl.Produce(ctx, visit("due-"+strconv.Itoa(i), "only-"+strconv.Itoa(i), at), promise)
	}
	return errors.Join(cl.Flush(ctx), failed)
}

// visit is an event that is activity, of a customer of the tenant whom live events are of.
func visit(customer, id string, at int64) *kgo.Record {
	t := time.UnixMilli(at).UTC()
	value := fmt.Sprintf(`{"id":%q,"customer":%q,"tenant":"shop","type":"Product Viewed","time":%q}`, id, customer,
		t.Format("2006-01-02T15:04:05.000Z"))
	return &kgo.Record{Key: []byte(customer), Value: []byte(value), Timestamp: t}
}

// hour fills the topic, runs a new group through it, and then lets the hour of its deadlines pass under live events.
func (m *midnight) hour(ctx context.Context, i int, seconds float64) (*hour, error) {
	if err := m.fillHour(ctx); err != nil {
		return nil, fmt.Errorf("fill the topic: %w", err)
	}
	g, err := m.newGroup(ctx, i)
	if err != nil {
		return nil, err
	}
	run, err := g.run(ctx)
	if err != nil {
		return nil, err
	}
	reader, err := g.reader()
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	open, err := m.open(ctx, reader, run.Alerts)
	if err != nil {
		return nil, fmt.Errorf("read the alerts so far: %w", err)
	}
	if _, err := g.prepare(ctx); err != nil {
		return nil, err
	}
	s := m.stretch(open, seconds)
	found, _, err := g.observe(ctx, reader, s)
	if err != nil {
		return nil, err
	}
	return m.curve(s, found, seconds), m.forget(ctx, g.name)
}

// open reads the alerts of lapses that are open, and how long a customer's only event had been ago when it was raised.
func (m *midnight) open(ctx context.Context, reader *kgo.Client, n uint64) (open []string, err error) {
	err = readAlerts(ctx, reader, n, func(r *kgo.Record) error {
		var a struct {
			Transition string
			Time       time.Time
			BeganAt    time.Time `json:"began_at"`
		}
		if err := json.Unmarshal(r.Value, &a); err != nil {
			return err
		}
		if a.Transition == "raised" {
			open = append(open, string(r.Key))
			m.wait = a.Time.Sub(a.BeganAt).Milliseconds()
		}
		return nil
	})
	if err == nil && len(open) == 0 {
		err = errors.New("no lapse is open")
	}
	slices.Sort(open)
	return open, err
}

// stretch are the live events around the hour of deadlines. Their event time follows the wall clock, save in that hour.
func (m *midnight) stretch(open []string, seconds float64) *stretch {
	began := float64(midnightStart + m.wait + lateness)
	s := &stretch{rate: midnightRate, open: open, every: minDistance}
	s.events = int((midnightLead.Seconds() + seconds + midnightRest.Seconds()) * s.rate)
	s.clock = func(n int) int64 {
		at := float64(n)/s.rate - midnightLead.Seconds()
		switch {
		case at < 0:
			return int64(began + at*1e3)
		case at < seconds:
			return int64(began + at/seconds*hourMillis)
		}
		return int64(began + hourMillis + (at-seconds)*1e3)
	}
	for i := range 50_000 {
		s.calm = append(s.calm, "live-"+strconv.Itoa(i))
	}
	s.sent = make([]time.Duration, s.events)
	return s
}

// curve is how long alerts took, by the second in which their events were sent.
func (m *midnight) curve(s *stretch, found []seen, seconds float64) *hour {
	by := map[int][]time.Duration{}
	var before, within []time.Duration
	for _, a := range found {
		delay, sent := a.at.Sub(s.began)-s.sent[a.event], s.sent[a.event]-midnightLead
		if sent < 0 {
			if sent > -midnightLead/2 {
				before = append(before, delay)
			}
			continue
		}
		within = append(within, delay)
		by[int(sent.Seconds())] = append(by[int(sent.Seconds())], delay)
	}
	h := &hour{Seconds: seconds, P50: quantile(within, .5), P99: quantile(within, .99), Max: quantile(within, 1)}
	h.Calm = quantile(before, .99)
	for at := range int(seconds + midnightRest.Seconds()) {
		if d := by[at]; len(d) > 0 {
			h.Curve = append(h.Curve, second{At: at, Alerts: len(d), P50: quantile(d, .5), Max: quantile(d, 1)})
		}
	}
	return h
}

func (r *midnightReport) write(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	fmt.Fprintf(
		w,
		"ebb %s on %s\n%d deadlines in an hour of event time; %.0f live events a second; event to alert, ms\n\n",
		r.Commit,
		r.Machine,
		r.Customers,
		r.Rate,
	)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "the hour passes in\tp99 before\tp50\tp99\tmax\tworst seconds\t")
	for _, h := range r.Hours {
		fmt.Fprintf(t, "%g s\t%.0f\t%.0f\t%.0f\t%.0f\t%s\t\n", h.Seconds, h.Calm, h.P50, h.P99, h.Max, h.worst())
	}
	return t.Flush()
}

// worst are the seconds with the longest delays, in order.
func (h *hour) worst() (text string) {
	for _, s := range h.Curve[:min(8, len(h.Curve))] {
		text += fmt.Sprintf(" %.0f", s.Max)
	}
	return text
}
