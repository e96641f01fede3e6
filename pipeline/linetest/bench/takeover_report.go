package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// takeoverReport is everything that was measured with -takeover.
type takeoverReport struct {
	Commit         string        `json:"commit"`
	Machine        string        `json:"machine"`
	Load           options       `json:"load"`
	Memory         memory        `json:"redis_bytes_per_customer"`
	Offered        float64       `json:"offered_events_per_second"`
	Produced       float64       `json:"produced_events_per_second"`
	AlertsPerEvent float64       `json:"alerts_per_event"`
	Session        float64       `json:"session_timeout_seconds"`
	Heartbeat      float64       `json:"heartbeat_seconds"`
	Ways           []*wayMeasure `json:"ways"`
}

// wayMeasure is the result of one way.
type wayMeasure struct {
	Name  string   `json:"way"`
	Aim   *float64 `json:"aim_seconds,omitempty"` // the limit for every kill
	Met   bool     `json:"aim_met"`
	Kills []kill   `json:"kills"`

	way way
}

// kill is a member that went, and how its partitions came back. Seconds count until the last partition published again.
type kill struct {
	Member     string     `json:"member"`
	Behind     float64    `json:"seconds_behind_before"` // how far the group is behind the events sent
	Load       float64    `json:"load_average"`          // of the machine
	Seconds    float64    `json:"seconds"`
	Steps      []step     `json:"steps"`         // of the last partition; their sum is Seconds
	Took       float64    `json:"takeover_took"` // seconds according to the log, a part of the step "partition taken over"
	Partitions []returned `json:"partitions"`
	// seconds between two publications of a partition that the member did not own
	Others     float64 `json:"longest_pause_of_others"`
	Rebalances int     `json:"rebalances_seen_by_others"`
}

type step struct {
	Name    string  `json:"step"`
	Seconds float64 `json:"seconds"`
}

type returned struct {
	Partition int32   `json:"partition"`
	Seconds   float64 `json:"seconds"`
}

func (r *takeoverReport) add(w way) *wayMeasure {
	m := &wayMeasure{Name: w.name, way: w}
	r.Ways = append(r.Ways, m)
	return m
}

// setTimes reads the settings that the members run with.
func (r *takeoverReport) setTimes(d *diary) {
	for _, s := range d.all(saidStarting, time.Time{}) {
		for key, into := range map[string]*float64{"kafka.session_timeout": &r.Session, "kafka.heartbeat": &r.Heartbeat} {
			if v, err := time.ParseDuration(s.Config[key]); err == nil {
				*into = v.Seconds()
			}
		}
	}
}

// judge compares the results with the aims.
func (r *takeoverReport) judge() {
	for _, w := range r.Ways {
		w.Met = true
		if w.way.aim != nil {
			aim := w.way.aim(time.Duration(r.Session * float64(time.Second))).Seconds()
			w.Aim = &aim
		}
		for i := range w.Kills {
			w.Met = w.Met && w.Kills[i].Rebalances == 0 && (w.Aim == nil || w.Kills[i].Seconds <= *w.Aim)
		}
	}
}

func (r *takeoverReport) write(w io.Writer, asJSON bool) error {
	r.judge()
	if asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	fmt.Fprintf(
		w,
		"ebb %s on %s\nlive events: %.0f/s offered, %.0f/s produced, %.3f alerts each; %d customers in Redis, %d "+
			"partitions; session timeout %.3g s, heartbeat %.3g s\n\n",
		r.Commit,
		r.Machine,
		r.Offered,
		r.Produced,
		r.AlertsPerEvent,
		r.Memory.Customers,
		r.Load.Partitions,
		r.Session,
		r.Heartbeat,
	)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "seconds until all partitions of a member publish again\tsince\ttimes\tmedian\tworst\taim\t\t\n")
	for _, m := range r.Ways {
		m.writeSummary(t)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, m := range r.Ways {
		if len(m.Kills) == 0 {
			continue
		}
		fmt.Fprintf(w, "\n%s, by step\n", m.way.title)
		m.writeSteps(t)
		if err := t.Flush(); err != nil {
			return err
		}
	}
	return nil
}

func (m *wayMeasure) writeSummary(w io.Writer) {
	if len(m.Kills) == 0 {
		return
	}
	s := m.of(func(k *kill) (float64, bool) { return k.Seconds, true })
	verdict := map[bool]string{true: "met", false: "MISSED"}[m.Met]
	fmt.Fprintf(w, "%s\t%s\t%d\t%.2f\t%.2f\t", m.way.title, m.way.after, len(s.Each), s.Median, s.Max)
	if m.Aim != nil {
		fmt.Fprintf(w, "%.2f\t%s\t\n", *m.Aim, verdict)
		return
	}
	rebalances := 0
	for i := range m.Kills {
		rebalances += m.Kills[i].Rebalances
	}
	fmt.Fprintf(w, "no rebalance seen by others\t%s (%d)\t\n", verdict, rebalances)
}

func (m *wayMeasure) writeSteps(w io.Writer) {
	row := func(name string, figure func(*kill) (float64, bool)) {
		if s := m.of(figure); len(s.Each) > 0 {
			fmt.Fprintf(w, "  %s\tmedian %.3f\tworst %.3f\t\n", name, s.Median, s.Max)
		}
	}
	for _, name := range m.way.steps {
		row(name, func(k *kill) (float64, bool) { return k.step(name) })
		if name == stepTaken {
			row("  of this, as the log says", func(k *kill) (float64, bool) { return k.Took, true })
		}
	}
	row("longest pause of a partition of others", func(k *kill) (float64, bool) { return k.Others, true })
	row("before, behind by", func(k *kill) (float64, bool) { return k.Behind, true })
	row("load average of the machine (not seconds)", func(k *kill) (float64, bool) { return k.Load, true })
}

// of reads one figure of every kill that has it.
func (m *wayMeasure) of(figure func(*kill) (float64, bool)) (s spread) {
	var each []float64
	for i := range m.Kills {
		if v, ok := figure(&m.Kills[i]); ok {
			each = append(each, v)
		}
	}
	if len(each) == 0 {
		return s
	}
	return spreadOf(each)
}

func (k *kill) step(name string) (float64, bool) {
	for _, s := range k.Steps {
		if s.Name == name {
			return s.Seconds, true
		}
	}
	return 0, false
}
