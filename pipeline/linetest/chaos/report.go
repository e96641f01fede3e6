package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
)

// report is the outcome of a run.
type report struct {
	Target  string       `json:"target"` // whose members were tested
	Seed    uint64       `json:"seed"`
	Minutes float64      `json:"minutes"` // with faults
	Faults  map[kind]int `json:"faults"`  // carried out
	Missed  int          `json:"missed"`  // drawn, but their targets were held by another fault
	Began   time.Time    `json:"began"`

	verdict

	Aborted   int64 `json:"aborted"`                    // records of the input in transactions that were aborted
	Restarted bool  `json:"broker_restarted,omitempty"` // to get a group coordinator back; see run.catchUp
	CatchUp   int64 `json:"catch_up_ms"`                // from the end of the faults until everything was processed
	Takeovers int64 `json:"takeovers"`                  // of a partition
	Rewinds   int64 `json:"rewinds"`                    // of these, with a state older than what was published
	// of these, with alerts committed but not yet reported as published
	Resumed       int64 `json:"resumed"`
	RefusedStarts int64 `json:"refused_starts"` // processes that could not begin because a service was away

	Last     string    `json:"last,omitempty"` // fault, behind which members have to stop
	Findings []finding `json:"findings,omitempty"`
	Logs     string    `json:"logs,omitempty"` // folder, where it was kept
}

func (r *report) passed() bool { return r.good() && len(r.Findings) == 0 }

func (r *report) faults() (n int) {
	for _, c := range r.Faults {
		n += c
	}
	return n
}

func (r *report) write(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.AppendHeader(
		table.Row{"seed", "minutes", "faults", "events", "alerts", "lost", "doubled", "miscounted", "quarantined"},
	)
	t.AppendRow(
		table.Row{
			r.Seed,
			fmt.Sprintf("%.1f", r.Minutes),
			r.faults(),
			r.Events,
			r.Alerts,
			r.Lost,
			r.Doubled,
			r.Miscounted,
			r.Quarantined,
		},
	)
	fmt.Fprintln(w, t.Render())
	fmt.Fprintf(w, "%s; faults: %s; %d missed\n", r.Target, counts(r.Faults), r.Missed)
	if r.Target == ebb {
		r.writeMore(w)
	}
	for _, e := range r.Examples {
		fmt.Fprintf(w, "  %s\n", e)
	}
	for _, f := range r.Findings {
		fmt.Fprintf(w, "\nFINDING at %s: %s: %s\n%s\n", f.At.Format(time.TimeOnly), f.Who, f.What, f.Detail)
	}
	if r.Logs != "" {
		fmt.Fprintf(w, "\nlogs: %s\n", r.Logs)
	}
	return nil
}

// writeMore writes what happened in the run, to show that it was no easy one.
func (r *report) writeMore(w io.Writer) {
	fmt.Fprintf(
		w,
		"input: %d customers, %d late, %d duplicates; %d records aborted\n",
		r.Customers,
		r.Late,
		r.Duplicates,
		r.Aborted,
	)
	fmt.Fprintf(
		w,
		"takeovers: %d, of which %d with a state older than what was published, %d with alerts to publish; %d starts "+
			"refused while a service was away\n",
		r.Takeovers,
		r.Rewinds,
		r.Resumed,
		r.RefusedStarts,
	)
	fmt.Fprintf(
		w,
		"caught up %.1f s after the last fault; %d alerts a minute off by rounding\n",
		float64(r.CatchUp)/1000,
		r.Shifted,
	)
	if r.Last != "" {
		fmt.Fprintf(w, "at the end %s, and every member stopped\n", r.Last)
	}
}

// counts lists faults by kind.
func counts(faults map[kind]int) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(faults)) {
		if faults[k] > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", k, faults[k]))
		}
	}
	return strings.Join(parts, ", ")
}
