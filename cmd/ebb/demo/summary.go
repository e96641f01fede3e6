package demo

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/processor"
	"ebb/cmd/ebb/view"
)

// Summary is what the demo closes with; --json prints it as the last line.
type Summary struct {
	Events      int64            `json:"events"`
	Seconds     float64          `json:"seconds"`
	Rate        float64          `json:"events_per_second"`
	Stopped     bool             `json:"stopped,omitempty"` // before its end
	Simulated   bool             `json:"simulated"`
	Customers   int64            `json:"customers"`   // with an event, where that is known
	Transitions map[string]int64 `json:"transitions"` // alerts
	Truth       *Truth           `json:"truth,omitempty"`
}

// Truth compares the alerts with the simulation's truth.
type Truth struct {
	Left         int64 `json:"left"`          // customers who left for good
	Caught       int64 `json:"caught"`        // of them, with an open episode at the end
	Missed       int64 `json:"missed"`        // the others
	MissedRecent int64 `json:"missed_recent"` // of the missed, those who left in the last 30 days: too soon to see
	Raised       int64 `json:"raised"`        // episodes opened
	Right        int64 `json:"right"`         // of them, about a customer who had left
	FalseAlarms  int64 `json:"false_alarms"`  // the others: the customer came back, or would have
}

// recent is how long before the end a departure is too new to be seen.
const recent = 30 * 24 * time.Hour

func (d *demo) header(p *processor.Processor) {
	if d.opts.JSON {
		return
	}
	w, bold := d.opts.Screen, text.Colors{text.Bold}
	fmt.Fprintf(w, "%s %s\n", d.opts.Screen.Paint(bold, "ebb demo:"), d.log.title)
	pace := "as fast as it goes"
	if d.opts.Length > 0 {
		pace = fmt.Sprintf("in about %v", d.opts.Length)
	}
	fmt.Fprintf(w, "%s events %s; pack %s, horizon %s; Kafka and Redis run inside this process\n",
		advice.Grouped(d.log.total), pace, p.Pack().Name, advice.FormatDuration(p.Pack().Horizon))
	if d.opts.Screen.Terminal {
		fmt.Fprintf(w, "alerts as they are raised, at most %d a second (Ctrl-C ends it with a summary):\n", shownPerSecond)
	}
	fmt.Fprintln(w)
}

// summary prints the outcome.
func (d *demo) summary(stopped bool) error {
	s := Summary{
		Events: d.fed, Seconds: d.took.Seconds(), Rate: float64(d.fed) / d.took.Seconds(), Stopped: stopped,
		Simulated: d.log.shop != nil, Transitions: d.show.counts,
	}
	if d.log.shop != nil {
		s.Customers = int64(d.log.shop.Customers())
		s.Truth = d.truth()
	}
	if d.opts.JSON {
		return json.NewEncoder(d.opts.Screen).Encode(s)
	}
	d.print(&s)
	return nil
}

// truth compares episodes with the customers who left before the last event fed.
func (d *demo) truth() *Truth {
	t := &Truth{}
	end := time.UnixMilli(d.latest)
	last := map[string]int64{}
	for l := range d.log.shop.Leavers(end) {
		last[l.Customer] = l.Last.UnixMilli()
		t.Left++
		e := d.show.episodes[l.Customer]
		switch {
		case e != nil && len(e.open) > 0:
			t.Caught++
		case end.Sub(l.Left) < recent:
			t.MissedRecent++
		}
	}
	t.Missed = t.Left - t.Caught
	for customer, e := range d.show.episodes {
		at, left := last[customer]
		for _, raised := range e.raised {
			t.Raised++
			if left && raised > at {
				t.Right++
			}
		}
	}
	t.FalseAlarms = t.Raised - t.Right
	return t
}

func (d *demo) print(s *Summary) {
	title := func(name string) string {
		return d.opts.Screen.Paint(text.Colors{text.Bold}, fmt.Sprintf("%-9s", name)) + " "
	}
	row := func(name, format string, args ...any) {
		d.opts.Screen.Hang(title(name), fmt.Sprintf(format, args...))
	}
	fmt.Fprintln(d.opts.Screen)
	if s.Stopped {
		row("stopped", "before the end of the log")
	}
	row(
		"events",
		"%s in %.1f s, %s a second%s",
		advice.Grouped(s.Events),
		s.Seconds,
		advice.Grouped(int64(s.Rate)),
		d.pacedBy(),
	)
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(s.Transitions)) {
		parts = append(parts, fmt.Sprintf("%s %s", advice.Grouped(s.Transitions[name]), name))
	}
	row("alerts", "%s%s", strings.Join(parts, ", "), d.notShown())
	if t := s.Truth; t != nil {
		row(
			"leavers",
			"%s of %s simulated customers left for good: %s caught (%s), %s missed, %s of those in the last %d days",
			advice.Grouped(
				t.Left,
			),
			advice.Grouped(s.Customers),
			advice.Grouped(t.Caught),
			view.Percent(t.Caught, t.Left),
			advice.Grouped(t.Missed),
			advice.Grouped(t.MissedRecent),
			int(recent.Hours()/24),
		)
		row("right", "%s of %s raised alerts (%s) were about a customer who had left; %s were false alarms",
			advice.Grouped(t.Right), advice.Grouped(t.Raised), view.Percent(t.Right, t.Raised), advice.Grouped(t.FalseAlarms))
	}
	next := [][2]string{
		{"ebb demo --for 0 --horizon 30d", "sooner, with more false alarms"},
		{"ebb demo --events LOG.csv", "a log of yours, CSV or NDJSON"},
		{"ebb run --embedded", "for a producer of your own"},
	}
	for i, n := range next {
		name := ""
		if i == 0 {
			name = "next"
		}
		d.opts.Screen.Hang(title(name)+fmt.Sprintf("%-31s ", n[0]), n[1])
	}
}

func (d *demo) pacedBy() string {
	if d.opts.Length == 0 {
		return ""
	}
	return fmt.Sprintf(" (paced by --for %v)", d.opts.Length)
}

func (d *demo) notShown() string {
	if d.show.hidden == 0 {
		return ""
	}
	return fmt.Sprintf("; %s were not shown, --json prints all", advice.Grouped(d.show.hidden))
}
