package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/connect"
	"ebb/cmd/ebb/repair"
	"ebb/cmd/ebb/terminal"
	"ebb/cmd/ebb/view"
)

// repairFlags is the command line of repair.
type repairFlags struct {
	packFlags
	yes, dryRun, json bool
}

func newRepairCommand(a *app) *cobra.Command {
	var f repairFlags
	cmd := &cobra.Command{
		Use:   "repair",
		Short: "Commit again the offsets that somebody overwrote or deleted",
		Long: `Find out up to where alerts were published, and commit that again. It is the cure for offset_foreign and offset_lost: somebody
reset the group's offsets, another program committed in its name, or they were deleted or expired.

What Redis holds of each partition is compared with the published alerts, quarantined records and control records: what was
decided and is not in the outbox any more was published, and what is in the outbox is looked for by its id. Where that proves
up to where everything was published, the offset is committed with ebb's metadata, in a transaction that fences every earlier
process of the group. The next "ebb run" then goes on there: nothing is published twice, and nothing is left out. Where it proves
nothing, the reason is shown, and the partition is left alone.

Stop every process of the group first. A member that was stopped stays in the group until its session has ended; that is
waited for. Exit code 1 if a partition is left that needs something else.`,
		Example: "  ebb repair -c ebb.yaml --dry-run     # what was found, and what would be done\n" +
			"  ebb repair -c ebb.yaml               # shows it, and asks\n" +
			"  ebb repair -c ebb.yaml --yes --json | jq .repaired",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.repair(cmd, &f) },
	}
	f.add(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&f.yes, "yes", false, "go on without a prompt")
	flags.BoolVar(&f.dryRun, "dry-run", false, "show what was found, and change nothing")
	flags.BoolVar(&f.json, "json", false, "print the outcome as JSON")
	return cmd
}

func (a *app) repair(cmd *cobra.Command, f *repairFlags) error {
	cfg, err := a.config(f.overrides()...)
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	group, err := repair.Open(ctx, cfg)
	if err != nil {
		return err
	}
	defer group.Close()
	screen := terminal.NewScreen(cmd.ErrOrStderr(), a.environ)
	steps := terminal.NewSteps(screen)
	group.Progress, group.Waiting = steps.At, waitsOn(screen)
	defer steps.End()
	if !f.dryRun {
		if err := group.AwaitEmpty(ctx, sayWaiting(cmd, cfg)); err != nil {
			return err
		}
	}
	plan, err := group.Plan(ctx)
	if err != nil {
		return err
	}
	steps.End()
	return a.carryOut(cmd, f, group, cfg, plan)
}

// carryOut shows the plan, asks, and repairs.
func (a *app) carryOut(
	cmd *cobra.Command,
	f *repairFlags,
	group *repair.Group,
	cfg *config.Config,
	plan []repair.Partition,
) error {
	out := terminal.NewScreen(cmd.OutOrStdout(), a.environ)
	sum := repair.Summary(plan)
	if !f.json {
		if err := view.Repair(out, cfg.Kafka.Group, cfg.Kafka.Input, plan); err != nil {
			return err
		}
	}
	repaired := 0
	if sum.Repair > 0 && !f.dryRun {
		if !f.yes {
			if f.json {
				return advice.Usage(errors.New("--json asks nobody: give --yes, or --dry-run"))
			}
			if err := confirmed(cmd); err != nil {
				return err
			}
		}
		var err error
		if repaired, err = group.Repair(cmd.Context(), plan); err != nil {
			return err
		}
	}
	if f.json {
		err := json.NewEncoder(out).Encode(map[string]any{
			"group": cfg.Kafka.Group, "dry_run": f.dryRun, "repaired": repaired, "partitions": plan,
		})
		if err != nil {
			return err
		}
	} else if repaired > 0 {
		fmt.Fprintf(
			out,
			"%s of group %s committed again; start ebb run\n",
			advice.Plural(repaired, "offset"),
			cfg.Kafka.Group,
		)
	}
	if sum.Left > 0 {
		return errReported
	}
	return nil
}

// waitsOn shows now and then what is waited for.
func waitsOn(s terminal.Screen) connect.Waiting {
	said, last := time.Time{}, ""
	return func(what string) {
		if what == last && time.Since(said) < terminal.PlainEvery {
			return
		}
		said, last = time.Now(), what
		s.Say("", "  ", what)
	}
}
