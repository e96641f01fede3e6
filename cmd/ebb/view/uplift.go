package view

import (
	"fmt"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/terminal"
	"ebb/cmd/ebb/uplift"
)

// Uplift shows what acting on alerts has brought about.
func Uplift(s terminal.Screen, r *uplift.Report) error {
	fmt.Fprintf(s, "group %s, all that happened up to %s; outcomes within %s of the raise\n",
		r.Group, advice.Stamp(r.At.UnixMilli()), r.Within)
	if r.Share == 0 {
		_, err := fmt.Fprintln(s, "not enough data: no alert was raised while a holdout was on (holdout.enabled)")
		return err
	}
	a := &r.Arms
	fmt.Fprintf(s, "%s customers treated, %s held out, by a share of %s: %s\n",
		advice.Grouped(a.Treated), advice.Grouped(a.HeldOut), share(r.Share), ratio(a))
	if r.Misplaced > 0 {
		fmt.Fprintf(s, "%s in the topic of the other arm: somebody else writes there, and nothing below holds\n",
			advice.Count(r.Misplaced, "alert"))
	}
	if r.OtherShares > 0 {
		fmt.Fprintf(s, "%s left out, raised while another share was held out\n", advice.Count(r.OtherShares, "raise"))
	}
	for i := range r.Comparisons {
		if err := comparison(s, r, &r.Comparisons[i]); err != nil {
			return err
		}
	}
	return nil
}

// ratio says whether the sizes of the arms fit the share.
func ratio(a *uplift.Arms) string {
	if a.OK {
		return "as drawn"
	}
	return fmt.Sprintf("not as drawn, which is %s (p = %.2g). Alerts of one arm are missing, and nothing below holds",
		advice.Grouped(int64(a.Expected+0.5)), a.P)
}

func comparison(s terminal.Screen, r *uplift.Report, c *uplift.Comparison) error {
	name := c.Kind
	if c.Part != "" {
		name += ", " + r.By + " " + terminal.Printable(c.Part)
	}
	fmt.Fprintf(s, "\n%s: %s\n", name, verdict(r, c))
	fmt.Fprintf(s, "  treated   %s\n", group(&c.Treated, c.Outcome))
	fmt.Fprintf(s, "  held out  %s\n", group(&c.HeldOut, c.Outcome))
	if c.Difference != nil {
		fmt.Fprintf(s, "  smallest effect that could be seen: %s points\n", points(*c.Smallest))
	}
	if c.Waiting > 0 {
		fmt.Fprintf(s, "  %s raised less than %s ago: not counted yet\n", advice.Count(c.Waiting, "customer"), r.Within)
	}
	return nil
}

// verdict says what a comparison shows.
func verdict(r *uplift.Report, c *uplift.Comparison) string {
	interval := ""
	if d := c.Difference; d != nil {
		interval = fmt.Sprintf(" %s points (95 %%: %s to %s)", moved(d.Estimate), moved(d.Low), moved(d.High))
	}
	switch c.Verdict {
	case uplift.Effect:
		return "an effect:" + interval
	case uplift.NoneSeen:
		return fmt.Sprintf("no effect seen:%s; one of %s points would have been", interval, points(r.Size))
	default:
		if interval != "" {
			interval = ":" + interval
		}
		return fmt.Sprintf("not enough data%s; to see %s points, %s more are needed", interval, points(r.Size),
			advice.Count(c.Missing, "customer"))
	}
}

func group(g *uplift.Group, outcome string) string {
	if g.Customers == 0 {
		return "nobody yet"
	}
	return fmt.Sprintf("%s of %s %s, %s %%", advice.Grouped(g.Outcomes), advice.Count(g.Customers, "customer"), outcome,
		points(g.Rate))
}

// points is a share in hundredths.
func points(share float64) string { return fmt.Sprintf("%.1f", 100*share) }

func moved(share float64) string { return fmt.Sprintf("%+.1f", 100*share) }

func share(f float64) string { return fmt.Sprintf("%.4g %%", 100*f) }
