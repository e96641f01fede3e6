package view

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/shadow"
	"ebb/cmd/ebb/terminal"
	"ebb/pipeline"
)

// shadowsText shows shadows to people.
type shadowsText struct{ terminal.Screen }

// Shadows shows what shadows would decide.
func Shadows(s terminal.Screen, r *shadow.Report) error { return shadowsText{s}.print(r) }

func (t shadowsText) print(r *shadow.Report) error {
	for i := range r.Shadows {
		if i > 0 {
			fmt.Fprintln(t)
		}
		t.shadow(&r.Shadows[i])
	}
	if len(r.Shadows) == 0 {
		fmt.Fprintln(t, "no shadows are configured; to try a pack: shadows: {candidate: ./next.yaml}")
	}
	for _, name := range r.Unconfigured {
		fmt.Fprintf(
			t,
			"\nThe shadow %s is not configured any more, and what it kept is still there.\nTo remove it:\n  ebb packs shadow "+
				"--forget %s\n",
			name,
			name,
		)
	}
	return nil
}

func (t shadowsText) shadow(r *shadow.Comparison) {
	fmt.Fprintf(t, "%s\n", t.Paint(text.Colors{text.Bold}, "shadow "+r.Name))
	for _, side := range []struct {
		name string
		pack pipeline.PackRef
	}{{"main", r.Packs.Main}, {"shadow", r.Packs.Shadow}} {
		pack := "no pack announced yet"
		if side.pack.Hash != "" {
			pack = side.pack.String()
		}
		fmt.Fprintf(t, "%-6s  %s\n", side.name, pack)
	}
	t.standing(r)
	if !r.Begun {
		t.Paragraph(
			"",
			"There is nothing to compare yet: ebb run, with this shadow configured, begins it at the oldest record.",
		)
		return
	}
	t.Paragraph("", fmt.Sprintf("Customers: %s known to both, %s to the main one alone, %s to the shadow alone.",
		advice.Grouped(r.Customers.Both), advice.Grouped(r.Customers.Main), advice.Grouped(r.Customers.Shadow)))
	packsDiffText{t.Screen, "the main", "the shadow"}.migration("as of "+r.At.Format("2006-01-02 15:04"), &r.Moved)
	t.alerts(r.Alerts)
	if r.Most > 0 {
		t.top(r.Top)
	}
}

// standing shows how far both are, so that a reader can see whether they are comparable.
func (t shadowsText) standing(r *shadow.Comparison) {
	verdict := t.Paint(text.Colors{text.FgGreen}, "Both stand at the same record in every partition.")
	if r.Apart > 0 {
		verdict = t.Paint(
			text.Colors{text.FgYellow},
			fmt.Sprintf(
				"They stand %s apart: what follows speaks of both as they are, and is not of the same records.",
				advice.Count(r.Apart, "record"),
			),
		)
	}
	var rows [][]string
	behind := int64(0)
	for _, p := range r.Partitions {
		behind += p.MainLag + p.ShadowLag
		rows = append(
			rows,
			[]string{
				strconv.Itoa(p.Partition),
				advice.Grouped(p.Main),
				advice.Grouped(p.Shadow),
				advice.Grouped(p.MainLag),
				advice.Grouped(p.ShadowLag),
			},
		)
	}
	if r.Apart+behind > 0 {
		t.Table("Next record", []string{"partition", "main", "shadow", "main behind", "shadow behind"}, rows)
	}
	if r.Begun {
		t.Paragraph("", verdict)
	}
}

// alerts are the alerts of both, per day.
func (t shadowsText) alerts(a *shadow.Alerts) {
	span := fmt.Sprintf("%s to %s, %s", a.From.Format(time.DateOnly), a.Until.Format(time.DateOnly), daysInWords(a.Days))
	if len(a.Sorts) == 0 {
		fmt.Fprintf(t, "\nNeither of them has an alert, %s.\n", span)
		return
	}
	var rows [][]string
	var sums [2]int64
	var rates [2]float64
	row := func(what string, main, shadow int64, mainRate, shadowRate float64) {
		rows = append(
			rows,
			[]string{
				what,
				advice.Grouped(main),
				advice.Grouped(shadow),
				fmt.Sprintf("%.2f", mainRate),
				fmt.Sprintf("%.2f", shadowRate),
			},
		)
	}
	for _, n := range a.Sorts {
		row(n.Kind+" "+n.Transition, n.Main, n.Shadow, n.MainPerDay, n.ShadowPerDay)
		sums[shadow.MainSide], sums[shadow.ShadowSide] = sums[shadow.MainSide]+n.Main, sums[shadow.ShadowSide]+n.Shadow
		rates[shadow.MainSide], rates[shadow.ShadowSide] = rates[shadow.MainSide]+n.MainPerDay, rates[shadow.ShadowSide]+n.ShadowPerDay
	}
	row("all", sums[shadow.MainSide], sums[shadow.ShadowSide], rates[shadow.MainSide], rates[shadow.ShadowSide])
	t.Table("Alerts, "+span, []string{"", "main", "shadow", "main a day", "shadow a day"}, rows)
	c := &a.Customers
	t.Paragraph(
		"",
		fmt.Sprintf(
			"Of %s alerted, %s by both, %s by the main one alone, %s by the shadow alone.",
			advice.Count(c.Both+c.Main+c.Shadow, "customer"),
			shareOf(
				c.Both,
				c.Both+c.Main+c.Shadow,
			),
			shareOf(c.Main, c.Both+c.Main+c.Shadow),
			shareOf(c.Shadow, c.Both+c.Main+c.Shadow),
		),
	)
}

func daysInWords(days float64) string {
	if days == 1 {
		return "1 day"
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", days), ".0") + " days"
}

// shareOf is a count with its share of all.
func shareOf(n, all int64) string {
	return fmt.Sprintf("%s (%.0f%%)", advice.Grouped(n), 100*float64(n)/float64(max(all, 1)))
}

// top are the customers whose scores differ most: both scores, both tiers, and what adds more or less by the shadow.
func (t shadowsText) top(all []shadow.ScoreChange) {
	if len(all) == 0 {
		fmt.Fprintln(t, "\nEvery customer has the same score by both.")
		return
	}
	fmt.Fprintf(
		t,
		"\n%s\n",
		t.Paint(text.Colors{text.Bold}, "Where the scores differ most: main → shadow, and what adds to it by the shadow"),
	)
	who, tiers := 0, 0
	for i := range all {
		who = max(who, text.StringWidth(terminal.FullName(all[i].Tenant, all[i].Customer)))
		tiers = max(tiers, text.StringWidth(tierChange(&all[i])))
	}
	for i := range all {
		c := &all[i]
		var why []string
		for _, w := range c.Why {
			why = append(why, fmt.Sprintf("%s %+.2f", strings.ReplaceAll(w.Code, "_", " "), w.By()))
		}
		if c.Main.Floor != c.Shadow.Floor {
			why = append(why, fmt.Sprintf("floor %g → %g", c.Main.Floor, c.Shadow.Floor))
		}
		t.Paragraph(
			fmt.Sprintf(
				"  %s  %5.1f → %5.1f  %s  ",
				text.Pad(terminal.FullName(c.Tenant, c.Customer), who, ' '),
				c.Main.Risk,
				c.Shadow.Risk,
				text.Pad(tierChange(c), tiers, ' '),
			),
			strings.Join(why, ", "),
		)
	}
}

func tierChange(c *shadow.ScoreChange) string {
	if c.Main.Tier == c.Shadow.Tier {
		return c.Main.Tier
	}
	return c.Main.Tier + " → " + c.Shadow.Tier
}
