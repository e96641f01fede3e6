package demo

import (
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"ebb/cmd/ebb/terminal"
	"ebb/scoring/pack"
)

// The chart's rows have a height of chartRow points each; its columns are the steps of the scores.
const (
	chartRow    = 20
	chartMargin = 12 // columns before the chart
	chartMost   = 90 // steps
	chartLeast  = 30
)

// eighths are the blocks that fill a row's eighths.
var eighths = [...]string{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"}

// chart draws a score over time.
type chart struct {
	screen terminal.Screen
	tiers  pack.Tiers
	scores *scores
	raised []int64 // ms since the epoch
}

// chartSteps is how many steps fit on the screen.
func chartSteps(s terminal.Screen) int { return max(chartLeast, min(chartMost, s.Width-chartMargin-1)) }

func (c *chart) draw() {
	for bottom := 100 - chartRow; bottom >= 0; bottom -= chartRow {
		fmt.Fprintln(c.screen, strings.TrimRight(c.margin(bottom)+c.row(bottom), " "))
	}
	c.print("visits", c.marks("·", func(i int) bool { return c.scores.visited[i] }))
	alerts := make([]bool, len(c.scores.most))
	for _, at := range c.raised {
		alerts[c.scores.at(at)] = true
	}
	c.print("alerts", c.marks("▲", func(i int) bool { return alerts[i] }))
	c.print("", c.months())
}

func (c *chart) print(name, line string) {
	fmt.Fprintln(c.screen, strings.TrimRight(fmt.Sprintf("%*s  %s", chartMargin-2, name, line), " "))
}

// margin names where a row begins, and the tier that begins in it.
func (c *chart) margin(bottom int) string {
	name := ""
	for _, t := range []struct {
		from float64
		name string
	}{{c.tiers.Watch, "watch"}, {c.tiers.AtRisk, "at_risk"}, {c.tiers.Critical, "critical"}} {
		if from := float64(bottom); t.from >= from && t.from < from+chartRow {
			name = t.name
		}
	}
	return fmt.Sprintf("%-8s %2d ", name, bottom)
}

// row is the part of each step's column that lies in a row.
func (c *chart) row(bottom int) string {
	var b strings.Builder
	for _, risk := range c.scores.most {
		filled := int((risk-float64(bottom))*8/chartRow + 0.5)
		if risk >= 0 && bottom == 0 { // there is a score: it shows
			filled = max(filled, 1)
		}
		block := eighths[max(0, min(8, filled))]
		switch {
		case block == " ":
		case risk >= c.tiers.Critical:
			block = c.screen.Paint(text.Colors{text.FgRed}, block)
		case risk >= c.tiers.Watch:
			block = c.screen.Paint(text.Colors{text.FgYellow}, block)
		}
		b.WriteString(block)
	}
	return b.String()
}

// marks has a mark below each step of which is holds.
func (c *chart) marks(mark string, is func(int) bool) string {
	var b strings.Builder
	for i := range c.scores.most {
		if is(i) {
			b.WriteString(mark)
		} else {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// months names every third month below its first day, and the first one with its year.
func (c *chart) months() string {
	line := []byte(strings.Repeat(" ", len(c.scores.most)))
	from := time.UnixMilli(c.scores.from).UTC()
	for at := time.Date(from.Year(), from.Month(), 1, 0, 0, 0, 0, time.UTC); ; at = at.AddDate(0, 1, 0) {
		i := c.scores.at(max(at.UnixMilli(), c.scores.from))
		if i >= len(line) {
			return strings.TrimRight(string(line), " ")
		}
		if (at.Month()-1)%3 != 0 {
			continue
		}
		name := at.Format("Jan")
		if at.Month() == time.January {
			name = at.Format("2006")
		}
		copy(line[i:], name)
	}
}
