package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/connect"
	"ebb/cmd/ebb/eventlog"
	"ebb/cmd/ebb/terminal"
	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
)

// produceFlags is the command line of produce.
type produceFlags struct {
	brokers, topic string
	rate           float64
	progress       string
	skipBad        bool
	force          bool
	json           bool
}

func newProduceCommand(a *app) *cobra.Command {
	var f produceFlags
	cmd := &cobra.Command{
		Use:   "produce FILE...",
		Short: "Send event logs to the input topic",
		Long: `Send event logs to the input topic, in the order of the files and their lines.

A log is NDJSON (a JSON object a line, in ebb's flat envelope, another, or one that input.mapping reads) or CSV with the header
` + eventlog.CSVHeader + `. Either may be gzipped; "-" is standard input. Records are keyed by
customer, so that one partition sees all of a customer's events, and carry the event's time as their timestamp. An event
without an id gets one of file name and line (none from standard input), by which ebb knows it again.`,
		Example: "  ebb produce purchases.csv.gz\n" +
			"  ebb simulate --customers 1000 | ebb produce -\n" +
			"  ebb produce --topic clicks --rate 5000 --skip-bad january.ndjson",
		Args: arguments(1, anyNumber, "FILE"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.produce(cmd, &f, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.brokers, "brokers", "", "brokers, `HOST:PORT`, separated by commas (default: kafka.brokers)")
	flags.StringVar(&f.topic, "topic", "", "`TOPIC` to write to (default: kafka.input)")
	flags.Float64Var(&f.rate, "rate", 0, "`N` events per second at most (default: no limit)")
	flags.StringVar(&f.progress, "progress", "auto", "`HOW` to show progress on standard error: auto (a bar on a terminal), plain or none")
	flags.BoolVar(&f.skipBad, "skip-bad", false, "count lines that cannot be used and go on")
	flags.BoolVar(&f.force, "force", false, "send also what the topic's retention will delete at once")
	flags.BoolVar(&f.json, "json", false, "print the summary as JSON")
	return cmd
}

// produceSummary is the outcome, as --json prints it.
type produceSummary struct {
	Events     int64   `json:"events"` // acknowledged
	Skipped    int64   `json:"skipped"`
	Bytes      int64   `json:"bytes"` // of keys and values acknowledged
	Seconds    float64 `json:"seconds"`
	Rate       float64 `json:"events_per_second"`
	Topic      string  `json:"topic"`
	Partitions int     `json:"partitions"`
	Unknown    int64   `json:"unknown,omitempty"` // sent without an answer
	Complete   bool    `json:"complete"`
}

// produce sends the files and prints what came of it.
func (a *app) produce(cmd *cobra.Command, f *produceFlags, files []string) error {
	if err := f.check(files); err != nil {
		return advice.Usage(err)
	}
	cfg, err := a.config(config.Overrides("brokers", "kafka.brokers", f.brokers, "topic", "kafka.input", f.topic)...)
	if err != nil {
		return err
	}
	if err := findFiles(files); err != nil {
		return err
	}
	client, err := connect.Kafka(cfg, cfg.Kafka.Input)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx := cmd.Context()
	topic, err := connect.ReadLimits(ctx, client, cfg)
	if err != nil {
		return connect.WithCreate(err, a.checkCommand(f.brokers, f.topic))
	}
	p := &producing{
		flags: f, cfg: cfg, topic: topic, client: client, stdin: terminal.StoppableReader(ctx, cmd.InOrStdin()),
		screen: terminal.NewScreen(cmd.ErrOrStderr(), a.environ),
	}
	summary, err := p.run(ctx, files)
	if summary == nil {
		return err
	}
	return errors.Join(err, summary.print(cmd.OutOrStdout(), f.json))
}

func (f *produceFlags) check(files []string) error {
	switch {
	case f.rate < 0:
		return fmt.Errorf("--rate must be above 0, found %g", f.rate)
	case f.progress != "auto" && f.progress != "plain" && f.progress != "none":
		return fmt.Errorf("--progress is auto, plain or none, found %q", f.progress)
	}
	seen := map[string]string{}
	for _, name := range files {
		base := filepath.Base(name)
		if other, twice := seen[base]; twice {
			return fmt.Errorf("%s and %s have the same base name, of which event ids are made: rename one, or send them one after the other", other, name)
		}
		seen[base] = name
	}
	return nil
}

// findFiles says of a file that is not there before anybody waits for brokers.
func findFiles(names []string) error {
	for _, name := range names {
		if _, err := os.Stat(name); err != nil && name != eventlog.Stdin {
			return fmt.Errorf("open %s: %s", name, advice.FileCause(err))
		}
	}
	return nil
}

// producing is one run of produce.
type producing struct {
	flags  *produceFlags
	cfg    *config.Config
	topic  *connect.Limits
	client *kafkawire.Client
	stdin  io.Reader
	screen terminal.Screen
	pace   pace
	lanes  []*lane
	bad    int64
}

// run checks the files against the topic, then sends them. The summary is nil if nothing was begun.
func (p *producing) run(ctx context.Context, files []string) (*produceSummary, error) {
	total, err := p.lookAhead(ctx, files)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	p.pace = pace{perSecond: p.flags.rate, start: start}
	lanes, stop, err := startLanes(ctx, p.client, p.topic)
	if err != nil {
		return nil, err
	}
	p.lanes = lanes
	bar := newProgress(p.screen, p.flags.progress, total)
	readErr := p.sendAll(ctx, files, bar)
	sendErr := stop(readErr)
	bar.done()

	s := p.summary(time.Since(start))
	s.Complete = readErr == nil && sendErr == nil
	return s, p.explain(ctx, s, readErr, sendErr)
}

// sendAll reads file after file into the lanes.
func (p *producing) sendAll(ctx context.Context, files []string, bar *progress) error {
	for _, name := range files {
		f, err := eventlog.Open(name, p.stdin, &p.cfg.Input.Mapping)
		if err != nil {
			return err
		}
		err = p.sendFile(ctx, f, bar)
		f.Close()
		if err != nil {
			return err
		}
		bar.fileDone(f)
	}
	return nil
}

func (p *producing) sendFile(ctx context.Context, f *eventlog.File, bar *progress) error {
	var e eventlog.Entry
	for n := int64(0); ; n++ {
		if n%1024 == 0 {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			bar.at(f, p.acknowledged)
		}
		err := f.Next(&e)
		if err == nil {
			err = refuses(p.topic, f, &e, p.flags.force)
		}
		switch bad, isBad := errors.AsType[*eventlog.LineError](err); {
		case errors.Is(err, io.EOF):
			return nil
		case isBad && p.flags.skipBad:
			p.bad++
			continue
		case isBad:
			return advice.Add(bad, "mend the line, or leave out what cannot be used with --skip-bad")
		case err != nil:
			return err
		}
		if err := p.send(ctx, &e); err != nil {
			return err
		}
	}
}

// send hands one event to the lane of its partition.
func (p *producing) send(ctx context.Context, e *eventlog.Entry) error {
	if err := p.pace.wait(ctx); err != nil {
		return err
	}
	stamp := e.Time
	if stamp == 0 {
		stamp = time.Now().UnixMilli()
	}
	i := kafkawire.Partition(e.Key, int32(len(p.lanes)))
	return p.lanes[i].add(e.Key, e.Value, stamp)
}

func (p *producing) acknowledged() (events int64) {
	for _, l := range p.lanes {
		events += l.acknowledged.Load()
	}
	return events
}

func (p *producing) summary(took time.Duration) *produceSummary {
	s := &produceSummary{Skipped: p.bad, Seconds: took.Seconds(), Topic: p.topic.Name, Partitions: len(p.lanes)}
	for _, l := range p.lanes {
		s.Events += l.acknowledged.Load()
		s.Bytes += l.bytes.Load()
		s.Unknown += l.unknown()
	}
	s.Rate = float64(s.Events) / max(s.Seconds, 1e-9)
	return s
}

// explain joins what went wrong; how far it got stands in the summary.
func (p *producing) explain(ctx context.Context, s *produceSummary, readErr, sendErr error) error {
	var stop *pipeline.HardStop
	switch {
	case readErr == nil && sendErr == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %s acknowledged", context.Cause(ctx), advice.Count(s.Events, "event"))
	case errors.As(sendErr, &stop) && stop.Code == "record_refused":
		return advice.Add(errors.New(stop.Detail), "an event may lie further in the past or the future than the topic takes (message.timestamp.before.max.ms, message.timestamp.after.max.ms)")
	case errors.As(sendErr, &stop):
		return advice.Add(errors.New(stop.Detail), "%s", stop.Do)
	case sendErr != nil:
		return advice.Add(sendErr, "%s acknowledged, %s more may have been written; sent again, what has an id is recognised", advice.Count(s.Events, "event"), advice.Grouped(s.Unknown))
	}
	return readErr
}

// print writes the summary line, or its JSON.
func (s *produceSummary) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(s)
	}
	skipped := ""
	if s.Skipped > 0 {
		skipped = fmt.Sprintf(", %s bad lines skipped", advice.Grouped(s.Skipped))
	}
	_, err := fmt.Fprintf(w, "%s to %s (%s) in %.1f s, %s events/s%s\n",
		advice.Count(s.Events, "event"), s.Topic, advice.Plural(s.Partitions, "partition"), s.Seconds, advice.Grouped(int64(s.Rate)), skipped)
	return err
}
