package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/rebuild"
	"ebb/cmd/ebb/terminal"
)

// rebuildFlags is the command line of rebuild.
type rebuildFlags struct {
	packFlags
	from      string
	yes, json bool
}

func newRebuildCommand(a *app) *cobra.Command {
	var f rebuildFlags
	cmd := &cobra.Command{
		Use:   "rebuild --from earliest|TIME",
		Short: "Empty the group's state and replay the input into it",
		Long: `Empty the group's state in Redis and have it built anew from the input, each record scored with the pack that it was scored with
before: where each began stands in the topic of control records. It is the cure where the state is lost or damaged.

This command empties the state and notes where to begin; the replay itself is the next "ebb run". Alerts that were published
are not published again: what lies below the group's committed offset is only folded. From an offset in the middle of the
history, customers' earlier events are unknown, so begin early: a year for a horizon of 90 days.

Stop every process of the group first. A member that was stopped stays in the group until its session has ended; that is
waited for.`,
		Example: "  ebb rebuild -c ebb.yaml --from earliest\n" +
			"  ebb rebuild -c ebb.yaml --from 2026-01-01T00:00:00Z --yes",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.rebuild(cmd, &f) },
	}
	f.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.from, "from", "", "earliest, or a `TIME` (RFC 3339): begin with the first record that is not older")
	flags.BoolVar(&f.yes, "yes", false, "go on without a prompt")
	flags.BoolVar(&f.json, "json", false, "print the outcome as JSON")
	return cmd
}

func (a *app) rebuild(cmd *cobra.Command, f *rebuildFlags) error {
	at, err := parseFrom(f.from)
	if err != nil {
		return advice.Usage(err)
	}
	cfg, err := a.config(f.overrides()...)
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	group, err := rebuild.Open(ctx, cfg)
	if err != nil {
		return err
	}
	defer group.Close()
	group.Waiting = waitsOn(terminal.NewScreen(cmd.ErrOrStderr(), a.environ))
	plan, err := group.Plan(ctx, at)
	if err != nil {
		return err
	}
	if err := f.confirm(cmd, cfg, plan); err != nil {
		return err
	}
	if err := group.AwaitEmpty(ctx, sayWaiting(cmd, cfg)); err != nil {
		return err
	}
	removed, err := group.Rebuild(ctx, plan)
	if err != nil {
		return err
	}
	if f.json {
		return json.NewEncoder(cmd.OutOrStdout()).
			Encode(map[string]any{"group": cfg.Kafka.Group, "removed_keys": removed, "partitions": plan})
	}
	fmt.Fprintf(
		cmd.OutOrStdout(),
		"state of group %s emptied (%s keys); start ebb run to replay\n",
		cfg.Kafka.Group,
		advice.Grouped(int64(removed)),
	)
	return nil
}

func parseFrom(from string) (time.Time, error) {
	switch from {
	case "":
		return time.Time{}, errors.New("--from is required: earliest, or a time such as 2026-01-01T00:00:00Z")
	case "earliest":
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, from)
	if err != nil {
		return time.Time{}, fmt.Errorf("--from is earliest or a time such as 2026-01-01T00:00:00Z, found %q", from)
	}
	return at, nil
}

// confirm shows the plan and prompts for a yes.
func (f *rebuildFlags) confirm(cmd *cobra.Command, cfg *config.Config, plan []rebuild.Partition) error {
	if f.yes {
		return nil
	}
	w := cmd.ErrOrStderr()
	fmt.Fprintf(
		w,
		"This empties the state of group %s in Redis at %s and replays:\n",
		cfg.Kafka.Group,
		strings.Join(cfg.Redis.Addresses, ", "),
	)
	for _, p := range plan {
		if p.Fresh {
			fmt.Fprintf(w, "  %s/%d: nothing; the group has not worked here\n", cfg.Kafka.Input, p.Partition)
			continue
		}
		fmt.Fprintf(
			w,
			"  %s/%d: from offset %s; alerts from offset %s on\n",
			cfg.Kafka.Input,
			p.Partition,
			advice.Grouped(p.From),
			advice.Grouped(max(p.Published, p.From)),
		)
	}
	return confirmed(cmd)
}

// sayWaiting prints once that it waits for members.
func sayWaiting(cmd *cobra.Command, cfg *config.Config) func(members int) {
	return func(members int) {
		fmt.Fprintf(cmd.ErrOrStderr(), "group %s has %s; waiting up to %v for stopped ones to be forgotten\n",
			cfg.Kafka.Group, advice.Plural(members, "member"), cfg.Kafka.SessionTimeout)
	}
}
