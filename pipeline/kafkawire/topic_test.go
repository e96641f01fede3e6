package kafkawire_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
)

func TestTopic(t *testing.T) {
	addrs := brokers(t)
	name := unique(t, "topic")
	c := open(t, addrs)
	if _, err := c.Topic(t.Context(), name); !errors.Is(err, kafkawire.UnknownTopicOrPartition) {
		t.Errorf("before it exists: %v", err)
	}
	if _, err := c.TopicConfig(t.Context(), name); !errors.Is(err, kafkawire.UnknownTopicOrPartition) {
		t.Errorf("settings before it exists: %v", err)
	}
	create(t, c, name, 5, "retention.ms", "86400000", "cleanup.policy", "compact", "max.message.bytes", "2000000")
	got, err := c.Topic(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.ID) != 22 || got.Cluster == "" || got.Name != name || got.Partitions != 5 || got.Replicas != 1 {
		t.Errorf("topic %+v", got)
	}
	again, err := c.Topic(t.Context(), name)
	if diff := cmp.Diff(got, again); diff != "" || err != nil {
		t.Errorf("asked again: %v (-first +second):\n%s", err, diff)
	}
	err = c.CreateTopic(t.Context(), kafkawire.NewTopic{Name: name, Partitions: 1, Replicas: 1})
	if !errors.Is(err, kafkawire.TopicExists) {
		t.Errorf("created twice: %v", err)
	}
	cfg, err := c.TopicConfig(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Retention != 24*time.Hour || cfg.CleanupPolicy != "compact" || cfg.MaxMessageBytes != 2_000_000 ||
		cfg.AppendTime ||
		cfg.MinInSync != 1 {
		t.Errorf("settings %+v", cfg)
	}
}

func TestTopicConfigForEver(t *testing.T) {
	c := open(t, brokers(t))
	name := unique(t, "topic")
	create(t, c, name, 1, "retention.ms", "-1")
	if cfg, err := c.TopicConfig(t.Context(), name); err != nil || cfg.Retention >= 0 || cfg.CleanupPolicy != "delete" {
		t.Errorf("settings %+v, %v", cfg, err)
	}
}

func TestPartitionsWaitsForTheTopic(t *testing.T) {
	addrs := brokers(t)
	name := unique(t, "topic")
	c := open(t, addrs, name)
	done := make(chan int32, 1)
	go func() {
		n, err := c.Partitions(t.Context(), name)
		if err != nil {
			t.Error(err)
		}
		done <- n
	}()
	create(t, open(t, addrs), name, 4)
	if n := <-done; n != 4 {
		t.Errorf("%d partitions", n)
	}
}

func TestGroupOffsets(t *testing.T) {
	addrs := brokers(t)
	in, group := unique(t, "in"), unique(t, "group")
	c := open(t, addrs, in)
	create(t, c, in, 2)
	if at, err := c.Committed(t.Context(), group, in, 0); err != nil || at.Exists {
		t.Errorf("before anything: %+v, %v", at, err)
	}
	if g, err := c.DescribeGroup(t.Context(), group); err != nil || g.State != "Dead" || len(g.Members) != 0 {
		t.Errorf("group before anything: %+v, %v", g, err)
	}
	p := producer(t, c, unique(t, "txn"), false)
	if err := p.Commit(t.Context(), unfenced(group, in, 7)); err != nil {
		t.Fatal(err)
	}
	if at, err := c.Committed(t.Context(), group, in, 0); err != nil || at.Offset != 7 || at.Metadata != "mark 7" {
		t.Errorf("committed %+v, %v", at, err)
	}
	if at, err := c.Committed(t.Context(), group, in, 1); err != nil || at.Exists {
		t.Errorf("the other partition: %+v, %v", at, err)
	}
	if all, err := c.Groups(t.Context()); err != nil || !slices.Contains(all, group) || !slices.IsSorted(all) {
		t.Errorf("groups %q, %v", all, err)
	}
	if err := c.DeleteOffsets(t.Context(), group, in, 2); err != nil {
		t.Fatal(err)
	}
	if at, err := c.Committed(t.Context(), group, in, 0); err != nil || at.Exists {
		t.Errorf("after deletion: %+v, %v", at, err)
	}
}

func TestGroupMembers(t *testing.T) {
	addrs := brokers(t)
	group := unique(t, "group")
	c := open(t, addrs)
	who := join(t, c, kafkawire.Membership{Group: group, Instance: "one"})
	g, err := c.DescribeGroup(t.Context(), group)
	if err != nil || g.State != "Stable" || len(g.Members) != 1 || g.Members[0].Instance != "one" ||
		g.Members[0].ID != who.Member ||
		g.Members[0].Client != "ebb-test" {
		t.Errorf("group %+v, %v", g, err)
	}
	if err := c.Heartbeat(t.Context(), who); err != nil {
		t.Errorf("heartbeat: %v", err)
	}
	if err := c.RemoveStatic(t.Context(), group, "nobody", "one"); err != nil {
		t.Errorf("remove: %v", err)
	}
	if err := c.Heartbeat(t.Context(), who); !errors.Is(err, pipeline.ErrFenced) {
		t.Errorf("heartbeat of one who was removed: %v", err)
	}
	who = join(t, c, kafkawire.Membership{Group: group, Instance: "one"})
	if err := c.Leave(t.Context(), who); err != nil {
		t.Errorf("leave: %v", err)
	}
	if g, err := c.DescribeGroup(t.Context(), group); err != nil || len(g.Members) != 0 {
		t.Errorf("group after leaving: %+v, %v", g, err)
	}
}
