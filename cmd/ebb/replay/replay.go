package replay

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/connect"
	"ebb/cmd/ebb/embedded"
	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
	"ebb/pipeline/redisstore"
	"ebb/scoring/pack"
	"ebb/sinks/format"
)

// Kind is how an alert differs.
type Kind string

// Kinds of differences.
const (
	Missing Kind = "missing" // it was published, and the replay does not decide it
	Extra   Kind = "extra"   // the replay decides it, and it was not published
	Changed Kind = "changed" // both have it, and its bytes differ
	Twice   Kind = "twice"   // its id was published before; the last record is the one that is compared
)

// Difference is one alert that is not the same.
type Difference struct {
	Kind      Kind   `json:"difference"`
	ID        string `json:"id"`
	Published string `json:"published,omitempty"` // the alert's JSON
	Replayed  string `json:"replayed,omitempty"`
}

// Counts are of alerts.
type Counts struct {
	Published int64 `json:"published"` // below the offsets that the replay ends at
	Replayed  int64 `json:"replayed"`
	Same      int64 `json:"same"`
	Missing   int64 `json:"missing"`
	Extra     int64 `json:"extra"`
	Changed   int64 `json:"changed"`
	Twice     int64 `json:"twice"` // records whose id was published before
}

// Partition is the part of the input that was replayed in one partition: from an offset to the group's committed one.
type Partition struct {
	Partition int32 `json:"partition"`
	From      int64 `json:"from"`
	To        int64 `json:"to"`
	Fresh     bool  `json:"fresh,omitempty"` // the group has not worked here
}

// Report is the outcome of a replay.
type Report struct {
	Group      string      `json:"group"`
	Input      string      `json:"input"`
	Alerts     string      `json:"alerts"`
	Into       string      `json:"into,omitempty"` // the topic that the replay's alerts were written to
	Partitions []Partition `json:"partitions"`
	Records    int64       `json:"records"`
	Counts
	Differences []Difference `json:"differences"` // the first of each kind
}

// Equal reports whether nothing differs.
func (r *Report) Equal() bool {
	return r.Missing == 0 && r.Extra == 0 && r.Changed == 0 && r.Twice == 0
}

// Options are what is replayed.
type Options struct {
	Config *config.Config
	Into   string // topic that gets the replay's alerts, in their form; empty: none
	Most   int    // differences of each kind to keep

	Waiting  connect.Waiting                      // gets what is waited for
	Progress func(what string, done, total int64) // gets the work under way; one goroutine at a time
}

// patience is how long a scan goes on while brokers do not answer.
const patience = time.Minute

// replay is one in progress.
type replay struct {
	connect.Clients
	opts    *Options
	cfg     *config.Config
	pack    *pack.Pack
	topic   kafkawire.Topic // the input
	control connect.Control
	spans   []span // of the topics of alerts
	marks   []kafkawire.Committed
	found   *published
	erased  map[int32][]pipeline.Control // by partition
	report  *Report
	copies  *copies
}

// Run decides once more what the group has published, and compares.
func Run(ctx context.Context, opts *Options) (*Report, error) {
	k := &opts.Config.Kafka
	r := &replay{
		opts: opts, cfg: opts.Config, erased: map[int32][]pipeline.Control{},
		found:  &published{alerts: map[string]entry{}, apart: map[Kind][]Difference{}, most: opts.Most},
		report: &Report{Group: k.Group, Input: k.Input, Alerts: k.Alerts, Into: opts.Into, Differences: []Difference{}},
	}
	defer r.Close()
	if err := r.open(ctx); err != nil {
		return nil, err
	}
	if err := r.plan(ctx); err != nil {
		return nil, err
	}
	if err := r.all(ctx); err != nil {
		return nil, err
	}
	return r.report, nil
}

// open finds the topics, and starts the Redis of the replay.
func (r *replay) open(ctx context.Context) (err error) {
	k := &r.cfg.Kafka
	if r.pack, err = connect.LoadPack(r.cfg); err != nil {
		return err
	}
	topics := append([]string{k.Input, k.Alerts, k.Holdout, k.Packs}, k.AllControl()...)
	if r.opts.Into != "" {
		topics = append(topics, r.opts.Into)
	}
	if r.Kafka, err = connect.Kafka(r.cfg, topics...); err != nil {
		return err
	}
	if err := connect.Dialable(ctx, k.Brokers); err != nil {
		return connect.NoKafka(err, r.cfg, "")
	}
	if r.topic, err = connect.FindTopic(ctx, r.Kafka, r.cfg, k.Input, kafkawire.Read); err != nil {
		return err
	}
	alerts, err := connect.AlertTopics(ctx, r.Kafka, r.cfg, kafkawire.Read)
	if err != nil {
		return err
	}
	for i := range alerts {
		r.spans = append(r.spans, span{topic: alerts[i]})
	}
	if r.control, err = connect.FindControl(ctx, r.Kafka, r.cfg); err != nil {
		return fmt.Errorf("find the topic of control records: %w", err)
	}
	if r.opts.Into == "" {
		return nil
	}
	r.copies, err = openCopies(ctx, r.Kafka, r.cfg, r.opts.Into)
	return err
}

// plan finds what to replay. All that the committed offsets cover is published before the alert topic's end is read, and
// all that stands before its end as of now is covered by them.
func (r *replay) plan(ctx context.Context) (err error) {
	for i := range r.spans {
		s := &r.spans[i]
		if s.start, s.covered, err = bounds(ctx, r.Kafka, s.topic); err != nil {
			return err
		}
	}
	for n := range r.topic.Partitions {
		p, at, err := r.partition(ctx, n)
		if err != nil {
			return fmt.Errorf("partition %d: %w", n, err)
		}
		r.report.Partitions, r.marks = append(r.report.Partitions, p), append(r.marks, at)
		r.report.Records += p.To - p.From
	}
	for i := range r.spans {
		if _, r.spans[i].end, err = bounds(ctx, r.Kafka, r.spans[i].topic); err != nil {
			return err
		}
	}
	return nil
}

// partition finds where a partition's replay begins, which is where the group began, and where it ends.
func (r *replay) partition(ctx context.Context, n int32) (p Partition, at kafkawire.Committed, err error) {
	p.Partition = n
	if at, err = connect.Committed(ctx, r.Kafka, r.cfg, n, r.opts.Waiting); err != nil || !at.Exists {
		p.Fresh = true
		return p, at, err
	}
	p.To = at.Offset
	start, _, err := r.Kafka.Bounds(ctx, r.cfg.Kafka.Input, n)
	if err != nil {
		return p, at, err
	}
	controls, err := r.control.Ledger(r.Kafka, r.cfg).Controls(ctx, r.identity(n))
	if err != nil {
		return p, at, fmt.Errorf("read control records: %w", err)
	}
	for i := range controls {
		if c := &controls[i]; c.First || i == 0 {
			p.From = c.Offset
		}
		if controls[i].Kind == pipeline.ControlErased {
			r.erased[n] = append(r.erased[n], controls[i])
		}
	}
	if p.From < start {
		return p, at, advice.Add(
			fmt.Errorf("the group began at offset %d, the log holds records from offset %d on", p.From, start),
			"a replay needs all records; a longer retention.ms of %s makes the next one possible", r.cfg.Kafka.Input,
		)
	}
	return p, at, nil
}

func (r *replay) identity(n int32) pipeline.Identity {
	return pipeline.Identity{
		Group: r.cfg.Kafka.Group, Input: r.cfg.Kafka.Input, Partition: int(n), Partitions: int(r.topic.Partitions),
		Cluster: r.topic.Cluster, Topic: r.topic.ID, Pack: r.pack.Hash,
	}
}

// all reads what was published, replays every partition, and compares.
func (r *replay) all(ctx context.Context) (err error) {
	source, total, done := format.Source(r.cfg.Kafka.Group, r.cfg.Kafka.Input), int64(0), int64(0)
	for i := range r.spans {
		total += r.spans[i].records()
	}
	err = r.found.read(ctx, r.Kafka, r.spans, source, func(n int64) {
		done += n
		r.opts.Progress("reading what was published", done, total)
	})
	if err != nil {
		return err
	}
	address, stop, err := embedded.StartRedis()
	if err != nil {
		return err
	}
	defer stop()
	if r.Redis, err = redisstore.Open(ctx, redisstore.Config{Addresses: []string{address}}); err != nil {
		return fmt.Errorf("open the replay's Redis: %w", err)
	}
	if err := r.partitions(ctx); err != nil {
		return err
	}
	r.found.finish()
	r.report.Counts = r.found.counts
	for _, kind := range slices.Sorted(maps.Keys(r.found.apart)) {
		r.report.Differences = append(r.report.Differences, r.found.apart[kind]...)
	}
	return r.quote(ctx, source)
}

// partitions replays each partition after the other, so that the memory of one suffices.
func (r *replay) partitions(ctx context.Context) error {
	var done int64
	for i := range r.report.Partitions {
		p := &r.report.Partitions[i]
		if p.Fresh || p.To == p.From {
			continue
		}
		if err := r.run(ctx, p, done); err != nil {
			return fmt.Errorf("replay partition %d: %w", p.Partition, err)
		}
		if _, err := r.Redis.Empty(ctx, r.cfg.Kafka.Group, int(r.topic.Partitions)); err != nil {
			return fmt.Errorf("empty the replay's Redis: %w", err)
		}
		done += p.To - p.From
	}
	if r.copies != nil {
		return r.copies.flush(ctx)
	}
	return nil
}

// quote adds the published form of alerts that differ.
func (r *replay) quote(ctx context.Context, source string) error {
	wanted := map[string][]*Difference{}
	for i := range r.report.Differences {
		if d := &r.report.Differences[i]; d.Kind != Extra {
			wanted[d.ID] = append(wanted[d.ID], d)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	return each(ctx, r.Kafka, r.spans, source, func(record *pipeline.Record, id string, _ bool) error {
		for _, d := range wanted[id] {
			d.Published = string(record.Value) // the last one, as was compared
		}
		return nil
	})
}
