package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/connect"
	"ebb/cmd/ebb/inspect"
	"ebb/cmd/ebb/packs"
	"ebb/cmd/ebb/terminal"
	"ebb/scoring/pack"
)

func newPacksCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "packs",
		Short: "List, show, validate and compare packs",
		Long: `A pack is what a business calls activity, trouble and a reason to act. docs/packs.md describes the language. NAME is a shipped
pack; a path of your own holds a slash or ends in .yaml.`,
		Example: "  ebb packs list\n  ebb packs show retail > mine.yaml\n  ebb packs validate mine.yaml\n  ebb packs diff " +
			"retail mine.yaml",
		Args: unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		newPacksListCommand(a),
		newPacksShowCommand(a),
		newPacksValidateCommand(a),
		newPacksDiffCommand(a),
		newPacksShadowCommand(a),
	)
	return cmd
}

func newPacksListCommand(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the packs that come with ebb",
		Long:    "List the packs that come with ebb, with their horizon and how much they declare.",
		Example: "  ebb packs list\n  ebb packs list --json",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var all []packs.Summary
			for _, name := range pack.Shipped() {
				k, err := pack.Load(name, os.ReadFile, pack.Overrides{})
				if err != nil {
					return err
				}
				all = append(all, packs.Summarise(k))
			}
			return showSummaries(terminal.NewScreen(cmd.OutOrStdout(), a.environ), all, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print an object for each pack")
	return cmd
}

func showSummaries(s terminal.Screen, all []packs.Summary, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(s)
		for i := range all {
			if err := encoder.Encode(&all[i]); err != nil {
				return err
			}
		}
		return nil
	}
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	t.AppendHeader(table.Row{"pack", "horizon", "signals", "features", "factors", "kinds"})
	for i := range all {
		p := &all[i]
		t.AppendRow(table.Row{p.Name, p.Horizon, p.Signals, p.Features, p.Factors, len(p.Kinds)})
	}
	_, err := fmt.Fprintln(s, t.Render())
	return err
}

func newPacksShowCommand(a *app) *cobra.Command {
	var reasons bool
	cmd := &cobra.Command{
		Use:   "show [NAME|HASH]",
		Short: "Print a pack, or the catalogue of reasons",
		Long: `Print a pack as it is written, to begin your own with, or every reason that an alert may give, with its sentence. HASH, or its first
eight digits or more, is that of a pack which the configured group, or a shadow of it, has run, as its alerts name it: its canonical form is read from
Redis, with all overrides in it, and ebb explain --pack takes it.`,
		Example: "  ebb packs show retail > mine.yaml\n  ebb packs show -c ebb.yaml b177e6453cad > then.yaml\n  ebb packs " +
			"show --reasons",
		Args: arguments(0, 1, "NAME|HASH"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case reasons && len(args) == 0:
				return showReasons(terminal.NewScreen(cmd.OutOrStdout(), a.environ))
			case reasons || len(args) == 0:
				return advice.Usage(
					fmt.Errorf(
						"want a pack (%s, or the hash of one that has run) or --reasons, one of the two",
						strings.Join(pack.Shipped(), ", "),
					),
				)
			}
			b, err := a.packSource(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(b)
			return err
		},
	}
	cmd.Flags().
		BoolVar(&reasons, "reasons", false, "print the reasons that a factor or a floor may have, with their sentences")
	return cmd
}

// packSource is a pack as its author wrote it, or the canonical form of one that the group has run, on one line.
func (a *app) packSource(ctx context.Context, name string) ([]byte, error) {
	if !packHash.MatchString(name) {
		return pack.Source(name, os.ReadFile)
	}
	cfg, err := a.config()
	if err != nil {
		return nil, err
	}
	redis, err := connect.Redis(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer func() { _ = redis.Close() }() // nothing was written
	groups := []string{cfg.Kafka.Group}
	for _, name := range cfg.ShadowNames() {
		groups = append(groups, cfg.Kafka.ShadowGroup(name))
	}
	found, err := inspect.PacksRun(ctx, redis, groups, name)
	if err != nil {
		return nil, err
	}
	hashes := slices.Sorted(maps.Keys(found))
	switch len(hashes) {
	case 0:
		return nil, advice.Add(
			fmt.Errorf("group %s has run no pack %s", strings.Join(groups, ", "), name),
			"see kafka.group and redis.addresses; `pack.hash` in an alert is the pack's",
		)
	case 1:
		return append(found[hashes[0]], '\n'), nil
	}
	return nil, advice.Usage(fmt.Errorf("several packs begin with %s: %s", name, strings.Join(hashes, ", ")))
}

// packHash is the form of a hash, which neither the name of a shipped pack nor a path has.
var packHash = regexp.MustCompile(`^[0-9a-f]{8,64}$`)

func showReasons(s terminal.Screen) error {
	all := pack.Reasons()
	width := 0
	for code := range all {
		width = max(width, len(code))
	}
	for _, code := range slices.Sorted(maps.Keys(all)) {
		s.Hang(fmt.Sprintf("%-*s  ", width, code), all[code])
	}
	return nil
}

func newPacksValidateCommand(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "validate NAME|FILE",
		Short: "Say everything that is wrong with a pack, or doubtful",
		Long: `Check a pack's every key, and say what is allowed but hardly meant: signals and features that nothing reads, points of curves,
openings, stages, tiers and playbooks that nothing comes to, conditions that contradict each other. Then a sample runs through it: 200
made-up customers with events of the pack's types over a year, which meet its conditions now and then. Exit code 1 where something is wrong.`,
		Example: "  ebb packs validate mine.yaml\n  ebb packs validate saas --json",
		Args:    arguments(1, 1, "NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			k, err := pack.Load(args[0], os.ReadFile, pack.Overrides{})
			if err != nil {
				return err
			}
			v := validated{Summary: packs.Summarise(k), Doubtful: k.Lint(), Sample: packs.Try(k)}
			return v.show(terminal.NewScreen(cmd.OutOrStdout(), a.environ), asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one object")
	return cmd
}

// validated is what validate has found out about a valid pack.
type validated struct {
	packs.Summary
	Doubtful []string    `json:"doubtful"`
	Sample   packs.Trial `json:"sample"`
}

func (v *validated) show(s terminal.Screen, asJSON bool) error {
	if asJSON {
		if v.Doubtful == nil {
			v.Doubtful = []string{}
		}
		return json.NewEncoder(s).Encode(v)
	}
	fmt.Fprintf(s, "%s %s, hash %.12s…: nothing wrong\n", v.Name, v.Version, v.Hash)
	for _, d := range v.Doubtful {
		s.Hang("doubtful  ", d)
	}
	fmt.Fprintf(s, "\nsample    %d customers, %d events, a year\n", v.Sample.Customers, v.Sample.Events)
	for _, kind := range v.Kinds {
		fmt.Fprintf(s, "          %-16s %5d raised\n", kind, v.Sample.Raised[kind])
	}
	if v.Features == 0 {
		return nil
	}
	fmt.Fprintf(
		s,
		"          features take %d bytes a customer on the average, %d at most\n",
		v.Sample.StateBytes/max(v.Sample.Customers, 1),
		v.State,
	)
	if len(v.Sample.Silent) > 0 {
		s.Hang("          ", "factors that added nothing: "+strings.Join(v.Sample.Silent, ", "))
	}
	return nil
}
