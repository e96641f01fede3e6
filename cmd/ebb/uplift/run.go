package uplift

import (
	"context"
	"fmt"
	"math"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/connect"
	"ebb/pipeline"
	"ebb/pipeline/kafkascan"
	"ebb/pipeline/kafkawire"
	"ebb/sinks/format"
)

// Options are what is compared.
type Options struct {
	Config *config.Config
	By     string        // how to divide; see Divisions
	Within time.Duration // after its raise, an outcome counts; 0: the pack's horizon
	Size   float64       // of an effect that one wants to see, as a difference of shares
	Since  time.Time     // only raises from then on

	Waiting  connect.Waiting                      // gets what is waited for
	Progress func(what string, done, total int64) // gets the work under way
}

// patience is how long a topic is read on while brokers do not answer.
const patience = time.Minute

// reading is one report in progress.
type reading struct {
	opts   *Options
	cfg    *config.Config
	client *kafkawire.Client
	found  collection
}

// Run reads what the group has published about both arms, and compares.
func Run(ctx context.Context, opts *Options) (*Report, error) {
	k, err := connect.LoadPack(opts.Config)
	if err != nil {
		return nil, err
	}
	if opts.Within > k.Horizon {
		return nil, advice.Usage(
			fmt.Errorf("outcomes are known within the pack's horizon, %s", advice.FormatDuration(k.Horizon)),
		)
	}
	within := opts.Within
	if within == 0 {
		within = k.Horizon
	}
	r := &reading{opts: opts, cfg: opts.Config, found: collection{
		by: opts.By, converts: k.Converts != 0, since: math.MinInt64, stories: map[subject]*story{},
	}}
	if !opts.Since.IsZero() {
		r.found.since = opts.Since.UnixMilli()
	}
	names := []string{r.cfg.Kafka.Input, r.cfg.Kafka.Alerts, r.cfg.Kafka.Holdout}
	if r.client, err = connect.Kafka(r.cfg, names...); err != nil {
		return nil, err
	}
	defer r.client.Close()
	at, err := r.known(ctx)
	if err != nil {
		return nil, err
	}
	topics, err := connect.AlertTopics(ctx, r.client, r.cfg, kafkawire.Read)
	if err != nil {
		return nil, err
	}
	for i := range topics {
		if err := r.read(ctx, &topics[i]); err != nil {
			return nil, err
		}
	}
	out := r.found.report(at, within.Milliseconds(), opts.Size)
	out.Group, out.Within = r.cfg.Kafka.Group, advice.FormatDuration(within)
	return out, nil
}

// known is up to which event time all alerts are published: the oldest watermark of the partitions, in ms. Alerts carry
// event times too, but one of a clock that is wrong would be taken for the present.
func (r *reading) known(ctx context.Context) (at int64, err error) {
	input, err := connect.FindTopic(ctx, r.client, r.cfg, r.cfg.Kafka.Input)
	if err != nil {
		return 0, err
	}
	at = math.MaxInt64
	for n := range input.Partitions {
		c, err := connect.Committed(ctx, r.client, r.cfg, n, r.opts.Waiting)
		if err != nil {
			return 0, fmt.Errorf("read the group's offset of partition %d: %w", n, err)
		}
		if !c.Exists {
			continue // without events
		}
		mark, err := pipeline.ParseMark(c.Offset, c.Metadata)
		if err != nil {
			return 0, fmt.Errorf("partition %d: %w", n, err)
		}
		if !mark.Fresh && mark.Watermark > 0 {
			at = min(at, mark.Watermark)
		}
	}
	if at == math.MaxInt64 {
		at = 0
	}
	return at, nil
}

// read collects the group's alerts from a topic.
func (r *reading) read(ctx context.Context, t *kafkawire.Topic) error {
	source := format.Source(r.cfg.Kafka.Group, r.cfg.Kafka.Input)
	scan := kafkascan.Scan{
		Client: r.client, Topic: t.Name, Patience: patience,
		Record: func(record *pipeline.Record) error {
			if _, from := format.Origin(record.Headers); string(from) != source {
				return nil
			}
			return r.found.take(record.Value, t.Name == r.cfg.Kafka.Holdout)
		},
		Lost: func(int64, int64) {}, // deleted since the bounds were read, as all before them
	}
	scan.Answered = func(next int64) error {
		r.opts.Progress(fmt.Sprintf("reading %s/%d", t.Name, scan.Partition), next-scan.From, scan.To-scan.From)
		return nil
	}
	return scan.Whole(ctx, t.Partitions)
}
