package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/backtest"
	"ebb/cmd/ebb/connect"
	"ebb/cmd/ebb/eventlog"
	"ebb/cmd/ebb/terminal"
	"ebb/pipeline"
	"ebb/scoring"
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
				err = d.show(terminal.NewScreen(cmd.OutOrStdout(), a.environ), f.json)
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
	flags.StringVar(&f.at, "at", "", "`DATES` to compare tiers at besides the log's end, such as 2025-06-01, separated by commas")
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

// packsDiffered is what two packs declare and decide differently.
type packsDiffered struct {
	A        packSummary          `json:"a"`
	B        packSummary          `json:"b"`
	Differ   bool                 `json:"differ"` // decisions; without a log: what is declared
	Declared []declaredDifference `json:"declared"`
	Decided  *decidedDifference   `json:"decided,omitempty"`

	names []string // as given
}

// decidedDifference is what came of a log.
type decidedDifference struct {
	Log     string `json:"log"`
	Skipped int64  `json:"skipped"` // lines that could not be used
	*backtest.Difference
	Migrations []migrationJSON `json:"migrations"`
}

func (a *app) diffPacks(cmd *cobra.Command, f *packsDiffFlags, names []string) (*packsDiffered, error) {
	cfg, err := a.config(f.overrides()...)
	if err != nil {
		return nil, err
	}
	var packs [2]*scoring.Pack
	for i, name := range names {
		cfg.Pack.Name = name
		if packs[i], err = connect.LoadPack(cfg); err != nil {
			return nil, advice.Usage(err)
		}
	}
	d := &packsDiffered{A: summarise(packs[0]), B: summarise(packs[1]), Declared: declaredDifferences(packs[0], packs[1]), names: names}
	d.Differ = len(d.Declared) > 0
	if f.events == "" {
		if f.at != "" {
			return nil, advice.Usage(errors.New("--at needs --events, a log to compare on"))
		}
		return d, nil
	}
	reading := terminal.NewReading(terminal.NewScreen(cmd.ErrOrStderr(), a.environ))
	defer reading.End()
	p := &eventlog.Pass{
		Name: f.events, Mapping: &cfg.Input.Mapping, SkipBad: f.skipBad,
		Stdin: terminal.StoppableReader(cmd.Context(), cmd.InOrStdin()), Progress: reading.At,
	}
	found, err := f.compare(cmd.Context(), p, packs)
	if err != nil {
		return nil, err
	}
	d.Decided = newDecided(f.events, p.Skipped(), found)
	d.Differ = found.Differ()
	return d, nil
}

// compare sends the log through both packs.
func (f *packsDiffFlags) compare(ctx context.Context, p *eventlog.Pass, packs [2]*scoring.Pack) (*backtest.Difference, error) {
	var dates []time.Time
	if f.at != "" {
		var err error
		if dates, err = parseDates(f.at); err != nil {
			return nil, advice.Usage(err)
		}
	}
	c := backtest.NewComparison(packs[0], packs[1], dates, int(f.examples))
	second := pipeline.NewMappedDecoder(0, p.Mapping.Compiled).Reading(packs[1])
	var again pipeline.Event // decoded for what the second pack reads
	err := p.Each(ctx, packs[0], "comparing", func(file *eventlog.File, e *eventlog.Entry) {
		ev := eventOf(file, e)
		again.Properties = nil
		if packs[1].Uses(ev.Type) {
			second.Reset()
			second.Decode(&pipeline.Record{Value: e.Value}, &again)
		}
		c.Observe(ev, again.Properties)
	}, c.Late)
	if err != nil {
		return nil, err
	}
	found := c.Finish()
	if found.Events == 0 {
		return nil, fmt.Errorf("%s holds no events", p.Name)
	}
	for i, n := range found.Active {
		if n == 0 {
			return nil, p.NoActivity(packs[i].Name)
		}
	}
	for _, at := range dates {
		if at.Before(found.First) || at.After(found.Last) {
			return nil, advice.Usage(fmt.Errorf("%s lies outside the log, which begins on %s and ends on %s", advice.FormatDate(at),
				found.First.Format(time.DateOnly), found.Last.Format(time.DateOnly)))
		}
	}
	return found, nil
}

func newDecided(log string, skipped int64, found *backtest.Difference) *decidedDifference {
	d := &decidedDifference{Log: log, Skipped: skipped, Difference: found, Migrations: []migrationJSON{}}
	for _, list := range [][]backtest.ChangedAlert{found.Removed, found.Added, found.Changed} {
		for i := range list {
			tenant, customer := pipeline.SplitKey([]byte(list[i].Key))
			list[i].Tenant, list[i].Customer = string(tenant), string(customer)
		}
	}
	for i := range found.Migrations {
		d.Migrations = append(d.Migrations, newMigration(&found.Migrations[i]))
	}
	return d
}

func (d *packsDiffered) show(s terminal.Screen, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(s).Encode(d)
	}
	return packsDiffText{s, "A", "B"}.print(d)
}
