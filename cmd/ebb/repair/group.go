package repair

import (
	"context"
	"errors"
	"fmt"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/connect"
	"ebb/pipeline"
	"ebb/pipeline/kafkascan"
	"ebb/pipeline/kafkawire"
)

// Group is a group to be repaired: its state, its offsets, and the topics that it publishes to.
type Group struct {
	connect.Clients
	Waiting  connect.Waiting                      // optional: what is waited for
	Progress func(what string, done, total int64) // optional: how far the topics are read

	cfg     *config.Config
	pack    string // hash of the configured pack
	topic   kafkawire.Topic
	control connect.Control
	others  []string // further groups of ebb that read the input
}

// Open finds the services and topics of a configuration's group. The caller closes the group unless there is an error.
func Open(ctx context.Context, cfg *config.Config) (*Group, error) {
	g := &Group{cfg: cfg}
	if err := g.open(ctx); err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}

func (g *Group) open(ctx context.Context) (err error) {
	k := &g.cfg.Kafka
	if g.Redis, err = connect.Redis(ctx, g.cfg); err != nil {
		return connect.NoRedis(err, g.cfg)
	}
	if g.Kafka, err = connect.Kafka(g.cfg, append(g.cfg.Topics(), g.cfg.Kafka.Holdout)...); err != nil {
		return err
	}
	if err := connect.Dialable(ctx, k.Brokers); err != nil {
		return connect.NoKafka(err, g.cfg, "")
	}
	if g.topic, err = connect.FindTopic(ctx, g.Kafka, g.cfg, k.Input, kafkawire.Read); err != nil {
		return err
	}
	if g.control, err = connect.FindControl(ctx, g.Kafka, g.cfg); err != nil {
		return fmt.Errorf("look up topic %s: %w", k.Control, err)
	}
	if pack, err := connect.LoadPack(g.cfg); err == nil { // of a group that has announced none
		g.pack = pack.Hash
	}
	g.others, err = g.otherGroups(ctx)
	return err
}

// otherGroups are groups of ebb, of those that we may see, that work on the same input: their quarantined records stand
// in the same DLQ.
func (g *Group) otherGroups(ctx context.Context) (others []string, err error) {
	k := &g.cfg.Kafka
	shadows := map[string]bool{k.Group: true}
	for _, name := range g.cfg.ShadowNames() {
		shadows[k.ShadowGroup(name)] = true
	}
	all, err := g.Kafka.Groups(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range all {
		if shadows[name] {
			continue
		}
		for n := range g.topic.Partitions {
			at, err := g.Kafka.Committed(ctx, name, k.Input, n)
			if err != nil {
				break // it is not ours to know
			}
			if _, err := pipeline.ParseMark(at.Offset, at.Metadata); at.Exists && err == nil {
				others = append(others, name)
				break
			}
		}
	}
	return others, nil
}

// identity is what the state of a partition must agree with.
func (g *Group) identity(n int32) pipeline.Identity {
	k := &g.cfg.Kafka
	return pipeline.Identity{
		Group: k.Group, Input: k.Input, Partition: int(n), Partitions: int(g.topic.Partitions),
		Cluster: g.topic.Cluster, Topic: g.topic.ID, Pack: g.pack, Latest: k.Start == "latest",
	}
}

// Members are how many members the group has.
func (g *Group) Members(ctx context.Context) ([]kafkawire.GroupMember, error) {
	found, err := g.Kafka.DescribeGroup(ctx, g.cfg.Kafka.Group)
	return found.Members, err
}

// AwaitEmpty waits until no member is left; see connect.AwaitEmpty.
func (g *Group) AwaitEmpty(ctx context.Context, waiting func(members int)) error {
	return connect.AwaitEmpty(ctx, g.Kafka, g.cfg, waiting)
}

// Name is the group's.
func (g *Group) Name() string { return g.cfg.Kafka.Group }

// waits tells what a scan waits for.
func (g *Group) waits(held *kafkascan.HeldUpError) {
	if g.Waiting != nil {
		g.Waiting(held.Error())
	}
}

// stopOf is the hard stop in an error.
func stopOf(err error) (*pipeline.HardStop, bool) { return errors.AsType[*pipeline.HardStop](err) }

// errChanged means that what was shown is not so any more.
func errChanged(n int32) error {
	return advice.Add(fmt.Errorf("partition %d is not as it was when it was shown; nothing was changed there", n),
		"see that no process of the group runs, and run ebb repair again")
}
