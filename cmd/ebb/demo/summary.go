package demo

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"ebb/cmd/ebb/advice"
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

func (d *demo) header() {
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
		advice.Grouped(d.log.total), pace, d.pack.Name, advice.FormatDuration(d.pack.Horizon))
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
	var p *portrait
	if d.log.shop != nil {
		s.Customers = int64(d.log.shop.Customers())
		s.Truth, p = d.judge()
	}
	if d.opts.JSON {
		return json.NewEncoder(d.opts.Screen).Encode(s)
	}
	d.print(&s)
	if p != nil {
		if err := d.drawPortrait(p); err != nil {
			return err
		}
	}
	d.next()
	return nil
}

// title is the first column of the summary.
func (d *demo) title(name string) string {
	return d.opts.Screen.Paint(text.Colors{text.Bold}, fmt.Sprintf("%-9s", name)) + " "
}

func (d *demo) row(name, format string, args ...any) {
	d.opts.Screen.Hang(d.title(name), fmt.Sprintf(format, args...))
}

func (d *demo) print(s *Summary) {
	fmt.Fprintln(d.opts.Screen)
	if s.Stopped {
		d.row("stopped", "before the end of the log")
	}
	d.row(
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
	d.row("alerts", "%s%s", strings.Join(parts, ", "), d.notShown())
	if s.Truth != nil {
		d.truth(s.Truth, s.Customers)
	}
}

// next says what else the reader can try.
func (d *demo) next() {
	fmt.Fprintln(d.opts.Screen)
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
		d.opts.Screen.Hang(d.title(name)+fmt.Sprintf("%-31s ", n[0]), n[1])
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
