package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/shadow"
	"ebb/cmd/ebb/terminal"
	"ebb/cmd/ebb/view"
)

// packsShadowFlags is the command line of packs shadow.
type packsShadowFlags struct {
	packFlags
	days   uint
	top    uint
	json   bool
	forget string
	yes    bool
}

func newPacksShadowCommand(a *app) *cobra.Command {
	var f packsShadowFlags
	cmd := &cobra.Command{
		Use:   "shadow [NAME]",
		Short: "Compare shadows with the pack that alerts",
		Long: `Say of each shadow, or of the one named, what would be different if its pack were the one that alerts: where it stands in the
input, the customers by the tier that either pack has them in, at the same instant, the alerts a day of both, and the customers
whose score is another one by most, with what it comes from. "ebb run" runs the shadows; this reads what they and the main
processor hold and have published, and changes nothing.

Figures are comparable where both stand at the same record, or nearly so. Memory: some 40 bytes for each customer of the largest
partition, and for each alert in the span.

With --forget, the state of a shadow in Redis and its group's offsets are removed: of one that is no longer configured, or to
begin it anew. What it has published stays. It refuses while a process runs it.`,
		Example: "  ebb packs shadow -c ebb.yaml\n" +
			"  ebb packs shadow candidate --days 7 --top 20\n" +
			"  ebb packs shadow --json | jq '.shadows[].alerts.customers'\n" +
			"  ebb packs shadow --forget candidate",
		Args: arguments(0, 1, "NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.forget != "" {
				if len(args) > 0 {
					return advice.Usage(fmt.Errorf("--forget takes the name itself, found %q behind it", args[0]))
				}
				return a.forgetShadow(cmd, &f)
			}
			return a.shadows(cmd, &f, args)
		},
	}
	f.add(cmd)
	flags := cmd.Flags()
	flags.UintVar(&f.days, "days", 30, "count the alerts of the last `N` days of event time")
	flags.UintVar(&f.top, "top", 10, "show the `N` customers whose score differs most")
	flags.BoolVar(&f.json, "json", false, "print one object")
	flags.StringVar(&f.forget, "forget", "", "remove the state of the shadow of this `NAME`")
	flags.BoolVar(&f.yes, "yes", false, "with --forget: go on without a prompt")
	return cmd
}

func (a *app) shadows(cmd *cobra.Command, f *packsShadowFlags, names []string) error {
	cfg, err := a.config(f.overrides()...)
	if err != nil {
		return err
	}
	steps := terminal.NewSteps(terminal.NewScreen(cmd.ErrOrStderr(), a.environ))
	defer steps.End()
	report, err := shadow.Compare(
		cmd.Context(),
		shadow.Options{Config: cfg, Names: names, Days: f.days, Top: f.top, Progress: steps.At},
	)
	if err != nil {
		return err
	}
	steps.End()
	out := terminal.NewScreen(cmd.OutOrStdout(), a.environ)
	if f.json {
		return json.NewEncoder(out).Encode(report)
	}
	return view.Shadows(out, report)
}
