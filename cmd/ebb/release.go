package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/connect"
	"ebb/cmd/ebb/held"
	"ebb/pipeline"
)

// releaseFlags is the command line of release.
type releaseFlags struct {
	partition int
	by, why   string
	yes, json bool
}

func newReleaseCommand(a *app) *cobra.Command {
	var f releaseFlags
	cmd := &cobra.Command{
		Use:   "release storm|history",
		Short: "Raise what is held, at once",
		Long: `Show how many raises the group holds, by reason, and have those of one reason released at once: of a storm, without waiting for its
review, or of the history of a first start, without its rate. Each is decided anew: who is back by then is not mentioned, the others are
raised in order of priority. Customers whose source is stalled stay held.

The request is left in Redis, and the running ebb does it within seconds; where none runs, the next one does.`,
		Example: "  ebb release storm -c ebb.yaml     # shows what is held, and asks\n" +
			"  ebb release storm --yes --why \"a price rise\"\n" +
			"  ebb release history --partition 3 --yes --json",
		Args: arguments(1, 1, "storm or history"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.release(cmd, &f, args[0]) },
	}
	flags := cmd.Flags()
	flags.IntVar(&f.partition, "partition", -1, "the `NUMBER` of the only partition; default: all")
	flags.StringVar(&f.by, "by", "", "the `NAME` of who asks, for the control record")
	flags.StringVar(&f.why, "why", "", "the `REASON`, for the control record")
	flags.BoolVar(&f.yes, "yes", false, "go on without a prompt")
	flags.BoolVar(&f.json, "json", false, "print the outcome as JSON")
	hideDefaults(flags, "partition")
	return cmd
}

func (a *app) release(cmd *cobra.Command, f *releaseFlags, reason string) error {
	switch pipeline.HoldReasonOf(reason) {
	case pipeline.HeldHistory, pipeline.HeldStorm:
	case pipeline.HeldSilence:
		return advice.Usage(errors.New("what a silence holds goes out with its end: ebb silence end ID"))
	case pipeline.HeldBudget:
		return advice.Usage(errors.New("what waits for a budget goes out as the budget allows: raise it in budgets"))
	default:
		return advice.Usage(fmt.Errorf("raises are held for storm or history, found %q", reason))
	}
	cfg, err := a.config()
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	redis, err := connect.Redis(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { _ = redis.Close() }()
	plan, err := held.Plan(ctx, redis, cfg.Kafka.Group, f.partition)
	if err != nil {
		return err
	}
	if !f.json {
		f.show(cmd, cfg, plan)
	}
	n := held.Sum(plan, reason)
	if n > 0 && !f.yes {
		if f.json {
			return advice.Usage(errors.New("--json asks nobody: give --yes"))
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "This raises up to %s at once.\n", advice.Count(int64(n), "customer"))
		if err := confirmed(cmd); err != nil {
			return err
		}
	}
	what := pipeline.Asked{Reason: reason, By: f.by, Why: f.why}
	if err := held.Ask(ctx, redis, cfg.Kafka.Group, plan, what); err != nil {
		return err
	}
	if f.json {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{
			"group": cfg.Kafka.Group, "reason": reason, "asked": n, "partitions": plan,
		})
	}
	if n > 0 {
		fmt.Fprintf(cmd.OutOrStdout(), "asked for %s of %s; the running ebb releases them\n",
			advice.Count(int64(n), "raise"), reason)
	}
	return nil
}

// show shows what is held.
func (f *releaseFlags) show(cmd *cobra.Command, cfg *config.Config, plan []held.Partition) {
	out := cmd.OutOrStdout()
	none := true
	for i := range plan {
		for reason := pipeline.HeldHistory; reason < pipeline.NumHoldReasons; reason++ {
			if n := plan[i].Held[reason.String()]; n > 0 {
				fmt.Fprintf(out, "partition %d holds %s of %s\n", plan[i].Partition, advice.Count(int64(n), "raise"), reason)
				none = false
			}
		}
	}
	if none {
		fmt.Fprintf(out, "group %s holds no raises\n", cfg.Kafka.Group)
	}
}
