package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
)

// report is everything that was measured.
type report struct {
	Commit  string   `json:"commit"`
	Machine string   `json:"machine"`
	Load    options  `json:"load"`
	Runs    []run    `json:"runs"`
	Stages  []stage  `json:"stages"`
	Memory  memory   `json:"redis_bytes_per_customer"`
	Latency *latency `json:"latency,omitempty"`
}

// memory is how much memory the state uses in Redis, in bytes per customer by part.
type memory struct {
	Customers  int64   `json:"customers"`
	DueBuckets int     `json:"due_buckets"`
	Total      float64 `json:"total"`
	Profiles   float64 `json:"profiles"`
	Due        float64 `json:"due"`
	Outbox     float64 `json:"outbox"`
	Meta       float64 `json:"meta"`
}

// spread is a figure over the runs.
type spread struct {
	Each             []float64
	Min, Median, Max float64
}

// of reads one figure of every run.
func (r *report) of(figure func(*run) float64) spread {
	var each []float64
	for i := range r.Runs {
		each = append(each, figure(&r.Runs[i]))
	}
	return spreadOf(each)
}

// spreadOf is the spread of at least one figure.
func spreadOf(each []float64) spread {
	sorted := slices.Sorted(slices.Values(each))
	n := len(sorted)
	return spread{Each: each, Min: sorted[0], Max: sorted[n-1], Median: (sorted[(n-1)/2] + sorted[n/2]) / 2}
}

func (r *report) write(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	redis := "no append-only file"
	if r.Load.AOF {
		redis = "append-only file, flushed every second"
	}
	fmt.Fprintf(
		w,
		"ebb %s on %s\n%d events, %d customers, %d partitions, %d days, seed %d, pack %s; Redis with %s; after %d runs not "+
			"counted\n\n",
		r.Commit,
		r.Machine,
		r.Load.Events,
		r.Load.Customers,
		r.Load.Partitions,
		r.Load.Days,
		r.Load.Seed,
		r.Load.Pack,
		redis,
		r.Load.WarmUp,
	)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	r.writeRuns(t)
	r.writeStages(t)
	r.writeMemory(t)
	if err := t.Flush(); err != nil {
		return err
	}
	if l := r.Latency; l != nil {
		fmt.Fprintf(
			w,
			"\nEvent to alert at %.0f events/s (offered %.0f; %d events, the first %.1f s not counted):\np50 %.1f ms, p99 "+
				"%.1f ms, max %.1f ms over %d alerts; a commit takes %.1f ms, a transaction %.1f ms (means)\n",
			l.Produced,
			l.Offered,
			l.Events,
			l.WarmUp,
			l.P50,
			l.P99,
			l.Max,
			l.Alerts,
			l.Commit,
			l.Publish,
		)
	}
	return nil
}

func (r *report) writeRuns(w io.Writer) {
	fmt.Fprint(w, "\t")
	for i := range r.Runs {
		fmt.Fprintf(w, "run %d\t", i+1)
	}
	fmt.Fprint(w, "median\tmin\tmax\t\n")
	row := func(name, format string, figure func(*run) float64) {
		s := r.of(figure)
		fmt.Fprintf(w, "%s\t", name)
		for _, v := range append(s.Each, s.Median, s.Min, s.Max) {
			if math.IsNaN(v) {
				fmt.Fprint(w, "-\t")
			} else {
				fmt.Fprintf(w, format+"\t", v)
			}
		}
		fmt.Fprintln(w)
	}
	optional := func(v *float64) float64 {
		if v == nil {
			return math.NaN()
		}
		return *v
	}
	row("events/s", "%.0f", func(r *run) float64 { return r.EventsPerSecond })
	row("reading alone events/s", "%.0f", func(r *run) float64 { return r.ReadOnly })
	row("share of reading alone", "%.3f", func(r *run) float64 { return r.EventsPerSecond / r.ReadOnly })
	row("processor CPU ns/event", "%.0f", func(r *run) float64 { return r.CPU })
	row("Kafka CPU ns/event", "%.0f", func(r *run) float64 { return r.KafkaCPU })
	row("Redis CPU ns/event", "%.0f", func(r *run) float64 { return r.RedisCPU })
	row("allocations/event", "%.3f", func(r *run) float64 { return r.Allocations })
	row("bytes allocated/event", "%.0f", func(r *run) float64 { return r.AllocatedBytes })
	row("peak RSS MiB", "%.0f", func(r *run) float64 { return float64(r.MaxRSS) / (1 << 20) })
	row("alerts/event", "%.4f", func(r *run) float64 { return r.AlertsPerEvent })
	row("deadlines stored/event", "%.3f", func(r *run) float64 { return optional(r.Armed) })
	row("deadlines looked at/event", "%.3f", func(r *run) float64 { return optional(r.Woken) })
	row("events a commit", "%.0f", func(r *run) float64 { return optional(r.PerCommit) })
	row("events a transaction", "%.0f", func(r *run) float64 { return optional(r.PerTransaction) })
}

func (r *report) writeStages(w io.Writer) {
	fmt.Fprint(w, "\nprocessor CPU by stage\tns/event\tshare\t\n")
	for _, s := range r.Stages {
		fmt.Fprintf(w, "%s\t%.0f\t%.1f%%\t\n", s.Name, s.CPU, 100*s.Share)
	}
}

func (r *report) writeMemory(w io.Writer) {
	m := &r.Memory
	fmt.Fprintf(w, "\nRedis, %d customers\tbytes each\t\n", m.Customers)
	fmt.Fprintf(w, "profiles\t%.1f\t\ndeadlines (%d buckets)\t%.1f\t\noutbox\t%.1f\t\nmeta\t%.1f\t\ntotal\t%.1f\t\n",
		m.Profiles, m.DueBuckets, m.Due, m.Outbox, m.Meta, m.Total)
}
