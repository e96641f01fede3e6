package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/shop"
	"ebb/cmd/ebb/terminal"
)

// simulateFlags is the command line of simulate.
type simulateFlags struct {
	pack          string
	customers     int
	events        int64
	days          int
	seed          uint64
	truth, output string
}

func newSimulateCommand() *cobra.Command {
	var f simulateFlags
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Write the events of a simulated business as NDJSON",
		Long: fmt.Sprintf(
			`Write the events of a simulated shop, in order of time, one JSON object a line: in ebb's flat envelope, and those of
visitors who have not signed in as Segment messages without userId. None of it is real. --pack plays the business that a
pack is for instead: software that is paid for monthly, a creator's members, either side of a marketplace.

Most customers come once or a few times, as in a real shop. The others come in rhythms of their own, look around, buy, send
things back and ask for help; they pause for a holiday, an illness or a season, and come back; some leave for good. Visitors
come who never buy. Sometimes the feed of the website, the back office or the helpdesk is cut for some days. Who has left,
when and why, the simulation knows: --truth writes it down, to hold alerts against. The same seed gives the same events on
every machine.

The shop has %d customers over %d days, beginning on %s. With --events it ends after that many, and without
--customers it is as large as that takes.`,
			shop.DefaultCustomers,
			shop.DefaultDays,
			shop.DefaultStart().Format(time.DateOnly),
		),
		Example: "  ebb simulate --truth left.csv -o shop.ndjson\n" +
			"  ebb simulate --customers 1000 | ebb produce -\n" +
			"  ebb simulate --pack saas -o accounts.ndjson\n" +
			"  ebb simulate --events 5000000 --seed 7 | ebb produce -   # a load",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringVar(
		&f.pack,
		"pack",
		"retail",
		"pack by its `NAME` whose events to write: "+strings.Join(shop.Businesses(), ", ")+"; any: as retail",
	)
	flags.IntVar(&f.customers, "customers", 0, "`N` customers who ever come (default: see above)")
	flags.Int64Var(&f.events, "events", 0, "end after `N` events (default: when the days are over)")
	flags.IntVar(&f.days, "days", shop.DefaultDays, "`N` days from the first event on")
	flags.Uint64Var(&f.seed, "seed", 1, "`N`: another seed, another shop")
	flags.StringVar(&f.truth, "truth", "", "`FILE` to write who left, when and why to, as CSV")
	flags.StringVarP(&f.output, "output", "o", "", "`FILE` to write the events to (default: standard output)")
	return cmd
}

// shop is the shop of the command line's flags.
func (f *simulateFlags) shop() (*shop.Shop, error) {
	switch {
	case f.pack != "any" && !slices.Contains(shop.Businesses(), f.pack):
		return nil, advice.Usage(
			fmt.Errorf("--pack is any or one of %s, found %q", strings.Join(shop.Businesses(), ", "), f.pack))
	case f.days < 1:
		return nil, advice.Usage(fmt.Errorf("--days must be above 0, found %d", f.days))
	case f.output != "" && f.output == f.truth:
		return nil, advice.Usage(fmt.Errorf("--output and --truth are the same file, %s", f.output))
	}
	s, err := shop.New(shop.Config{
		Business: strings.TrimPrefix(f.pack, "any"), Customers: f.customers, Days: f.days, Events: f.events, Seed: f.seed,
	})
	if err != nil {
		return nil, advice.Usage(err)
	}
	return s, nil
}

// run writes the events, then the truth as of the last of them, then a line about both.
func (f *simulateFlags) run(cmd *cobra.Command) error {
	s, err := f.shop()
	if err != nil {
		return err
	}
	screen := terminal.NewScreen(cmd.ErrOrStderr(), nil)
	var written simulated
	err = toFile(f.output, cmd.OutOrStdout(), func(w io.Writer) (err error) {
		written, err = simulate(cmd.Context(), s, f.events, w, screen)
		return err
	})
	if errors.Is(err, syscall.EPIPE) {
		return nil // the reader closed the pipe because it has read enough
	}
	if err != nil {
		return err
	}
	said := fmt.Sprintf(
		"simulated: %s events of %s customers, to %s",
		advice.Grouped(written.events),
		advice.Grouped(int64(s.Customers())),
		written.last.Format(time.DateOnly),
	)
	if f.truth != "" {
		var left int
		if err := toFile(f.truth, nil, func(w io.Writer) (err error) {
			left, err = s.WriteTruth(w, written.until(s, f.events))
			return err
		}); err != nil {
			return err
		}
		said += fmt.Sprintf("; %s of them left", advice.Grouped(int64(left)))
	}
	if n := cutsBefore(s, written.last); n > 0 {
		said += "; feeds were cut " + advice.Plural(n, "time")
	}
	fmt.Fprintln(screen, said)
	if written.events < f.events {
		fmt.Fprintf(
			screen,
			"fewer than the %s events asked for: give it more customers or more days\n",
			advice.Grouped(f.events),
		)
	}
	return nil
}

// cutsBefore is how many times a feed was cut before a moment.
func cutsBefore(s *shop.Shop, until time.Time) (n int) {
	for _, c := range s.Cuts() {
		if c.From.Before(until) {
			n++
		}
	}
	return n
}

// simulated is the outcome of the writing.
type simulated struct {
	events int64
	last   time.Time // of the last event
}

// until is the moment of the truth: the end of the shop, or the last event where their number was the limit.
func (d simulated) until(s *shop.Shop, limit int64) time.Time {
	if limit > 0 && d.events == limit {
		return d.last
	}
	return s.End()
}

// simulate writes the shop's events to w. A bar shows how far it is, unless the terminal shows the events themselves.
func simulate(
	ctx context.Context,
	s *shop.Shop,
	limit int64,
	w io.Writer,
	screen terminal.Screen,
) (done simulated, err error) {
	const often = 1024 // events between two checks of the context
	screen.Terminal = screen.Terminal && !terminal.NewScreen(w, nil).Terminal
	total := limit
	if limit == 0 {
		total = s.End().Unix() - s.Start().Unix()
	}
	bar := screen.Bar(total, "simulating")
	defer func() { _ = bar.Finish() }() // a failure to draw the bar does not matter
	out := bufio.NewWriterSize(w, 1<<18)
	var line []byte
	for ev := range s.Events() {
		if done.events%often == 0 {
			if ctx.Err() != nil {
				return done, errors.Join(context.Cause(ctx), out.Flush())
			}
			if at := done.events; limit == 0 {
				_ = bar.Set64(ev.Time.Unix() - s.Start().Unix())
			} else {
				_ = bar.Set64(at)
			}
		}
		line = append(shop.AppendJSON(line[:0], &ev), '\n')
		if _, err := out.Write(line); err != nil {
			return done, fmt.Errorf("write events: %w", err)
		}
		done.events++
		done.last = ev.Time
	}
	if err := out.Flush(); err != nil {
		return done, fmt.Errorf("write events: %w", err)
	}
	return done, nil
}

// toFile calls write with the file of this name, or with otherwise where the name is empty.
func toFile(name string, otherwise io.Writer, write func(io.Writer) error) (err error) {
	if name == "" {
		return write(otherwise)
	}
	f, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("create file: %w", err)
	}
	defer func() {
		if closed := f.Close(); err == nil && closed != nil {
			err = fmt.Errorf("close file: %w", closed)
		}
	}()
	return write(f)
}
