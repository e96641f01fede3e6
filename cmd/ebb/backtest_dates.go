package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/backtest"
	"ebb/cmd/ebb/eventlog"
)

// settle decides what is measured: it reads the flags and looks ahead in the log for when it ends, so that what cannot be
// measured is refused before the log is read.
func (b *backtesting) settle(ctx context.Context) error {
	if err := b.checkFiles(); err != nil {
		return advice.Usage(err)
	}
	b.active = 2 * b.pack.Horizon
	if text := b.flags.active; text != "" {
		d, err := advice.ParseDuration(text)
		if err != nil || d <= 0 {
			return advice.Usage(fmt.Errorf("--active must be a span such as 180d, found %q", text))
		}
		b.active = d
	}
	if b.flags.at != "" {
		dates, err := parseDates(b.flags.at)
		if err != nil {
			return advice.Usage(err)
		}
		b.dates = dates
	}
	if b.Name == eventlog.Stdin {
		if len(b.dates) == 0 {
			return advice.Usage(advice.Add(errors.New("standard input is read once, so when it ends is not known beforehand"), "name the dates to measure at with --at"))
		}
		b.until = b.dates[len(b.dates)-1]
		return nil
	}
	first, last, err := b.Span(ctx, "looking ahead")
	if err != nil {
		return err
	}
	b.until = last.Add(-b.pack.Horizon)
	if len(b.dates) == 0 {
		b.dates, err = b.chooseDates(first, last)
		return err
	}
	return b.checkDates(first, last)
}

// checkFiles refuses files that could not be written at the end, or that the report would take the place of.
func (b *backtesting) checkFiles() error {
	taken := map[string]string{b.Name: "the log itself", b.flags.pack: "the pack's file"} // what must not be overwritten
	for _, name := range []string{b.flags.scores, b.flags.html} {
		switch name {
		case "":
			continue
		case eventlog.Stdin:
			return errors.New("--scores and --html take a file: standard output has the report itself")
		}
		if info, err := os.Stat(filepath.Dir(name)); err != nil || !info.IsDir() {
			return fmt.Errorf("%s cannot be written: there is no folder %s", name, filepath.Dir(name))
		}
		switch info, err := os.Stat(name); {
		case err != nil: // there is none yet
		case info.IsDir():
			return fmt.Errorf("%s cannot be written: it is a folder", name)
		default:
			for other, what := range taken {
				if o, err := os.Stat(other); other != eventlog.Stdin && err == nil && os.SameFile(info, o) {
					return fmt.Errorf("%s is %s, and would be overwritten", name, what)
				}
			}
		}
	}
	if b.flags.scores != "" && filepath.Clean(b.flags.scores) == filepath.Clean(b.flags.html) {
		return fmt.Errorf("--scores and --html are the same file, %s", b.flags.html)
	}
	return nil
}

// checkDates refuses dates that the log cannot answer.
func (b *backtesting) checkDates(first, last time.Time) error {
	for _, at := range b.dates {
		if at.Add(b.pack.Horizon).After(backtest.EndOf(last)) {
			return b.tooLate(at, last)
		}
		if !at.After(first) {
			return advice.Usage(fmt.Errorf("%s lies before the first event, of %s: nobody was active then", advice.FormatDate(at), advice.FormatDate(first)))
		}
	}
	return nil
}

// tooLate says that a date has no full horizon after it.
func (b *backtesting) tooLate(at, last time.Time) error {
	possible := backtest.EndOf(last).Add(-b.pack.Horizon).Truncate(advice.Day)
	return advice.Usage(advice.Add(
		fmt.Errorf("%s has no full horizon of %s after it: the log ends on %s", advice.FormatDate(at), advice.FormatDuration(b.pack.Horizon), last.Format(time.DateOnly)),
		"the last possible date is %s; a shorter --horizon allows later ones", advice.FormatDate(possible)))
}

// chooseDates spreads up to three dates over the log, a horizon apart at least: the last that has a full horizon after it,
// and before it as far as customers were active for twice --active. A short log has one.
func (b *backtesting) chooseDates(first, last time.Time) ([]time.Time, error) {
	latest := last.Add(-b.pack.Horizon).Truncate(advice.Day)
	if span := last.Sub(first); span < 2*b.pack.Horizon {
		err := fmt.Errorf("the log, from %s to %s, is too short for a horizon of %s: it takes one to know the customers and one to see what becomes of them",
			first.Format(time.DateOnly), last.Format(time.DateOnly), advice.FormatDuration(b.pack.Horizon))
		if span < 2*advice.Day {
			return nil, advice.Usage(advice.Add(err, "the shortest horizon is 1d: take a log of more days"))
		}
		return nil, advice.Usage(advice.Add(err, "choose a shorter --horizon, of at most %s, or name a date with --at", advice.FormatDuration((span / 2).Truncate(advice.Day))))
	}
	earliest := first.Add(2 * b.active)
	steps := min(2, max(0, latest.Sub(earliest))/b.pack.Horizon)
	dates := []time.Time{latest}
	for i := range steps {
		dates = append(dates, latest.Add(-(i+1)*(latest.Sub(earliest)/steps)).Truncate(advice.Day))
	}
	slices.Reverse(dates)
	return dates, nil
}

// parseDates reads dates separated by commas, midnight UTC unless they say otherwise, and puts them in order.
func parseDates(text string) ([]time.Time, error) {
	var dates []time.Time
	for item := range strings.SplitSeq(text, ",") {
		item = strings.TrimSpace(item)
		t, err := time.Parse(time.DateOnly, item)
		if err != nil {
			if t, err = time.Parse(time.RFC3339, item); err != nil {
				return nil, fmt.Errorf("--at wants dates such as 2025-06-01 or 2025-06-01T12:00:00Z, found %q", item)
			}
		}
		dates = append(dates, t.UTC())
	}
	slices.SortFunc(dates, time.Time.Compare)
	return slices.Compact(dates), nil
}
