package demo

import (
	"fmt"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/shop"
	"ebb/cmd/ebb/view"
)

// truth says how the alerts did, for all customers and for groups of them.
func (d *demo) truth(t *Truth, customers int64) {
	horizon, judged := d.pack.Horizon, &t.Groups[0]
	d.row(
		"leavers",
		"%s of %s simulated customers left for good. %s are judged: %s others had fallen silent in the log's first "+
			"%s, %s in its last %s",
		advice.Grouped(t.Left),
		advice.Grouped(customers),
		advice.Grouped(judged.Leavers),
		advice.Grouped(t.Early),
		days(t.settling),
		advice.Grouped(t.Recent),
		days(horizon),
	)
	d.row("raised", "%s alerts are judged. %s others were raised in that time, and %s about visitors who had not bought",
		advice.Grouped(judged.Alerts), advice.Grouped(t.Undecided), advice.Grouped(t.Visitors))
	var rows [][]string
	for _, g := range t.Groups {
		if g.By == byCause || g.Leavers+g.Alerts == 0 {
			continue
		}
		rows = append(rows, []string{
			g.called(d.log.shop.Worth()), advice.Grouped(g.Leavers), view.Percent(g.ByHalf, g.Leavers),
			view.Percent(g.ByHorizon, g.Leavers), figure(g.MedianDays, "%.0f"), figure(g.MedianGaps, "%.1f"),
			advice.Grouped(g.Alerts), view.Percent(g.Right, g.Alerts),
		})
	}
	d.opts.Screen.Table(
		fmt.Sprintf("Caught: an alert within so many days of the last activity. Right: not back within %s",
			advice.FormatDuration(horizon)),
		[]string{"", "leavers", "by " + days(horizon/2), "by " + days(horizon), "median days", "own gaps", "alerts", "right"},
		rows,
	)
}

// called is what a group of customers is called in the table.
func (g *Group) called(w shop.Worth) string {
	switch g.By + " " + g.Name {
	case "all all":
		return "all customers"
	case "value high":
		return fmt.Sprintf("%s and more %s", units(w.High), w.Per)
	case "value mid":
		return fmt.Sprintf("%s to %s", units(w.Mid), units(w.High))
	case "value low":
		return "below " + units(w.Mid)
	case "class regular":
		return "regulars"
	case "class one-timer":
		return "came once"
	default:
		return g.Name
	}
}

// units are minor units in whole ones.
func units(minor int64) string { return advice.Grouped(minor / 100) }

// days is a length in days, to the half.
func days(d time.Duration) string { return fmt.Sprintf("%.3g d", d.Hours()/24) }

// figure is a figure in its format, or a dash.
func figure(v *float64, format string) string {
	if v == nil {
		return "–"
	}
	return fmt.Sprintf(format, *v)
}

// drawPortrait draws the score of one customer over time.
func (d *demo) drawPortrait(p *portrait) error {
	s, err := d.scores(p.Customer, d.log.shop.Start(), chartSteps(d.opts.Screen))
	if err != nil {
		return err
	}
	fmt.Fprintln(d.opts.Screen)
	d.row(
		"score",
		"of %s, a regular with %d visits and %d.%02d paid %s; last seen on %s and left on %s (%v). "+
			"Each column is the highest risk score of %.1f days",
		p.Customer,
		p.visits,
		p.spent/100,
		p.spent%100,
		d.log.shop.Worth().Per,
		p.last.Format(time.DateOnly),
		p.Left.Format(time.DateOnly),
		p.Cause,
		float64(s.step)/float64((24*time.Hour).Milliseconds()),
	)
	fmt.Fprintln(d.opts.Screen)
	(&chart{screen: d.opts.Screen, tiers: d.pack.Tiers, scores: s, raised: p.raised}).draw()
	return nil
}
