package view

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/replay"
	"ebb/cmd/ebb/terminal"
)

// Replay shows the outcome of a replay.
func Replay(s terminal.Screen, r *replay.Report) error {
	fmt.Fprintf(s, "%s records of %s replayed for group %s, from the first one it read\n",
		advice.Grouped(r.Records), r.Input, r.Group)
	fmt.Fprintf(s, "%s alerts decided, %s published in %s: %s\n",
		advice.Grouped(r.Replayed), advice.Grouped(r.Published), r.Alerts, outcome(r))
	if r.Into != "" {
		fmt.Fprintf(s, "the replay's alerts are in %s\n", r.Into)
	}
	for i := range r.Differences {
		d := &r.Differences[i]
		fmt.Fprintf(s, "\n%s  %s\n", d.ID, meaning(d.Kind))
		for _, line := range fieldsApart(d) {
			fmt.Fprintln(s, "  "+terminal.Printable(line))
		}
	}
	return nil
}

func outcome(r *replay.Report) string {
	if r.Equal() {
		return "the same, byte for byte"
	}
	var parts []string
	for _, p := range []struct {
		n    int64
		what string
	}{
		{r.Same, "the same"},
		{r.Changed, "changed"},
		{r.Missing, "published and not decided again"},
		{r.Extra, "decided and not published"},
		{r.Twice, "published again"},
	} {
		if p.n > 0 {
			parts = append(parts, advice.Grouped(p.n)+" "+p.what)
		}
	}
	return strings.Join(parts, ", ")
}

func meaning(k replay.Kind) string {
	switch k {
	case replay.Missing:
		return "published, and not decided by the replay"
	case replay.Extra:
		return "decided by the replay, and not published"
	case replay.Twice:
		return "published more than once; the last time"
	default:
		return "not the same: published, then replayed"
	}
}

// fieldsApart are the lines about a difference: the fields of one alert, or those that differ in two.
func fieldsApart(d *replay.Difference) (lines []string) {
	published, replayed := fields(d.Published), fields(d.Replayed)
	var names []string
	for _, all := range []map[string]json.RawMessage{published, replayed} {
		for name := range all {
			if !slices.Contains(names, name) && string(published[name]) != string(replayed[name]) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	if d.Kind != replay.Changed {
		names = []string{"customer", "transition", "tier", "time"}
	}
	for _, name := range names {
		switch {
		case d.Kind == replay.Missing || d.Kind == replay.Twice:
			lines = append(lines, fmt.Sprintf("%s: %s", name, published[name]))
		case d.Kind == replay.Extra:
			lines = append(lines, fmt.Sprintf("%s: %s", name, replayed[name]))
		default:
			lines = append(lines, fmt.Sprintf("%s: %s", name, orNone(published[name])),
				strings.Repeat(" ", len(name))+"  "+orNone(replayed[name]))
		}
	}
	return lines
}

func orNone(b json.RawMessage) string {
	if b == nil {
		return "(none)"
	}
	return string(b)
}

// fields are those of an alert; none of what is no alert.
func fields(alert string) (all map[string]json.RawMessage) {
	if json.Unmarshal([]byte(alert), &all) != nil {
		return nil
	}
	return all
}
