package backtest

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

//go:embed report.html
var page string

// WriteHTML writes the report as a self-contained page: no script, font or picture from elsewhere. log is the name of
// the log.
func (r *Report) WriteHTML(w io.Writer, log string) error {
	t, err := template.New("report").Funcs(template.FuncMap{
		"decimals": decimals,
		"percent":  percentOf,
		"days":     days,
		"day":      day,
		"count":    count,
		"whole":    func(n int) string { return count(int64(n)) },
		"worth":    worth,
		"tenth":    tenth,
		"late":     r.late,
		"gaps":     r.gaps,
	}).Parse(page)
	if err != nil {
		panic("BUG: embedded page: " + err.Error())
	}
	if err := t.Execute(w, newPage(r, log)); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}

// pageData is what the page shows beside the report itself.
type pageData struct {
	*Report
	Log                      string
	Horizon, Twice, Active   string
	Words                    []string
	Soon                     [4]string // times by which those who leave are caught, in days
	Trade, TradeByClass      []chart
	Judged, WhatIf           []judgedRow
	ROC, Calibration, Spread []chart
	Terms                    []termBar
	TopTenth, ChurnRate      Figure
}

// termBar is what a term is worth, and how long its bar is in per cent.
type termBar struct {
	Term       string
	AUC, Worth Figure
	Width      float64
}

func newPage(r *Report, log string) *pageData {
	p := &pageData{
		Report: r, Log: log, Horizon: days(r.HorizonDays), Twice: days(2 * r.HorizonDays), Active: days(r.ActiveDays),
		Words: r.InWords(),
	}
	p.alerts()
	var customers, churned int64
	for _, d := range r.Dates {
		p.ROC = append(p.ROC, rocChart(d))
		p.Calibration = append(p.Calibration, calibrationChart(d))
		p.Spread = append(p.Spread, spreadChart(d))
		customers += int64(d.Customers)
		churned += int64(d.Churned)
	}
	p.ChurnRate = share(churned, customers)
	p.terms()
	return p
}

func (p *pageData) terms() {
	if len(p.Mean.Scores) == 0 {
		return
	}
	p.TopTenth = p.Mean.Scores[0].TopTenth
	most := 1e-9
	for _, w := range p.Mean.Without {
		most = max(most, math.Abs(float64(p.Mean.Scores[0].AUC-w.AUC)))
	}
	for _, w := range p.Mean.Without {
		worth := p.Mean.Scores[0].AUC - w.AUC
		p.Terms = append(p.Terms, termBar{w.Term, w.AUC, worth, max(0, 100*float64(worth)/most)})
	}
}

// unknown is printed where nothing was measured.
const unknown = "–"

func decimals(f Figure) string {
	if !f.Known() {
		return unknown
	}
	return strconv.FormatFloat(float64(f), 'f', 3, 64)
}

func worth(f Figure) string {
	if !f.Known() {
		return unknown
	}
	return fmt.Sprintf("%+.3f", math.Round(float64(f)*1000)/1000+0)
}

func tenth(f Figure) string {
	if !f.Known() {
		return unknown
	}
	return strconv.FormatFloat(float64(f), 'f', 1, 64)
}

func percentOf(f Figure) string {
	if !f.Known() {
		return unknown
	}
	return fmt.Sprintf("%.0f %%", 100*float64(f))
}

func days(f Figure) string {
	if !f.Known() {
		return unknown
	}
	return strings.TrimSuffix(strconv.FormatFloat(float64(f), 'f', 1, 64), ".0")
}

func day(t time.Time) string { return t.Format(time.DateOnly) }

// count writes a whole number with its thousands apart.
func count(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
