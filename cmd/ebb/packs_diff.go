package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/backtest"
	"ebb/cmd/ebb/connect"
	"ebb/cmd/ebb/eventlog"
	"ebb/cmd/ebb/packs"
	"ebb/cmd/ebb/terminal"
	"ebb/cmd/ebb/view"
	"ebb/scoring/pack"
)

// packsDiffFlags is the command line of packs diff.
type packsDiffFlags struct {
	packFlags
	events, at    string
	examples      uint
	skipBad, json bool
}

func newPacksDiffCommand(a *app) *cobra.Command {
	var f packsDiffFlags
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "Compare two packs, and what they decide about a log",
		Long: `Compare what two packs declare and, with --events, what they decide: the log goes through both at once, as through one partition
of ebb run. Shown are the customers by the tier that each pack has them in, when the log ends and at the dates of --at, and the alerts
that only one of them sends, or each at another time or of another tier, with the first few of each.

Exit code 0: no decision differs, even if what is declared does. 1: some do. 2: they could not be compared. Without --events 1 stands
for any difference in what is declared, but for name and version.

A and B are names of shipped packs or files. What the configuration or a flag overrides is overridden in both.`,
		Example: "  ebb packs diff retail mine.yaml\n" +
			"  ebb packs diff retail mine.yaml --events purchases.csv.gz --activity purchase\n" +
			"  ebb packs diff old.yaml new.yaml --events log.ndjson --at 2025-06-01\n" +
			"  ebb packs diff old.yaml new.yaml --events log.ndjson --json | jq .alerts",
		Args: twoPacks,
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := a.diffPacks(cmd, &f, args)
			if err == nil {
				err = f.show(terminal.NewScreen(cmd.OutOrStdout(), a.environ), d)
			}
			if err != nil {
				return troubledError{err}
			}
			if d.Differ {
				return errReported
			}
			return nil
		},
	}
	f.addOverrides(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.events, "events", "", "the event log `FILE`: NDJSON or CSV, plain or gzipped, - for standard input")
	flags.StringVar(
		&f.at,
		"at",
		"",
		"`DATES` to compare tiers at besides the log's end, such as 2025-06-01, separated by commas",
	)
	flags.UintVar(&f.examples, "examples", 3, "show `N` alerts of each sort that differ")
	flags.BoolVar(&f.skipBad, "skip-bad", false, "count lines that cannot be used and go on")
	flags.BoolVar(&f.json, "json", false, "print one object")
	return cmd
}

// twoPacks refuses anything but two arguments.
func twoPacks(_ *cobra.Command, args []string) error {
	if len(args) != 2 {
		return advice.Usage(fmt.Errorf("it takes two packs, A and B, found %d", len(args)))
	}
	return nil
}

func (a *app) diffPacks(cmd *cobra.Command, f *packsDiffFlags, names []string) (*packs.Diff, error) {
	cfg, err := a.config(f.overrides()...)
	if err != nil {
		return nil, err
	}
	var both [2]*pack.Pack
	for i, name := range names {
		cfg.Pack.Name = name
		if both[i], err = connect.LoadPack(cfg); err != nil {
			return nil, advice.Usage(err)
		}
	}
	d := packs.NewDiff(both, names)
	if f.events == "" {
		if f.at != "" {
			return nil, advice.Usage(errors.New("--at needs --events, a log to compare on"))
		}
		return d, nil
	}
	var dates []time.Time
	if f.at != "" {
		if dates, err = parseDates(f.at); err != nil {
			return nil, advice.Usage(err)
		}
	}
	reading := terminal.NewReading(terminal.NewScreen(cmd.ErrOrStderr(), a.environ))
	defer reading.End()
	p := &eventlog.Pass{
		Name: f.events, Input: &cfg.Input, SkipBad: f.skipBad,
		Stdin: terminal.StoppableReader(cmd.Context(), cmd.InOrStdin()), Progress: reading.At,
	}
	found, err := backtest.CompareOn(cmd.Context(), p, both, dates, int(f.examples))
	if err != nil {
		return nil, err
	}
	d.Decide(f.events, p.Skipped(), found)
	return d, nil
}

func (f *packsDiffFlags) show(s terminal.Screen, d *packs.Diff) error {
	if f.json {
		return json.NewEncoder(s).Encode(d)
	}
	return view.PackDiff(s, d)
}
