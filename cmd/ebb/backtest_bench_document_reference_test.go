//go:build reference

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/backtest"
	"ebb/cmd/ebb/backtest/silences"
	"ebb/scoring/scoringtest/golden"
)

// benchDocument is the part of docs/backtest.md that holds what was measured of alerts on the public logs.
type benchDocument struct{ rules, classes, tiers strings.Builder }

// Lines of the document between which the part stands.
const (
	benchBegin = "<!-- written by: task alerts -- -update -->\n"
	benchEnd   = "<!-- end of what task alerts writes -->\n"
)

func (d *benchDocument) add(l *benchLog, o *backtest.Outcome) {
	a := o.Alerts
	log := fmt.Sprintf("%s | %.0f d", l.name, float64(o.HorizonDays))
	for i := range a.Rules {
		r := &a.Rules[i]
		name := strings.Replace(o.RuleTitle(r.Name), "RFM, as many", "RFM, as many a week", 1)
		if i == 0 {
			name = "**ebb**"
		}
		fmt.Fprintf(&d.rules, "| %s | %s | %s\n", log, name, judgedCells(&r.Classes[0], o))
	}
	for i := range a.Rules[0].Classes[1:] {
		j := &a.Rules[0].Classes[i+1]
		own := "–"
		if j.Lapses.MedianGaps.Known() {
			own = fmt.Sprintf("%.1f", float64(j.Lapses.MedianGaps))
		}
		fmt.Fprintf(&d.classes, "| %s | %s | %s %s | %s | %s | %s |\n", l.name, j.Class, judgedCells(j, o), own,
			advice.Grouped(j.Own.Lapses), part(j.Own.Horizon, 2), median(j.Own, o))
		fmt.Fprintf(&d.tiers, "| %s | %s |", l.name, j.Class)
		for t := range a.Tiers {
			c := &a.Tiers[t].Classes[i+1]
			fmt.Fprintf(&d.tiers, " %s | %s | %s |", advice.Grouped(c.Alerts), part(c.Precision, 3), part(c.Lapses.Horizon, 2))
		}
		d.tiers.WriteString("\n")
	}
}

func judgedCells(j *silences.Judgement, o *backtest.Outcome) string {
	return fmt.Sprintf("%s | %.1f | %s | %s | %s | %s | %s | %s | %s |", advice.Grouped(j.Alerts), float64(j.Volume),
		part(j.Precision, 3), advice.Grouped(j.Lapses.Lapses), part(j.Lapses.Third, 2), part(j.Lapses.Half, 2),
		part(j.Lapses.Horizon, 2), part(j.Lapses.Two, 2), median(&j.Lapses, o))
}

// part is a share without the zero before the point.
func part(f backtest.Figure, decimals int) string {
	if !f.Known() {
		return "–"
	}
	return strings.TrimPrefix(fmt.Sprintf("%.*f", decimals, float64(f)), "0")
}

func median(c *silences.Caught, o *backtest.Outcome) string {
	switch {
	case c.Lapses == 0:
		return "–"
	case !c.MedianDays.Known():
		return fmt.Sprintf("> %.0f", float64(2*o.HorizonDays))
	}
	return fmt.Sprintf("%.0f", float64(c.MedianDays))
}

// compare compares the document's part with what was measured.
func (d *benchDocument) compare(t *testing.T) {
	t.Helper()
	path := filepath.Join("..", "..", "docs", "backtest.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(text), benchBegin)
	_, after, ends := strings.Cut(rest, benchEnd)
	if !begins || !ends {
		t.Fatalf("%s has no lines %q and %q", path, benchBegin, benchEnd)
	}
	const caught = "lapses | by H/3 | H/2 | H | 2H | median, days |"
	golden.Path(t, path, before+benchBegin+`
All customers:

| log | H | rule | alerts | per 1,000 customer-months | right | `+caught+`
|---|---|---|---|---|---|---|---|---|---|---|---|
`+d.rules.String()+`
ebb's, by class:

| log | class | alerts | per 1,000 customer-months | right | `+caught+` in own gaps | lapses by own gaps | by H | median, days |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
`+d.classes.String()+`
If alerts opened at another tier, whoever the customer is (the table to choose a pack's `+"`raise`"+` from):

| log | class | watch: alerts | right | by H | at_risk: alerts | right | by H | critical: alerts | right | by H |
|---|---|---|---|---|---|---|---|---|---|---|
`+d.tiers.String()+"\n"+benchEnd+after)
}
