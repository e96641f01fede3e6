package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/connect"
	"ebb/cmd/ebb/terminal"
	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
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
	flags.BoolVar(&f.yes, "yes", false, "do not ask")
	flags.BoolVar(&f.json, "json", false, "print the outcome as JSON")
	return cmd
}

// rebuilding is one run of rebuild.
type rebuilding struct {
	connect.Clients
	cfg   *config.Config
	topic kafkawire.Topic
	plan  []rebuildPartition
}

// rebuildPartition is what becomes of one partition.
type rebuildPartition struct {
	Partition int32 `json:"partition"`
	From      int64 `json:"from"`      // next record
	Published int64 `json:"published"` // records below it are replayed without alerting
	Fresh     bool  `json:"fresh"`     // the group has never worked here: nothing to replay, it begins as kafka.start says
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
	r := &rebuilding{cfg: cfg}
	defer r.Close()
	if err := r.open(cmd.Context()); err != nil {
		return err
	}
	if err := r.prepare(cmd.Context(), at); err != nil {
		return err
	}
	if err := r.confirm(cmd, f); err != nil {
		return err
	}
	if err := r.awaitEmptyGroup(cmd); err != nil {
		return err
	}
	removed, err := r.carryOut(cmd.Context())
	if err != nil {
		return err
	}
	return r.report(cmd, f, removed)
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

func (r *rebuilding) open(ctx context.Context) (err error) {
	if r.Redis, err = connect.Redis(ctx, r.cfg); err != nil {
		return connect.NoRedis(err, r.cfg)
	}
	if r.Kafka, err = connect.Kafka(r.cfg, r.cfg.Kafka.Input); err != nil {
		return err
	}
	if err := connect.Dialable(ctx, r.cfg.Kafka.Brokers); err != nil {
		return connect.NoKafka(err, r.cfg, "")
	}
	r.topic, err = connect.FindTopic(ctx, r.Kafka, r.cfg, r.cfg.Kafka.Input, kafkawire.Read)
	return err
}

// prepare decides for each partition where to begin, and refuses what cannot be rebuilt.
func (r *rebuilding) prepare(ctx context.Context, at time.Time) error {
	for n := range r.topic.Partitions {
		p, err := r.preparePartition(ctx, n, at)
		if err != nil {
			return fmt.Errorf("partition %d: %w", n, err)
		}
		r.plan = append(r.plan, p)
	}
	return nil
}

func (r *rebuilding) preparePartition(ctx context.Context, n int32, at time.Time) (p rebuildPartition, err error) {
	group, input := r.cfg.Kafka.Group, r.cfg.Kafka.Input
	committed, err := r.Kafka.Committed(ctx, group, input, n)
	if err != nil {
		return p, err
	}
	p = rebuildPartition{Partition: n, Fresh: !committed.Exists, Published: committed.Offset}
	if p.Fresh {
		return p, nil
	}
	mark, err := pipeline.ParseMark(committed.Offset, committed.Metadata)
	switch {
	case err != nil:
		return p, advice.Add(err, "give ebb a kafka.group of its own")
	case mark.Topic != r.topic.ID:
		return p, advice.Add(errors.New("the committed offset belongs to an older topic of this name"), "use a new kafka.group")
	}
	start, _, err := r.Kafka.Bounds(ctx, input, n)
	if err != nil {
		return p, err
	}
	p.From = start
	if at.IsZero() {
		return p, nil
	}
	if p.From, err = r.Kafka.OffsetAt(ctx, input, n, at); err != nil {
		return p, err
	}
	// A time after what was processed would leave records out; everything from the committed offset on must still be folded.
	p.From = max(start, min(p.From, committed.Offset))
	return p, nil
}

// confirm shows the plan to a person and asks.
func (r *rebuilding) confirm(cmd *cobra.Command, f *rebuildFlags) error {
	if f.yes {
		return nil
	}
	w := cmd.ErrOrStderr()
	fmt.Fprintf(w, "This empties the state of group %s in Redis at %s and replays:\n", r.cfg.Kafka.Group, strings.Join(r.cfg.Redis.Addresses, ", "))
	for _, p := range r.plan {
		if p.Fresh {
			fmt.Fprintf(w, "  %s/%d: nothing; the group has not worked here\n", r.cfg.Kafka.Input, p.Partition)
			continue
		}
		fmt.Fprintf(w, "  %s/%d: from offset %s; alerts from offset %s on\n", r.cfg.Kafka.Input, p.Partition, advice.Grouped(p.From), advice.Grouped(max(p.Published, p.From)))
	}
	return askYes(cmd)
}

// askYes asks a person whether to go on.
func askYes(cmd *cobra.Command) error {
	w := cmd.ErrOrStderr()
	fmt.Fprint(w, "Type yes to go on: ")
	answer, err := bufio.NewReader(terminal.StoppableReader(cmd.Context(), cmd.InOrStdin())).ReadString('\n')
	if strings.TrimSpace(answer) == "yes" {
		return nil
	}
	if err != nil {
		fmt.Fprintln(w)
	}
	return advice.Usage(errors.New("not confirmed, nothing was changed; --yes goes on without asking"))
}

// awaitEmptyGroup waits until no member is left, for as long as the session of one that was stopped may last.
func (r *rebuilding) awaitEmptyGroup(cmd *cobra.Command) error {
	ctx := cmd.Context()
	deadline := time.Now().Add(r.cfg.Kafka.SessionTimeout + 2*time.Second)
	for said := false; ; said = true {
		g, err := r.Kafka.DescribeGroup(ctx, r.cfg.Kafka.Group)
		if err != nil {
			return err
		}
		if len(g.Members) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return advice.Add(fmt.Errorf("group %s still has %s, the first on %s", r.cfg.Kafka.Group, advice.Plural(len(g.Members), "member"), g.Members[0].Host), "stop every process of the group first")
		}
		if !said {
			fmt.Fprintf(cmd.ErrOrStderr(), "group %s has %s; waiting up to %v for stopped ones to be forgotten\n", r.cfg.Kafka.Group, advice.Plural(len(g.Members), "member"), r.cfg.Kafka.SessionTimeout)
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// carryOut empties the state and seeds each partition. Cut short, it may be repeated: a partition that is not yet seeded
// refuses to run.
func (r *rebuilding) carryOut(ctx context.Context) (removed int, err error) {
	removed, err = r.Redis.Empty(ctx, r.cfg.Kafka.Group, int(r.topic.Partitions))
	if err != nil {
		return 0, fmt.Errorf("empty state: %w", err)
	}
	for _, p := range r.plan {
		if p.Fresh {
			continue
		}
		id := pipeline.Identity{Partitions: int(r.topic.Partitions), Cluster: r.topic.Cluster, Topic: r.topic.ID}
		store := r.Redis.Partition(r.cfg.Kafka.Group, int(p.Partition))
		err := store.Seed(ctx, id.NewMeta(p.From))
		if err = errors.Join(err, store.Close()); err != nil {
			return removed, fmt.Errorf("seed partition %d: %w", p.Partition, err)
		}
	}
	return removed, nil
}

func (r *rebuilding) report(cmd *cobra.Command, f *rebuildFlags, removed int) error {
	if f.json {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"group": r.cfg.Kafka.Group, "removed_keys": removed, "partitions": r.plan})
	}
	fmt.Fprintf(cmd.OutOrStdout(), "state of group %s emptied (%s keys); start ebb run to replay\n", r.cfg.Kafka.Group, advice.Grouped(int64(removed)))
	return nil
}
