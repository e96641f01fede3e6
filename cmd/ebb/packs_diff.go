package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/backtest"
	"ebb/pipeline"
	"ebb/pipeline/decode"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
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
				err = d.show(newScreen(cmd.OutOrStdout(), a.environ), f.json)
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
		return usageError{fmt.Errorf("it takes two packs, A and B, found %d", len(args))}
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

// migrationJSON are the cells of a migration that hold customers.
type migrationJSON struct {
	At     time.Time       `json:"at"`
	Tiers  []migrationCell `json:"tiers"`
	Stages []migrationCell `json:"stages"`
}

type migrationCell struct {
	A         string `json:"a"`
	B         string `json:"b"`
	Customers int64  `json:"customers"`
}

func (a *app) diffPacks(cmd *cobra.Command, f *packsDiffFlags, names []string) (*packsDiffered, error) {
	cfg, err := a.config(f.overrides()...)
	if err != nil {
		return nil, err
	}
	var packs [2]*pack.Pack
	for i, name := range names {
		cfg.Pack.Name = name
		if packs[i], err = loadPack(cfg); err != nil {
			return nil, usageError{err}
		}
	}
	d := &packsDiffered{A: summarise(packs[0]), B: summarise(packs[1]), Declared: declaredDifferences(packs[0], packs[1]), names: names}
	d.Differ = len(d.Declared) > 0
	if f.events == "" {
		if f.at != "" {
			return nil, usageError{errors.New("--at needs --events, a log to compare on")}
		}
		return d, nil
	}
	p := &logPass{
		name: f.events, mapping: &cfg.Input.Mapping, skipBad: f.skipBad,
		stdin: newStoppableReader(cmd.Context(), cmd.InOrStdin()), screen: newScreen(cmd.ErrOrStderr(), a.environ),
	}
	found, err := f.compare(cmd.Context(), p, packs)
	if err != nil {
		return nil, err
	}
	d.Decided = newDecided(f.events, p.bad, found)
	d.Differ = found.Differ()
	return d, nil
}

// compare sends the log through both packs.
func (f *packsDiffFlags) compare(ctx context.Context, p *logPass, packs [2]*pack.Pack) (*backtest.Difference, error) {
	var dates []time.Time
	if f.at != "" {
		var err error
		if dates, err = parseDates(f.at); err != nil {
			return nil, usageError{err}
		}
	}
	c := backtest.NewComparison(packs[0], packs[1], dates, int(f.examples))
	second := decode.NewMapped(0, p.mapping.compiled).Reading(packs[1])
	var again pipeline.Event // decoded for what the second pack reads
	err := p.each(ctx, packs[0], "comparing", func(ev *backtest.Event, e *logEntry) {
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
		return nil, fmt.Errorf("%s holds no events", p.name)
	}
	for i, n := range found.Active {
		if n == 0 {
			return nil, p.noActivity(packs[i].Name)
		}
	}
	for _, at := range dates {
		if at.Before(found.First) || at.After(found.Last) {
			return nil, usageError{fmt.Errorf("%s lies outside the log, which begins on %s and ends on %s", formatDate(at),
				found.First.Format(time.DateOnly), found.Last.Format(time.DateOnly))}
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

func newMigration(m *backtest.Migration) migrationJSON {
	out := migrationJSON{At: m.At, Tiers: []migrationCell{}, Stages: []migrationCell{}}
	for a := range m.Tiers {
		for b, n := range m.Tiers[a] {
			out.Tiers = appendCell(out.Tiers, profile.Tier(a).String(), profile.Tier(b).String(), n)
		}
	}
	for a := range m.Stages {
		for b, n := range m.Stages[a] {
			out.Stages = appendCell(out.Stages, profile.Stage(a).String(), profile.Stage(b).String(), n)
		}
	}
	return out
}

func appendCell(cells []migrationCell, a, b string, customers int64) []migrationCell {
	if customers == 0 {
		return cells
	}
	return append(cells, migrationCell{a, b, customers})
}

func (d *packsDiffered) show(s screen, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(s).Encode(d)
	}
	return packsDiffText{s, "A", "B"}.print(d)
}
