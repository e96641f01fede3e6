// Command tried measures variants of the core on the five public logs: by how much each would rank customers better
// or worse than the core does, at every date. It changes nothing; docs/backtest.md keeps its table.
//
//	go run ./scoring/tried ../shared/data
//
// The core is written anew here, with every constant a parameter, in plain floating point. Its first row is held
// against what `ebb backtest` says of the core itself.
package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: tried FOLDER (with the five public logs)")
		os.Exit(2)
	}
	if err := run(os.Stdout, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "tried:", err)
		os.Exit(1)
	}
}

// lossless is the AUC that a variant may lose at a date and still be said to win.
const lossless = 0.003

// run measures every variant on every log and writes a table.
func run(out io.Writer, folder string) error {
	var logs []*eventLog
	for i := range publicLogs {
		l, err := publicLogs[i].read(folder)
		if err != nil {
			return err
		}
		logs = append(logs, l)
	}
	names, rule := "", ""
	for _, l := range logs {
		names, rule = names+" | "+l.name, rule+"|---"
	}
	fmt.Fprintf(out, "| idea | variant | mean | gain%s | worst date |\n|---|---|---|---%s|---|\n", names, rule)
	core := measure(logs, constants())
	for _, v := range variants() {
		c := constants()
		if v.change != nil {
			v.change(&c)
		}
		fmt.Fprintln(out, v.row(measure(logs, c), core))
	}
	return nil
}

// aucs are a variant's, by log and date.
type aucs [][]float64

func measure(logs []*eventLog, c parameters) (all aucs) {
	for _, l := range logs {
		all = append(all, l.measure(c))
	}
	return all
}

// row is a line of the table: the mean over all dates of all logs, what it gains against the core, there and by log,
// and the date on which it loses most.
func (v *variant) row(found, core aucs) string {
	sum, gain, dates, worst, by := 0.0, 0.0, 0, 1.0, ""
	for i := range found {
		own := 0.0
		for j := range found[i] {
			diff := found[i][j] - core[i][j]
			sum, own, worst = sum+found[i][j], own+diff, min(worst, diff)
			dates++
		}
		gain += own
		by += fmt.Sprintf(" | %+.4f", own/float64(len(found[i])))
	}
	mean := sum / float64(dates)
	if v.change == nil {
		return fmt.Sprintf("| %s | %s | %.4f |%s | |", v.idea, v.name, mean, strings.Repeat(" |", len(found)+1))
	}
	gained := fmt.Sprintf("%+.4f", gain/float64(dates))
	if gain > 0 && worst >= -lossless {
		gained = "**" + gained + "**"
	}
	return fmt.Sprintf("| %s | %s | %.4f | %s%s | %+.4f |", v.idea, v.name, mean, gained, by, worst)
}
