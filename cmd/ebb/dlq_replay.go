package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/connect"
	"ebb/cmd/ebb/terminal"
	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
	"ebb/sinks"
)

// dlqReplayFlags is the command line of dlq replay.
type dlqReplayFlags struct {
	dlqFlags
	dryRun, yes, force bool
}

func newDLQReplayCommand(a *app) *cobra.Command {
	var f dlqReplayFlags
	cmd := &cobra.Command{
		Use:   "replay",
		Short: "Send quarantined records to the input again, each once",
		Long: `Send quarantined records to the input again, to the partition that they came from: key, value, headers and timestamp as they
were. Each carries where it comes from in the headers ebb.replay.from and ebb.replay.source.

A record is sent again once. What was sent is noted in the DLQ itself, in the same transaction, so that a second replay passes
over it, whatever happened to the first: kill it, start two at a time, replay a part and then everything. One that still cannot
be used is quarantined again, as a new record that may be replayed in its turn.

What is there when the command starts is sent; --dry-run only counts it. A person is asked before anything is sent.`,
		Example: "  ebb dlq replay --code time_missing --dry-run\n" +
			"  ebb dlq replay --partition 3 --offsets 88213-88290\n" +
			"  ebb dlq replay --since 2h --yes --json",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.dlqReplay(cmd, &f) },
	}
	f.add(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&f.dryRun, "dry-run", false, "only count what would be sent")
	flags.BoolVar(&f.yes, "yes", false, "do not ask")
	flags.BoolVar(&f.force, "force", false, "send also what the input's retention will delete at once")
	return cmd
}

// dlqReplayed is the outcome, as --json prints it.
type dlqReplayed struct {
	Topic    string           `json:"topic"` // the input
	DLQ      string           `json:"dlq"`
	Replayed int64            `json:"replayed"` // or to be, with --dry-run
	Bytes    int64            `json:"bytes"`    // of their keys and values
	Codes    map[string]int64 `json:"codes"`    // of them, by code
	Before   int64            `json:"already_replayed"`
	Homeless int64            `json:"without_partition"` // of another topic, or of a partition that the input does not have
	Foreign  int64            `json:"foreign"`           // records in the DLQ that ebb did not put there
	Seconds  float64          `json:"seconds"`
	DryRun   bool             `json:"dry_run"`
	Complete bool             `json:"complete"`
}

// replaying is one run of dlq replay.
type replaying struct {
	*dlq
	flags    *dlqReplayFlags
	selected *selection
	limits   *connect.Limits // of the input
	producer *kafkawire.Producer
	chunk    replayChunk
	planned  dlqReplayed
	out      dlqReplayed
}

func (a *app) dlqReplay(cmd *cobra.Command, f *dlqReplayFlags) error {
	selected, err := f.selection(time.Now())
	if err != nil {
		return advice.Usage(err)
	}
	d, err := a.openDLQ(cmd, &f.dlqFlags, kafkawire.Read, kafkawire.Write, kafkawire.DescribeConfigs)
	if err != nil {
		return err
	}
	defer d.close()
	r := &replaying{dlq: d, flags: f, selected: selected}
	if r.limits, err = connect.ReadLimits(cmd.Context(), d.client, d.cfg); err != nil {
		return connect.WithCreate(err, a.checkCommand(f.brokers, f.topic))
	}
	if err := r.plan(cmd.Context()); err != nil {
		return err
	}
	if f.dryRun || r.planned.Replayed == 0 {
		r.planned.DryRun, r.planned.Complete = f.dryRun, true
		return r.planned.print(cmd.OutOrStdout(), f.json)
	}
	if err := r.confirm(cmd); err != nil {
		return err
	}
	began := time.Now()
	err = r.send(cmd.Context())
	r.out.Seconds, r.out.Complete = time.Since(began).Seconds(), err == nil
	d.progress.End()
	return errors.Join(r.explain(cmd.Context(), err), r.out.print(cmd.OutOrStdout(), f.json))
}

// plan counts what is to be sent. A transaction that is open in the DLQ is mostly that of a replay which was killed: it is
// ended at once, where the brokers would take their time.
func (r *replaying) plan(ctx context.Context) error {
	err := r.count(ctx)
	if err != nil || !r.heldUp {
		return err
	}
	if r.flags.dryRun {
		r.sayHeldUp()
		return nil
	}
	if err := r.fence(ctx); err != nil {
		return err
	}
	return r.count(ctx)
}

// count changes nothing.
func (r *replaying) count(ctx context.Context) error {
	r.planned = r.empty()
	old := connect.Oldest{Topic: r.limits}
	again := map[sinks.ReplayID]struct{}{} // that two groups have quarantined
	counts, err := r.walk(ctx, r.selected, func(l *deadLetter) error {
		id := l.ID()
		if _, twice := again[id]; twice {
			l.Replayed = true
		}
		if !r.planned.count(l, r.sendable(l)) {
			return nil
		}
		again[id] = struct{}{}
		if !r.flags.force {
			old.Note(l.Timestamp, func() string { return l.Source.String() })
		}
		return nil
	})
	r.progress.End()
	r.planned.Foreign = counts.foreign
	if err != nil {
		return err
	}
	return old.Refusal()
}

func (r *replaying) empty() dlqReplayed {
	return dlqReplayed{Topic: r.limits.Name, DLQ: r.name, Codes: map[string]int64{}}
}

// sendable reports whether the input has the partition that the record came from.
func (r *replaying) sendable(l *deadLetter) bool {
	return l.Source.Topic == r.limits.Name && l.Source.Partition < r.limits.Partitions
}

// count takes a record in and reports whether it is to be sent.
func (s *dlqReplayed) count(l *deadLetter, sendable bool) bool {
	switch {
	case l.Replayed:
		s.Before++
		return false
	case !sendable:
		s.Homeless++
		return false
	}
	s.Replayed, s.Bytes, s.Codes[l.Code] = s.Replayed+1, s.Bytes+int64(len(l.Key)+len(l.Value)), s.Codes[l.Code]+1
	return true
}

// confirm shows a person the plan and asks. A script is not asked.
func (r *replaying) confirm(cmd *cobra.Command) error {
	if r.flags.yes || !terminal.Attended(cmd.InOrStdin()) {
		return nil
	}
	w := cmd.ErrOrStderr()
	fmt.Fprintf(w, "This sends %s of %s to %s again:\n", advice.Count(r.planned.Replayed, "record"), r.name, r.limits.Name)
	for _, code := range slices.Sorted(maps.Keys(r.planned.Codes)) {
		fmt.Fprintf(w, "  %-20s %s\n", terminal.Printable(code), advice.Grouped(r.planned.Codes[code]))
	}
	return askYes(cmd)
}

// send takes the DLQ over from whoever else replays it, then sends what is not marked yet, a chunk in each transaction.
func (r *replaying) send(ctx context.Context) error {
	r.out = r.empty()
	if err := r.takeOver(ctx); err != nil {
		return err
	}
	r.progress.What = "sending to " + r.limits.Name
	r.progress.Begin(r.size())
	counts, err := r.walkMarked(ctx, r.selected, func(l *deadLetter) error {
		if l.Replayed || !r.sendable(l) {
			r.out.count(l, false)
			return nil
		}
		id := l.ID()
		r.marked[id] = struct{}{} // for its double, which another group has quarantined
		if r.chunk.partition != l.At.Partition || r.chunk.full() {
			if err := r.flush(ctx); err != nil {
				return err
			}
		}
		r.chunk.add(l, id)
		return nil
	})
	r.out.Foreign = counts.foreign
	if err != nil {
		return err
	}
	return r.flush(ctx)
}

// takeOver has the DLQ for itself, and reads the marks that came in since the plan was made.
func (r *replaying) takeOver(ctx context.Context) error {
	if err := r.fence(ctx); err != nil {
		return err
	}
	from := r.ends
	_, ends, err := r.bounds(ctx)
	if err != nil {
		return err
	}
	return r.readMarks(ctx, from, ends)
}

// fence stops every other replay of this DLQ: what such a one has sent is sent for good and marked, what it was about to send
// is not, and from now on it sends nothing more.
func (r *replaying) fence(ctx context.Context) error {
	if r.patient {
		return nil // done
	}
	r.patient = true
	config, err := r.client.TopicConfig(ctx, r.name)
	if err != nil {
		return connect.Explain(err, r.cfg)
	}
	r.producer, err = r.client.NewProducer(kafkawire.ProducerConfig{
		TransactionalID: replayID(r.name), Timeout: r.cfg.Kafka.TransactionTimeout, MaxRequest: min(900_000, r.limits.Config.MaxMessageBytes, config.MaxMessageBytes),
	})
	if err != nil {
		return err
	}
	err = r.producer.Init(ctx)
	switch {
	case errors.Is(err, kafkawire.TransactionDenied):
		return connect.NotAllowed("transactional id "+replayID(r.name), kafkawire.Write)
	case err != nil:
		return connect.Explain(err, r.cfg)
	}
	return nil
}

// replayID is the transactional id of whoever replays a DLQ, whatever its group.
func replayID(dlq string) string { return "ebb-replay/" + dlq }

// commitWithin bounds one transaction, also one that is under way at Ctrl-C: it is ended in order, because one that is left
// open holds up every reader of the input.
const commitWithin = 30 * time.Second

// flush sends the chunk with its mark in one transaction.
func (r *replaying) flush(ctx context.Context) error {
	c := &r.chunk
	if len(c.records) == 0 {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	records := append(c.records, sinks.Mark(r.name, c.partition, c.ids, time.Now().UnixMilli()))
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitWithin)
	defer cancel()
	if err := r.producer.Commit(within, &kafkawire.Transaction{Records: slices.Values(records)}); err != nil {
		return err
	}
	for _, l := range c.letters {
		r.out.count(&l, true)
	}
	*c = replayChunk{partition: c.partition}
	return nil
}

// explain says what became of the rest.
func (r *replaying) explain(ctx context.Context, err error) error {
	var stop *pipeline.HardStop
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil && errors.Is(err, context.Cause(ctx)):
		return fmt.Errorf("%w: %s replayed", context.Cause(ctx), advice.Count(r.out.Replayed, "record"))
	case errors.Is(err, pipeline.ErrFenced):
		return advice.Add(errors.New("another ebb dlq replay of this DLQ has taken over"), "what this one had sent stays sent; run it again when the other is through")
	case errors.As(err, new(*pipeline.Denied)):
		return err
	case errors.As(err, &stop):
		return advice.Add(errors.New(stop.Detail), "topic %s does not take a record that it held before: look at its max.message.bytes, message.timestamp.before.max.ms and message.timestamp.after.max.ms", r.limits.Name)
	case errors.Is(err, pipeline.ErrUnavailable):
		return advice.Add(err, "run it again: what was sent is known by its mark, also where the answer was lost")
	}
	return err
}

// print writes the summary line, or its JSON.
func (s *dlqReplayed) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(s)
	}
	verb := "replayed to"
	if s.DryRun {
		verb = "would be replayed to"
	}
	line := fmt.Sprintf("%s %s %s", advice.Count(s.Replayed, "record"), verb, s.Topic)
	for _, more := range []struct {
		n    int64
		what string
	}{
		{s.Before, "replayed before, not sent again"},
		{s.Homeless, "of partitions that the input does not have"},
		{s.Foreign, "that ebb did not put there"},
	} {
		if more.n > 0 {
			line += fmt.Sprintf("; %s %s", advice.Grouped(more.n), more.what)
		}
	}
	_, err := fmt.Fprintln(w, line)
	return err
}
