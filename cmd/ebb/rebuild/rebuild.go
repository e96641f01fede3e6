package rebuild

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/connect"
	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
)

// Group is a group's state and offsets, and the input that they belong to.
type Group struct {
	connect.Clients
	Waiting connect.Waiting // optional; gets what is waited for

	cfg   *config.Config
	topic kafkawire.Topic
}

// Partition is the plan for one partition.
type Partition struct {
	Partition int32 `json:"partition"`
	From      int64 `json:"from"`      // next record
	Published int64 `json:"published"` // records below it are replayed without alerting
	// the group has no offset here: there is nothing to replay, and it begins at kafka.start
	Fresh bool `json:"fresh"`
}

// Open finds the input and the Redis of a configuration's group. The caller closes the group unless there is an error.
func Open(ctx context.Context, cfg *config.Config) (*Group, error) {
	g := &Group{cfg: cfg}
	if err := g.open(ctx); err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}

func (g *Group) open(ctx context.Context) (err error) {
	if g.Redis, err = connect.Redis(ctx, g.cfg); err != nil {
		return connect.NoRedis(err, g.cfg)
	}
	if g.Kafka, err = connect.Kafka(g.cfg, g.cfg.Topics()...); err != nil {
		return err
	}
	if err := connect.Dialable(ctx, g.cfg.Kafka.Brokers); err != nil {
		return connect.NoKafka(err, g.cfg, "")
	}
	g.topic, err = connect.FindTopic(ctx, g.Kafka, g.cfg, g.cfg.Kafka.Input, kafkawire.Read)
	return err
}

// Plan decides for each partition where to begin: at the first record that is not older than at (zero: the oldest). It
// refuses what cannot be rebuilt.
func (g *Group) Plan(ctx context.Context, at time.Time) (plan []Partition, err error) {
	for n := range g.topic.Partitions {
		p, err := g.preparePartition(ctx, n, at)
		if err != nil {
			return nil, fmt.Errorf("partition %d: %w", n, err)
		}
		plan = append(plan, p)
	}
	return plan, nil
}

func (g *Group) preparePartition(ctx context.Context, n int32, at time.Time) (p Partition, err error) {
	input := g.cfg.Kafka.Input
	committed, err := connect.Committed(ctx, g.Kafka, g.cfg, n, g.Waiting)
	if err != nil {
		return p, err
	}
	p = Partition{Partition: n, Fresh: !committed.Exists, Published: committed.Offset}
	if p.Fresh {
		return p, nil
	}
	mark, err := pipeline.ParseMark(committed.Offset, committed.Metadata)
	switch {
	case errors.Is(err, pipeline.ErrMarkVersion):
		return p, advice.Add(err, "run the newer version again")
	case err != nil:
		return p, advice.Add(
			err,
			"ebb repair finds the published offset again, where the state in Redis proves it; see: ebb check",
		)
	case mark.Topic != g.topic.ID:
		return p, advice.Add(
			errors.New("the committed offset belongs to an older topic of this name"),
			"use a new kafka.group",
		)
	}
	if err := g.decidable(ctx, n, &mark); err != nil {
		return p, err
	}
	start, _, err := g.Kafka.Bounds(ctx, input, n)
	if err != nil {
		return p, err
	}
	p.From = start
	if at.IsZero() {
		return p, nil
	}
	if p.From, err = g.Kafka.OffsetAt(ctx, input, n, at); err != nil {
		return p, err
	}
	// A time after what was processed would leave records out; everything from the committed offset on must still be
	// folded.
	p.From = max(start, min(p.From, committed.Offset))
	return p, nil
}

// AwaitEmpty waits until no member is left; see connect.AwaitEmpty.
func (g *Group) AwaitEmpty(ctx context.Context, waiting func(members int)) error {
	return connect.AwaitEmpty(ctx, g.Kafka, g.cfg, waiting)
}

// Rebuild empties the state and seeds each partition, so that the next run replays the input. It returns how many keys
// it removed. It may be repeated after an interruption: a partition that is not yet seeded refuses to run.
func (g *Group) Rebuild(ctx context.Context, plan []Partition) (removed int, err error) {
	removed, err = g.Redis.Empty(ctx, g.cfg.Kafka.Group, int(g.topic.Partitions))
	if err != nil {
		return 0, fmt.Errorf("empty state: %w", err)
	}
	for _, p := range plan {
		if p.Fresh {
			continue
		}
		id := pipeline.Identity{Partitions: int(g.topic.Partitions), Cluster: g.topic.Cluster, Topic: g.topic.ID}
		store := g.Redis.Partition(g.cfg.Kafka.Group, int(p.Partition))
		err := store.Seed(ctx, id.NewMeta(p.From))
		if err = errors.Join(err, store.Close()); err != nil {
			return removed, fmt.Errorf("seed partition %d: %w", p.Partition, err)
		}
	}
	return removed, nil
}

// Forget removes the group's offsets, then its state. In this order an interruption leaves state without offsets, which
// no processor trusts. It returns how many keys and how many offsets there were.
func (g *Group) Forget(ctx context.Context) (removed, offsets int, err error) {
	offsets, err = g.forgetOffsets(ctx)
	if errors.Is(err, kafkawire.GroupDenied) {
		err = connect.NotAllowed("group "+g.cfg.Kafka.Group, kafkawire.Delete)
	}
	if err != nil {
		return 0, offsets, err
	}
	removed, err = g.Redis.Empty(ctx, g.cfg.Kafka.Group, int(g.topic.Partitions))
	if err != nil {
		return 0, offsets, fmt.Errorf("empty state: %w", err)
	}
	return removed, offsets, nil
}

func (g *Group) forgetOffsets(ctx context.Context) (offsets int, err error) {
	group, input := g.cfg.Kafka.Group, g.cfg.Kafka.Input
	for n := range g.topic.Partitions {
		committed, err := connect.Committed(ctx, g.Kafka, g.cfg, n, g.Waiting)
		if err != nil {
			return 0, err
		}
		if committed.Exists {
			offsets++
		}
	}
	if offsets == 0 {
		return 0, nil
	}
	return offsets, g.Kafka.DeleteOffsets(ctx, group, input, g.topic.Partitions)
}
