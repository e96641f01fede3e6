package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/connect"
	"ebb/cmd/ebb/terminal"
	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
	"ebb/sinks"
)

func newDLQCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dlq",
		Short: "Look at quarantined records, and send them again",
		Long: `Look at quarantined records, and send them again once what was wrong is mended.

A record that cannot be used goes to the topic <input>.dlq as it is, with its headers and its timestamp, the place in the input
where it stood, and a code that says why. Places in the input are what ebb's log names; --partition and --offsets mean them.`,
		Example: "  ebb dlq list                                  # what is there\n" +
			"  ebb dlq show --code time_missing --limit 3    # three of them, byte for byte\n" +
			"  ebb dlq replay --code time_missing --dry-run  # what would be sent again",
		Args: unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newDLQListCommand(a), newDLQShowCommand(a), newDLQReplayCommand(a))
	return cmd
}

// dlqFlags is what the commands on the DLQ share: where it is, and which of its records.
type dlqFlags struct {
	brokers, topic          string
	codes                   []string
	partition, dlqPartition int32
	offsets, dlqOffsets     string
	since, until            string
	json                    bool
}

func (f *dlqFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.brokers, "brokers", "", "brokers, `HOST:PORT`, separated by commas (default: kafka.brokers)")
	flags.StringVar(&f.topic, "topic", "", "input `TOPIC`; the DLQ is the one with .dlq behind its name (default: kafka.input)")
	flags.StringSliceVar(&f.codes, "code", nil, "only records with this `CODE`; may be repeated")
	flags.Int32Var(&f.partition, "partition", -1, "only records of partition `N` of the input (default: all)")
	flags.StringVar(&f.offsets, "offsets", "", "with --partition: only those that stood there at `FROM-TO`, both included; FROM- or a single offset")
	flags.Int32Var(&f.dlqPartition, "dlq-partition", -1, "only records in partition `N` of the DLQ (default: all)")
	flags.StringVar(&f.dlqOffsets, "dlq-offsets", "", "with --dlq-partition: only those that stand there at `FROM-TO`")
	flags.StringVar(&f.since, "since", "", "only records whose own timestamp is not older: a `TIME` (RFC 3339), or how long ago, such as 2h")
	flags.StringVar(&f.until, "until", "", "only records whose own timestamp is older than this `TIME`")
	hideDefaults(flags, "partition", "dlq-partition")
	flags.BoolVar(&f.json, "json", false, "print JSON")
	_ = cmd.RegisterFlagCompletionFunc("code", cobra.FixedCompletions(codeNames(), cobra.ShellCompDirectiveNoFileComp)) // the flag is there
}

// dlq is the DLQ of an input, opened to be read as it is now.
type dlq struct {
	cfg        *config.Config
	client     *kafkawire.Client
	name       string
	partitions int32
	from, ends []int64 // what is read of each partition
	marked     map[sinks.ReplayID]struct{}
	progress   *terminal.Steps

	patient bool // wait for what lies behind a transaction that is open; else it is left out, and
	heldUp  bool // this is set
}

// openDLQ finds the DLQ and its bounds, where the user may do what the command needs. Close it in any case where there is no error.
func (a *app) openDLQ(cmd *cobra.Command, f *dlqFlags, needs ...kafkawire.Operation) (_ *dlq, err error) {
	cfg, err := a.config(config.Overrides("brokers", "kafka.brokers", f.brokers, "topic", "kafka.input", f.topic)...)
	if err != nil {
		return nil, err
	}
	d := &dlq{cfg: cfg, name: cfg.Kafka.DLQ(), marked: map[sinks.ReplayID]struct{}{}}
	if d.client, err = connect.Kafka(cfg, cfg.Kafka.Input, d.name); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			d.client.Close()
		}
	}()
	topic, err := connect.FindTopic(cmd.Context(), d.client, cfg, d.name, needs...)
	if err != nil {
		return nil, connect.WithCreate(err, a.checkCommand(f.brokers, f.topic))
	}
	d.partitions = topic.Partitions
	if d.from, d.ends, err = d.bounds(cmd.Context()); err != nil {
		return nil, err
	}
	d.progress = terminal.NewSteps(terminal.NewScreen(cmd.ErrOrStderr(), a.environ), "reading "+d.name)
	return d, nil
}

func (d *dlq) close() {
	d.progress.End()
	d.client.Close()
}

// bounds is what each partition holds now.
func (d *dlq) bounds(ctx context.Context) (from, ends []int64, err error) {
	from, ends = make([]int64, d.partitions), make([]int64, d.partitions)
	for n := range d.partitions {
		if from[n], ends[n], err = d.client.Bounds(ctx, d.name, n); err != nil {
			return nil, nil, connect.Explain(err, d.cfg)
		}
	}
	return from, ends, nil
}

// deadLetter is one quarantined record and where it stands.
type deadLetter struct {
	sinks.Quarantined
	At       sinks.Place
	Replayed bool
}

// dlqCounts is what a walk passed over.
type dlqCounts struct {
	foreign int64 // records that ebb did not put there
}

// walk reads the marks first, then hands the records that the selection takes to each, partition by partition in their order.
func (d *dlq) walk(ctx context.Context, s *selection, each func(*deadLetter) error) (counts dlqCounts, err error) {
	d.progress.Begin(2 * d.size())
	if err := d.readMarks(ctx, d.from, d.ends); err != nil {
		return counts, err
	}
	return d.walkMarked(ctx, s, each)
}

// walkMarked is walk once the marks are known.
func (d *dlq) walkMarked(ctx context.Context, s *selection, each func(*deadLetter) error) (counts dlqCounts, err error) {
	for n := range d.partitions {
		from, end := s.within(n, d.from[n], d.ends[n])
		err := d.scan(ctx, n, from, end, func(r *pipeline.Record) error {
			q, ok := sinks.ReadQuarantined(r)
			if !ok {
				if _, mark, _ := sinks.ReadMark(r); !mark { // its errors were told when the marks were read
					counts.foreign++
				}
				return nil
			}
			l := deadLetter{Quarantined: q, At: sinks.Place{Topic: d.name, Partition: n, Offset: r.Offset}}
			if !s.takes(&l) {
				return nil
			}
			_, l.Replayed = d.marked[q.ID()]
			return each(&l)
		})
		if err != nil {
			return counts, err
		}
	}
	return counts, nil
}

// sayHeldUp says that something was left out.
func (d *dlq) sayHeldUp() {
	if d.heldUp {
		fmt.Fprintf(d.progress.Screen, "a transaction is open in %s; what lies behind it is left out\n", d.name)
	}
}

func (d *dlq) size() (records int64) {
	for n := range d.partitions {
		records += d.ends[n] - d.from[n]
	}
	return records
}

// readMarks learns which records were sent again.
func (d *dlq) readMarks(ctx context.Context, from, ends []int64) error {
	for n := range d.partitions {
		err := d.scan(ctx, n, from[n], ends[n], func(r *pipeline.Record) error {
			ids, _, err := sinks.ReadMark(r)
			if err != nil {
				return advice.Add(fmt.Errorf("%s/%d: %w", d.name, n, err), "use the newest ebb that has replayed records of this topic")
			}
			for _, id := range ids {
				d.marked[id] = struct{}{}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// scan reads the committed records of a partition in [from, end).
func (d *dlq) scan(ctx context.Context, partition int32, from, end int64, each func(*pipeline.Record) error) error {
	fetcher, err := d.client.NewFetcher(kafkawire.FetchConfig{Topic: d.name, Partition: partition})
	if err != nil {
		return err
	}
	defer fetcher.Close()
	var got pipeline.Fetched
	for next, moved := from, time.Now(); next < end; {
		err := fetcher.Fetch(ctx, next, &got)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, pipeline.ErrOutOfRange): // retention was quicker
			if next, _, err = d.client.Bounds(ctx, d.name, partition); err != nil {
				return connect.Explain(err, d.cfg)
			}
			continue
		case err != nil:
			return connect.Explain(err, d.cfg)
		}
		for i := range got.Records {
			if r := &got.Records[i]; r.Offset < end {
				if err := each(r); err != nil {
					return err
				}
			}
		}
		d.progress.Add(min(got.Next, end) - next)
		if got.Next > next {
			moved = time.Now()
		}
		next = got.Next
		switch {
		case next < got.Stable || next >= end:
		case !d.patient:
			d.heldUp = true
			d.progress.Add(end - next)
			return nil
		case time.Since(moved) > patience:
			return fmt.Errorf("records of %s/%d from %d on are held up by a producer's open transaction", d.name, partition, next)
		}
	}
	return nil
}

// selection says which records are meant.
type selection struct {
	codes      []string // nil: all
	input, dlq span
	since      int64 // ms since the epoch
	until      int64
}

// span is a stretch of offsets of one partition, or of all.
type span struct {
	partition int32 // -1: all, and then all offsets
	from, to  int64 // both included
}

func (s *span) takes(p *sinks.Place) bool {
	return s.partition < 0 || p.Partition == s.partition && p.Offset >= s.from && p.Offset <= s.to
}

func (s *selection) takes(l *deadLetter) bool {
	return (s.codes == nil || slices.Contains(s.codes, l.Code)) && s.input.takes(&l.Source) && s.dlq.takes(&l.At) &&
		l.Timestamp >= s.since && l.Timestamp < s.until
}

// within is what is to be read of a partition of the DLQ that holds [from, end).
func (s *selection) within(partition int32, from, end int64) (int64, int64) {
	switch {
	case s.dlq.partition < 0:
		return from, end
	case s.dlq.partition != partition:
		return end, end
	}
	if s.dlq.to < end {
		end = s.dlq.to + 1
	}
	return max(from, s.dlq.from), end
}
