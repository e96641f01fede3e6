package view

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/backtest"
	"ebb/cmd/ebb/eventlog"
	"ebb/cmd/ebb/terminal"
)

// backtestText shows a report to people, in tables of at most 80 columns.
type backtestText struct {
	terminal.Screen
	*backtest.Outcome
}

// Backtest shows a report.
func Backtest(s terminal.Screen, o *backtest.Outcome) error { return (&backtestText{s, o}).print() }

func (t *backtestText) print() error {
	t.header()
	t.alerts()
	if len(t.Dates) > 0 {
		t.scores()
		t.probabilities()
		t.terms()
	}
	_, err := fmt.Fprintf(t, "\n%s events in %.1f s, %s a second; %d MiB\n",
		advice.Grouped(t.Events), t.Seconds, advice.Grouped(int64(float64(t.Events)/max(t.Seconds, 1e-3))), t.MiB)
	return err
}

func (t *backtestText) horizon() string { return formatDays(t.HorizonDays) }

func (t *backtestText) header() {
	t.Paragraph(
		"",
		t.Paint(text.Colors{text.Bold}, "ebb backtest")+fmt.Sprintf(
			" of %s: %s events of %s customers, %s to %s",
			LogName(
				t.Log,
			),
			advice.Grouped(t.Events),
			advice.Grouped(t.Customers),
			t.First.Format(time.DateOnly),
			t.Last.Format(time.DateOnly),
		),
	)
	said := fmt.Sprintf("pack %s, activity %s", t.Pack.Name, typesInWords(t.Pack.Activity))
	if len(t.Pack.Activity) > 4 {
		said = fmt.Sprintf("pack %s, %d types of activity", t.Pack.Name, len(t.Pack.Activity))
	}
	t.Paragraph(
		"",
		said+", horizon "+t.horizon(),
	)
	for _, note := range t.notes() {
		t.Paragraph("note: ", note)
	}
}

// notes lists what of the log was not used.
func (t *backtestText) notes() []string {
	var notes []string
	add := func(n int64, what string) {
		if n > 0 {
			notes = append(notes, advice.Grouped(n)+" "+what)
		}
	}
	add(t.Unnamed, "events are of types that the pack does not name")
	add(t.Duplicates, "events are repeats, by their id, and count once")
	add(t.Late, "events are more than a day older than one before them")
	add(t.Anonymous, "events are of visitors without a customer id, and count for nothing")
	add(t.Skipped, "lines could not be used")
	if t.Ineligible > 0 {
		notes = append(
			notes,
			fmt.Sprintf("%s of %s active customers had no event of the signal %s: the pack alerts about none "+
				"of them, and their silences are not judged",
				advice.Grouped(t.Ineligible), advice.Grouped(t.Active), t.Pack.Eligible),
		)
	}
	return notes
}

func typesInWords(items []string) string {
	if slices.Equal(items, []string{"*"}) {
		return "every event"
	}
	return strings.Join(items, ", ")
}

// scores is the table of AUCs: the score and the other rules on the same customers.
func (t *backtestText) scores() {
	var rows [][]string
	for _, d := range t.Dates {
		row := []string{
			advice.FormatDate(d.At), advice.Grouped(int64(d.Customers)), Percent(int64(d.Churned), int64(d.Customers)),
			decimals(d.Scores[0].AUC), decimals(d.Scores[0].Interval.Low) + " to " + decimals(d.Scores[0].Interval.High),
		}
		for _, s := range d.Scores[1:] {
			row = append(row, decimals(s.AUC))
		}
		rows = append(rows, row)
	}
	if len(t.Dates) > 1 {
		row := []string{"mean", "", "", decimals(t.Mean.Scores[0].AUC), ""}
		for _, s := range t.Mean.Scores[1:] {
			row = append(row, decimals(s.AUC))
		}
		rows = append(rows, row)
	}
	fmt.Fprintf(t, "\n%s\n", t.Paint(text.Colors{text.Bold}, "Who will churn?"))
	t.Paragraph("", t.churnInWords())
	t.Table("AUC of the score and of simple rules (1 is perfect, .5 a coin)",
		[]string{"date", "customers", "churned", "ebb", "95 % interval", "recency", "RFM", "30d silent"}, rows)
}

// churnInWords says what is ranked, and what the ranking finds.
func (t *backtestText) churnInWords() string {
	var customers, churned int64
	for _, d := range t.Dates {
		customers += int64(d.Customers)
		churned += int64(d.Churned)
	}
	said := fmt.Sprintf(
		"No activity for %s after a date, of those active in the %s before.",
		t.horizon(),
		formatDays(t.ActiveDays),
	)
	if top := t.Mean.Scores[0].TopTenth; top.Known() {
		said += fmt.Sprintf(" Of the tenth scored highest %.0f in 100 did so, of all %.0f.",
			100*float64(top), 100*float64(churned)/float64(customers))
	}
	return said
}

// probabilities is the table of how well probabilities match what happened, and of the customers ranked highest.
func (t *backtestText) probabilities() {
	rows := make([][]string, 0, len(t.Dates))
	for _, d := range t.Dates {
		p := &d.Probabilities
		probes := advice.Grouped(int64(p.Probes))
		if p.Provisional {
			probes += " (few)"
		}
		rows = append(rows, []string{
			advice.FormatDate(d.At),
			decimals(d.Scores[0].TopTenth),
			decimals(d.Scores[0].AveragePrecision),
			decimals(
				p.Cold.Brier,
			),
			decimals(p.SelfCalibrated.Brier),
			decimals(p.Cold.Error),
			decimals(p.SelfCalibrated.Error),
			probes,
		})
	}
	t.Table("The top tenth; how far probabilities are off, cold and self-calibrated",
		[]string{"date", "top tenth", "avg prec", "Brier cold", "self", "error cold", "self", "probes"}, rows)
}

// terms is what each term is worth.
func (t *backtestText) terms() {
	if len(t.Mean.Without) == 0 {
		return
	}
	var rows [][]string
	for _, w := range t.Mean.Without {
		rows = append(rows, []string{w.Term, decimals(w.AUC), signed(t.Mean.Scores[0].AUC - w.AUC)})
	}
	t.Table("What each term and factor is worth: mean AUC without it", []string{"without", "AUC", "worth"}, rows)
}

// decimals writes a figure with three decimals, without the zero before the point.
func decimals(f backtest.Figure) string {
	if !f.Known() {
		return "–"
	}
	return strings.Replace(fmt.Sprintf("%.3f", float64(f)), "0.", ".", 1)
}

// signed is decimals with a sign.
func signed(f backtest.Figure) string {
	if !f.Known() {
		return decimals(f)
	}
	return strings.Replace(fmt.Sprintf("%+.3f", math.Round(float64(f)*1000)/1000+0), "0.", ".", 1)
}

// formatDays writes days: whole ones from ten on.
func formatDays(f backtest.Figure) string {
	switch {
	case !f.Known():
		return "–"
	case f >= 10 || f == backtest.Figure(int(f)):
		return fmt.Sprintf("%.0fd", float64(f))
	}
	return fmt.Sprintf("%.1fd", float64(f))
}

// LogName is the name of a log for people.
func LogName(name string) string {
	if name == eventlog.Stdin {
		return "standard input"
	}
	return filepath.Base(name)
}
