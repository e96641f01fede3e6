package backtest

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// A chart is drawn in a box of this size; the plot lies inside it, beside and above its labels. report.html draws the
// axes at the same places.
const (
	boxWidth, boxHeight = 320.0, 236.0
	plotLeft, plotTop   = 40.0, 10.0
	plotRight           = boxWidth - 18
	plotBottom          = boxHeight - 40
)

// chart is a chart as the page draws it.
type chart struct {
	Title, About string // About: for readers who cannot see it
	XLabel       string
	YLabel       string
	XTicks       []tick
	YTicks       []tick
	Lines        []line
	Bars         []bar
	Marks        []mark
}

// tick is a mark on an axis.
type tick struct {
	At    float64
	Label string
}

// line is a curve, or the dots of one.
type line struct {
	Class string
	Path  string
	Dots  []Point
}

// mark is a dot of its own, beside which a label may stand.
type mark struct {
	Class string
	X, Y  float64
	Label string
	Right bool // the label stands to the right of it, else to the left
	About string
}

// bar is a rectangle.
type bar struct {
	Class               string
	X, Y, Width, Height float64
	About               string
}

// scale maps values to the plot.
type scale struct{ lowX, highX, lowY, highY float64 }

func (s scale) x(v float64) float64 {
	return plotLeft + (v-s.lowX)/(s.highX-s.lowX)*(plotRight-plotLeft)
}

func (s scale) y(v float64) float64 {
	return plotBottom - (v-s.lowY)/(s.highY-s.lowY)*(plotBottom-plotTop)
}

// path is the line through points.
func (s scale) path(points []Point) string {
	var b strings.Builder
	for i, p := range points {
		verb := 'L'
		if i == 0 {
			verb = 'M'
		}
		fmt.Fprintf(&b, "%c%.1f %.1f", verb, s.x(p.X), s.y(p.Y))
	}
	return b.String()
}

// dots are points where they are drawn.
func (s scale) dots(points []Point) []Point {
	out := make([]Point, len(points))
	for i, p := range points {
		out[i] = Point{s.x(p.X), s.y(p.Y)}
	}
	return out
}

// shares are ticks from 0 to 100 %.
func (s scale) shares(at func(float64) float64) []tick {
	var ticks []tick
	for _, v := range []float64{0, 0.25, 0.5, 0.75, 1} {
		ticks = append(ticks, tick{at(v), fmt.Sprintf("%.0f %%", 100*v)})
	}
	return ticks
}

// diagonal runs from corner to corner.
func (s scale) diagonal() line {
	return line{Class: "guide", Path: s.path([]Point{{s.lowX, s.lowY}, {s.highX, s.highY}})}
}

var unit = scale{0, 1, 0, 1} //nolint:gochecknoglobals // a constant

// rocChart compares how scores rank, and draws ebb last so that it lies on top.
func rocChart(d *Date) chart {
	c := chart{
		Title:  day(d.At),
		XLabel: "of those who stayed",
		YLabel: "of those who churned",
		About: fmt.Sprintf(
			"ROC at %s: AUC %s for ebb, %s for RFM, %s for recency",
			day(d.At),
			decimals(d.Scores[0].AUC),
			decimals(d.Scores[2].AUC),
			decimals(d.Scores[1].AUC),
		),
		XTicks: unit.shares(unit.x),
		YTicks: unit.shares(unit.y),
		Lines:  []line{unit.diagonal()},
	}
	for i, points := range slices.Backward(d.ROC) {
		c.Lines = append(c.Lines, line{Class: fmt.Sprintf("s%d", i), Path: unit.path(points)})
	}
	return c
}

// calibrationChart compares probabilities with what happened.
func calibrationChart(d *Date) chart {
	c := chart{
		Title: day(d.At), XLabel: "probability given", YLabel: "churned",
		About: fmt.Sprintf("Calibration at %s: error %s cold, %s self-calibrated", day(d.At),
			decimals(d.Probabilities.Cold.Error), decimals(d.Probabilities.SelfCalibrated.Error)),
		XTicks: unit.shares(unit.x), YTicks: unit.shares(unit.y), Lines: []line{unit.diagonal()},
	}
	for i, class := range []string{"cold", "learnt"} {
		var points []Point
		for _, b := range d.Bins[i] {
			points = append(points, Point{b.Predicted, b.Churned})
		}
		c.Lines = append(c.Lines, line{Class: class, Path: unit.path(points), Dots: unit.dots(points)})
	}
	return c
}

// spreadChart counts customers by score, those who churned below those who stayed.
func spreadChart(d *Date) chart {
	h := &d.Spread
	first, last, most := len(h.Churned), 0, 0
	for i := range h.Churned {
		if n := h.Churned[i] + h.Stayed[i]; n > 0 {
			first, last, most = min(first, i), i, max(most, n)
		}
	}
	first = min(first, last)
	at := func(i int) float64 { return h.Low + histogramStep*float64(i) }
	s := scale{at(first), at(last + 1), 0, niceAbove(float64(max(most, 1)))}
	c := chart{
		Title:  day(d.At),
		XLabel: "score in log-odds",
		YLabel: "customers",
		About: fmt.Sprintf(
			"Customers by score at %s: %d who churned, %d who stayed",
			day(d.At),
			d.Churned,
			d.Customers-d.Churned,
		),
		YTicks: s.counts(),
	}
	for v := math.Ceil(s.lowX); v <= s.highX; v += math.Ceil((s.highX - s.lowX) / 8) {
		c.XTicks = append(c.XTicks, tick{s.x(v), fmt.Sprintf("%+.0f", v)})
	}
	for i := first; i <= last; i++ {
		left, gap := s.x(at(i)), 1.0
		width := s.x(at(i+1)) - left - gap
		about := fmt.Sprintf("score %+.1f to %+.1f: %d churned, %d stayed", at(i), at(i+1), h.Churned[i], h.Stayed[i])
		below := s.y(float64(h.Churned[i]))
		above := s.y(float64(h.Churned[i] + h.Stayed[i]))
		c.Bars = append(
			c.Bars,
			bar{"gone", left, below, width, plotBottom - below, about},
			bar{"back", left, above, width, below - above, about},
		)
	}
	return c
}

// counts are ticks of whole numbers from 0 to the top.
func (s scale) counts() []tick {
	var ticks []tick
	for i := range 5 {
		v := s.highY * float64(i) / 4
		ticks = append(ticks, tick{s.y(v), count(int64(math.Round(v)))})
	}
	return ticks
}

// niceAbove is the least of 4, 8, 12, 20 and 40 times a power of ten that is not below v.
func niceAbove(v float64) float64 {
	for power := 1.0; ; power *= 10 {
		for _, step := range []float64{4, 8, 12, 20} {
			if step*power >= v {
				return step * power
			}
		}
	}
}
