package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/connect"
	"ebb/cmd/ebb/decisions"
	"ebb/cmd/ebb/terminal"
	"ebb/cmd/ebb/view"
	"ebb/pipeline"
)

// decisionsFlags is the command line of decisions.
type decisionsFlags struct {
	decisions.Query
	json bool
}

func newDecisionsCommand(a *app) *cobra.Command {
	var f decisionsFlags
	cmd := &cobra.Command{
		Use:   "decisions [CUSTOMER]",
		Short: "Show what was decided, and why nothing went out",
		Long: `Show all that was decided about a customer, in order of event time: the alerts, and between them the ledger, which says of every
other decision what became of it and why. A decision is withheld for good, or a raise is held, to be released or withdrawn later.
Without a CUSTOMER it shows the newest of the ledger alone. What the history of a first start has raised is in it once something comes
of it.`,
		Example: "  ebb decisions -c ebb.yaml c-42\n" +
			"  ebb decisions --outcome held --newest 50\n" +
			"  ebb decisions --reason storm --json | jq -r .customer",
		Args: arguments(0, 1, "CUSTOMER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.Customer = strings.Join(args, "")
			return a.decisions(cmd, &f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.Tenant, "tenant", "", "only what is about customers of this `TENANT`")
	flags.StringVar(
		&f.Outcome,
		"outcome",
		"",
		"of the ledger, only what was withheld, held, released or withdrawn: `OUTCOME`",
	)
	flags.StringVar(
		&f.Reason,
		"reason",
		"",
		"of the ledger, only what was withheld or held for this `REASON`, such as storm",
	)
	flags.IntVar(&f.Newest, "newest", 100, "only so many of the latest: `N`")
	flags.BoolVar(&f.json, "json", false, "print alerts and lines of the ledger as published, one a line")
	return cmd
}

func (a *app) decisions(cmd *cobra.Command, f *decisionsFlags) error {
	if names := pipeline.OutcomeNames(); f.Outcome != "" && !slices.Contains(names, f.Outcome) {
		return advice.Usage(fmt.Errorf("an outcome is %s, found %q", strings.Join(names, ", "), f.Outcome))
	}
	if f.Newest < 1 {
		return advice.Usage(fmt.Errorf("--newest must be at least 1, found %d", f.Newest))
	}
	cfg, err := a.config()
	if err != nil {
		return err
	}
	client, err := connect.Kafka(cfg, cfg.Kafka.Alerts, cfg.Kafka.Holdout, cfg.Kafka.Decisions)
	if err != nil {
		return err
	}
	defer client.Close()
	f.Waiting = waitsOn(terminal.NewScreen(cmd.ErrOrStderr(), a.environ))
	found, err := decisions.Find(cmd.Context(), client, cfg, &f.Query)
	if err != nil {
		return connect.WithCreate(err, a.checkCommand("", ""))
	}
	if len(found) == 0 && !f.json {
		fmt.Fprintln(cmd.ErrOrStderr(), "nothing was decided; ebb inspect CUSTOMER shows what is known of a customer")
	}
	out := terminal.NewScreen(cmd.OutOrStdout(), a.environ)
	line := view.DecisionLine{AlertLine: view.AlertLine{Screen: out}}
	for i := range found {
		value := bytes.TrimSpace(found[i].Value)
		if !f.json {
			value = []byte(line.Of(&found[i]))
		}
		if _, err := out.Write(append(value, '\n')); err != nil {
			return fmt.Errorf("write decisions: %w", err)
		}
	}
	return nil
}
