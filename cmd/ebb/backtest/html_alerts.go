package backtest

import (
	"fmt"
	"math"

	"ebb/cmd/ebb/backtest/silences"
)

// judgedRow is a row of a table of alerts: a rule, or a threshold, and a class of customers.
type judgedRow struct {
	Name   string // of the rule, before its first row
	Class  string
	Chosen bool // what the pack raises
	*silences.Judgement
}

func (p *pageData) alerts() {
	a := p.Alerts
	if a == nil {
		return
	}
	for i, part := range []Figure{1. / 3, 1. / 2, 1, 2} {
		p.Soon[i] = days(p.HorizonDays * part)
	}
	for i, r := range a.Rules {
		p.Judged = append(p.Judged, judgedRows(p.RuleTitle(r.Name), r.Classes, i == 0)...)
	}
	p.WhatIf = judgedRows("as the pack raises", a.Rules[0].Classes, true)
	for _, t := range a.Tiers {
		p.WhatIf = append(p.WhatIf, judgedRows("from "+t.Name+", whoever it is", t.Classes, false)...)
	}
	for i, soon := range []func(*silences.Caught) Figure{byThird, byHalf, byHorizon} {
		p.Trade = append(p.Trade, p.tradeChart(0, "all customers", "who left, named by day "+p.Soon[i], soon))
	}
	for class := 1; class < len(a.Rules[0].Classes); class++ {
		name := a.Rules[0].Classes[class].Class
		p.TradeByClass = append(p.TradeByClass, p.tradeChart(class, name, "who left, named by day "+p.Soon[2], byHorizon))
	}
}

func byThird(c *silences.Caught) Figure   { return c.Third }
func byHalf(c *silences.Caught) Figure    { return c.Half }
func byHorizon(c *silences.Caught) Figure { return c.Horizon }

func judgedRows(name string, classes []silences.Judgement, chosen bool) []judgedRow {
	var rows []judgedRow
	for i := range classes {
		rows = append(rows, judgedRow{name, classes[i].Class, chosen, &classes[i]})
		name = ""
	}
	return rows
}

// labelApart is how far labels are apart at least.
const labelApart = 14

// fewest alerts that a point of a chart rests on.
const fewest = 10

// tradeChart is precision over the share of those caught in time, for every threshold, with what the pack raises and
// the other rules.
func (p *pageData) tradeChart(class int, title, caught string, soon func(*silences.Caught) Figure) chart {
	at := func(j *silences.Judgement) (Point, bool) {
		x := soon(&j.Lapses)
		return Point{float64(x), float64(j.Precision)}, x.Known() && j.Alerts >= fewest
	}
	s := scale{0, 1, p.lowest(class), 1}
	c := chart{Title: title, XLabel: caught, YLabel: "alerts that were right", XTicks: s.shares(s.x)}
	for v := s.lowY; v <= 1; v += .25 {
		c.YTicks = append(c.YTicks, tick{s.y(v), fmt.Sprintf("%.0f %%", 100*v)})
	}
	var points []Point
	labelled := mark{X: math.Inf(1)}
	for _, t := range p.Alerts.Scores {
		j := &t.Classes[class]
		point, ok := at(j)
		if !ok {
			continue
		}
		points = append(points, point)
		m := mark{Class: "step", X: s.x(point.X), Y: s.y(point.Y), About: "at a score of " + t.Name + ": " + inPoint(point)}
		far := math.Hypot(m.X-labelled.X, m.Y-labelled.Y) > labelApart
		if far && (t.Name == "20" || t.Name == "40" || t.Name == "60" || t.Name == "80") {
			m.Label, m.Right = t.Name, point.X < .15
			labelled = m
		}
		c.Marks = append(c.Marks, m)
	}
	c.Lines = []line{{Class: "s0", Path: s.path(points)}}
	for i := len(p.Alerts.Rules) - 1; i >= 0; i-- { // ebb lies on top
		r := &p.Alerts.Rules[i]
		if point, ok := at(&r.Classes[class]); ok {
			about := p.RuleTitle(r.Name) + ": " + inPoint(point)
			c.Marks = append(c.Marks, mark{Class: fmt.Sprintf("r%d", i), X: s.x(point.X), Y: s.y(point.Y), About: about})
			if i == 0 {
				c.About = fmt.Sprintf("Precision over share caught, %s; %s", title, about)
			}
		}
	}
	return c
}

// lowest is where the precision of a class begins on its charts.
func (p *pageData) lowest(class int) float64 {
	low := 1.0
	for _, t := range p.Alerts.Scores {
		if j := &t.Classes[class]; j.Alerts >= fewest {
			low = min(low, float64(j.Precision))
		}
	}
	for i := range p.Alerts.Rules {
		if j := &p.Alerts.Rules[i].Classes[class]; j.Alerts >= fewest {
			low = min(low, float64(j.Precision))
		}
	}
	return min(math.Floor(4*low)/4, .75)
}

func inPoint(p Point) string { return fmt.Sprintf("%.0f %% right, %.0f %% caught", 100*p.Y, 100*p.X) }

// late is the day by which half of those who left were named.
func (r *Report) late(c *silences.Caught) string {
	switch {
	case c.Lapses == 0:
		return unknown
	case !c.MedianDays.Known():
		return "> " + days(2*r.HorizonDays)
	}
	return fmt.Sprintf("%.0f", float64(c.MedianDays))
}

// gaps is late in typical gaps of the customers.
func (r *Report) gaps(c *silences.Caught) string {
	if !c.MedianGaps.Known() {
		return unknown
	}
	return fmt.Sprintf("%.1f", float64(c.MedianGaps))
}
