package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/connect"
	"ebb/cmd/ebb/terminal"
	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
)

// alertsFlags is the command line of alerts.
type alertsFlags struct {
	brokers, topic      string
	fromStart, untilEnd bool
	json                bool
}

func newAlertsCommand(a *app) *cobra.Command {
	var f alertsFlags
	cmd := &cobra.Command{
		Use:   "alerts",
		Short: "Read the alert topic, committed data only",
		Long: `Read the alert topic: committed data only, of all partitions as it comes, until Ctrl-C or --until-end. A line for each alert
says when and whom it concerns, how high the risk is and the main reason; with --json it is the alert as published.`,
		Example: "  ebb alerts\n" +
			"  ebb alerts --from-start --until-end --json > alerts.ndjson\n" +
			"  ebb alerts --topic ebb.shadow             # what shadows would alert\n" +
			"  ebb alerts --json | jq -r 'select(.tier == \"critical\") | .customer'",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.alerts(cmd, &f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.brokers, "brokers", "", "brokers, `HOST:PORT`, separated by commas (default: kafka.brokers)")
	flags.StringVar(&f.topic, "topic", "", "`TOPIC` to read (default: kafka.alerts)")
	flags.BoolVar(&f.fromStart, "from-start", false, "begin with the oldest alert instead of the next one")
	flags.BoolVar(&f.untilEnd, "until-end", false, "stop at what is the end now; begins with the oldest alert")
	flags.BoolVar(&f.json, "json", false, "print each alert's JSON, one a line, byte for byte as published")
	return cmd
}

// alerts reads until the end, if there is one, or until it is told to stop, which is its normal end.
func (a *app) alerts(cmd *cobra.Command, f *alertsFlags) error {
	cfg, err := a.config(config.Overrides("brokers", "kafka.brokers", f.brokers)...)
	if err != nil {
		return err
	}
	name := cmp.Or(f.topic, cfg.Kafka.Alerts) // the shadows' topic may be read as well
	if !config.LegalTopic(name, config.MaxTopic) {
		return advice.Usage(fmt.Errorf("no topic can have the name %q", name))
	}
	client, err := connect.Kafka(cfg, name)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx := cmd.Context()
	topic, err := connect.FindTopic(ctx, client, cfg, name, kafkawire.Read)
	if err != nil {
		return connect.WithCreate(err, a.checkCommand(f.brokers, ""))
	}
	r := &alertReader{client: client, topic: name, fromStart: f.fromStart || f.untilEnd, untilEnd: f.untilEnd, said: cmd.ErrOrStderr()}
	p := newAlertPrinter(terminal.NewScreen(cmd.OutOrStdout(), a.environ), f.json)
	err = r.read(ctx, topic.Partitions, p)
	if err != nil && ctx.Err() != nil {
		if f.untilEnd {
			return context.Cause(ctx)
		}
		return nil
	}
	return err
}

// alertReader reads every partition of a topic on a goroutine of its own.
type alertReader struct {
	client              *kafkawire.Client
	topic               string
	fromStart, untilEnd bool

	mu   sync.Mutex
	said io.Writer // what went wrong and is being tried again
}

// patience is how long a read that has an end tries again while brokers do not answer. One without an end tries for ever.
const patience = 30 * time.Second

// read hands all values to p until every partition has ended, one fails, or ctx ends.
func (r *alertReader) read(ctx context.Context, partitions int32, p alertSink) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	values := make(chan [][]byte, partitions)
	var reading sync.WaitGroup
	for partition := range partitions {
		reading.Go(func() {
			if err := r.readPartition(ctx, partition, values); err != nil {
				cancel(err)
			}
		})
	}
	go func() {
		reading.Wait()
		close(values)
	}()
	for batch := range values {
		if err := p.print(batch, len(values) == 0); err != nil {
			cancel(err)
		}
	}
	return context.Cause(ctx)
}

// readPartition sends the partition's values, a fetch at a time.
func (r *alertReader) readPartition(ctx context.Context, partition int32, values chan<- [][]byte) error {
	next, end, err := r.client.Bounds(ctx, r.topic, partition)
	if err != nil {
		return err
	}
	if !r.fromStart {
		next = end
	}
	fetcher, err := r.client.NewFetcher(kafkawire.FetchConfig{Topic: r.topic, Partition: partition})
	if err != nil {
		return err
	}
	defer fetcher.Close()
	var (
		got     pipeline.Fetched
		trouble retry
	)
	for !r.untilEnd || next < end {
		err := fetcher.Fetch(ctx, next, &got)
		switch {
		case err == nil:
			trouble.over()
		case errors.Is(err, pipeline.ErrOutOfRange):
			if next, err = r.skipLost(ctx, partition, next); err != nil {
				return err
			}
			continue
		default:
			if err := r.again(ctx, &trouble, err); err != nil {
				return err
			}
			continue
		}
		if batch := copyValues(got.Records, end, r.untilEnd); len(batch) > 0 {
			select {
			case values <- batch:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		next = got.Next
	}
	return nil
}

// copyValues copies what the next fetch would overwrite. Tombstones, which no alert is, are left out, and so is what came
// after the end that was found at the start.
func copyValues(records []pipeline.Record, end int64, untilEnd bool) [][]byte {
	var batch [][]byte
	for i := range records {
		if r := &records[i]; r.Value != nil && (!untilEnd || r.Offset < end) {
			batch = append(batch, append([]byte(nil), r.Value...))
		}
	}
	return batch
}

// skipLost goes on at the oldest record where retention has deleted the one to be read next.
func (r *alertReader) skipLost(ctx context.Context, partition int32, next int64) (int64, error) {
	start, _, err := r.client.Bounds(ctx, r.topic, partition)
	if err != nil {
		return next, err
	}
	r.say("%s/%d: the topic's retention has deleted offsets %d to %d before they were read", r.topic, partition, next, start-1)
	return start, nil
}

// retry is the state of trying again.
type retry struct {
	since time.Time
	pause time.Duration
}

func (t *retry) over() { *t = retry{} }

// again waits before the next attempt, or says that there is to be none.
func (r *alertReader) again(ctx context.Context, t *retry, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if !errors.Is(err, pipeline.ErrUnavailable) {
		return err
	}
	if t.since.IsZero() {
		t.since, t.pause = time.Now(), 50*time.Millisecond
		r.say("Kafka does not answer, trying again: %s", advice.Cause(err))
	}
	if r.untilEnd && time.Since(t.since) > patience {
		return err
	}
	t.pause = min(2*t.pause, 5*time.Second)
	select {
	case <-time.After(t.pause):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (r *alertReader) say(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(r.said, "ebb alerts: "+format+"\n", args...)
}

// alertSink takes what was read. caughtUp says that no other batch is waiting, so that what was shown should be seen.
type alertSink interface {
	print(batch [][]byte, caughtUp bool) error
}

// alertPrinter writes alerts as they come.
type alertPrinter struct {
	w    *bufio.Writer
	json bool
	line *alertLine
}

func newAlertPrinter(s terminal.Screen, asJSON bool) *alertPrinter {
	return &alertPrinter{w: bufio.NewWriterSize(s, 64<<10), json: asJSON, line: &alertLine{screen: s}}
}

// print is alertSink's.
func (p *alertPrinter) print(batch [][]byte, caughtUp bool) error {
	for _, value := range batch {
		if !p.json {
			value = []byte(p.line.of(value))
		}
		if _, err := p.w.Write(value); err != nil {
			return fmt.Errorf("write alerts: %w", err)
		}
		if err := p.w.WriteByte('\n'); err != nil {
			return fmt.Errorf("write alerts: %w", err)
		}
	}
	if caughtUp {
		if err := p.w.Flush(); err != nil {
			return fmt.Errorf("write alerts: %w", err)
		}
	}
	return nil
}
