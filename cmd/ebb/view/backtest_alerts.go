package view

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/backtest"
	"ebb/cmd/ebb/backtest/silences"
)

// alerts shows what alerts would be like: first in words, then how good they are, and what others would be.
func (t *backtestText) alerts() {
	a := t.Alerts
	if a == nil {
		why := t.Unmeasured
		if advised, ok := errors.AsType[advice.Advised](why); ok {
			why = errors.New(advised.Error() + ": " + advised.Do)
		}
		t.Paragraph("note: ", fmt.Sprintf("nothing was measured. %v", why))
		return
	}
	fmt.Fprintln(t)
	for _, said := range t.InWords() {
		t.Paragraph("", said)
	}
	var rows [][]string
	for i := range a.Rules {
		r := &a.Rules[i]
		rows = append(rows, t.judged(t.RuleTitle(r.Name), r.Classes, true)...)
	}
	fmt.Fprintf(t, "\n%s\n", t.Paint(text.Colors{text.Bold}, "When do alerts come, and how often are they right?"))
	t.Paragraph(
		"",
		fmt.Sprintf("Alerts from %s to %s, and a month per 1,000 customers. Right, and named by a day: how many in 100. "+
			"Median: the day by which half of those who left were named, and how many of their own gaps that is.",
			a.From.Format(time.DateOnly), a.Until.Format(time.DateOnly)),
	)
	t.Table("Every silence followed, beside rules that need no training", t.judgedHeader("gaps"), rows)
	t.own()
	t.whatIf()
}

// judgedHeader is the header of a table of judged rows, with the days by which those who left are named.
func (t *backtestText) judgedHeader(last ...string) []string {
	h := t.HorizonDays
	by := func(d backtest.Figure) string { return strings.TrimSuffix(formatDays(d), "d") }
	header := []string{"", "alerts", "/1,000", "right", "left", "by " + by(h/3), by(h / 2), by(h), by(2 * h), "median"}
	return append(header, last...)
}

// judged are the rows of a rule, or of a threshold: all customers, then each class.
func (t *backtestText) judged(name string, classes []silences.Judgement, gaps bool) [][]string {
	var rows [][]string
	for i := range classes {
		j := &classes[i]
		if i > 0 {
			name = "  " + j.Class
		}
		row := append(
			[]string{
				name,
				advice.Grouped(j.Alerts),
				perMonth(j.Volume),
				inHundred(j.Precision),
				advice.Grouped(j.Lapses.Lapses),
			},
			t.caught(&j.Lapses)...)
		if gaps {
			row = append(row, ownGaps(&j.Lapses))
		}
		rows = append(rows, row)
	}
	return rows
}

func (t *backtestText) caught(c *silences.Caught) []string {
	median := "–"
	if c.MedianDays.Known() {
		median = fmt.Sprintf("%.0f", float64(c.MedianDays))
	} else if c.Lapses > 0 {
		median = ">" + strings.TrimSuffix(formatDays(2*t.HorizonDays), "d")
	}
	return []string{inHundred(c.Third), inHundred(c.Half), inHundred(c.Horizon), inHundred(c.Two), median}
}

func ownGaps(c *silences.Caught) string {
	if !c.MedianGaps.Known() {
		return "–"
	}
	return fmt.Sprintf("%.1f", float64(c.MedianGaps))
}

// own is how soon those are named who left by the measure of their own gaps.
func (t *backtestText) own() {
	var rows [][]string
	for i := range t.Alerts.Rules[0].Classes {
		j := &t.Alerts.Rules[0].Classes[i]
		row := append([]string{j.Class, advice.Grouped(j.Own.Lapses)}, t.caught(j.Own)...)
		rows = append(rows, append(row, ownGaps(j.Own)))
	}
	header := append([]string{""}, t.judgedHeader("gaps")[4:]...)
	t.Table(fmt.Sprintf("Who left by their own gaps: silent %s longer than nearly all of them", t.horizon()), header, rows)
}

// whatIf is what alerts at other thresholds would be like.
func (t *backtestText) whatIf() {
	rows := t.judged("as it is", t.Alerts.Rules[0].Classes, false)
	for i := range t.Alerts.Tiers {
		tier := &t.Alerts.Tiers[i]
		rows = append(rows, t.judged("from "+tier.Name, tier.Classes, false)...)
	}
	t.Table(`What if the threshold were: alerts from another tier on ("raise" in a pack)`, t.judgedHeader(), rows)

	rows = nil
	for i := range t.Alerts.Scores {
		if i%2 == 0 { // every tenth is enough to read
			continue
		}
		s := &t.Alerts.Scores[i]
		row := []string{"from " + s.Name, perMonth(s.Classes[0].Volume)}
		for k := range s.Classes {
			row = append(row, inHundred(s.Classes[k].Precision), inHundred(s.Classes[k].Lapses.Horizon))
		}
		rows = append(rows, row)
	}
	t.Table(fmt.Sprintf(
		"Alerts from a risk score on: how many in 100 were right, and named by day %s",
		strings.TrimSuffix(
			t.horizon(),
			"d",
		),
	), []string{"", "/1,000", "all", "by", "one-timer", "by", "occasional", "by", "regular", "by"}, rows)
}

func perMonth(f backtest.Figure) string {
	if !f.Known() {
		return "–"
	}
	return fmt.Sprintf("%.1f", float64(f))
}

func inHundred(f backtest.Figure) string {
	if !f.Known() {
		return "–"
	}
	return fmt.Sprintf("%.0f", 100*float64(f))
}
