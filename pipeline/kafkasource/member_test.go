package kafkasource_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/pipeline"
	"ebb/pipeline/kafkasource"
	"ebb/pipeline/linetest/cluster"
)

func TestMemberAloneOwnsEverything(t *testing.T) {
	w := newWorld(t, 3)
	m := w.start("one")
	g := settle(t, 3, m)[0]
	if diff := cmp.Diff([]int32{0, 1, 2}, g.Partitions); diff != "" {
		t.Errorf("partitions (-want +got):\n%s", diff)
	}
	if err := g.Confirm(t.Context()); err != nil {
		t.Errorf("confirm: %v", err)
	}
}

// TestMembersShare adds members and removes one: each time all partitions are dealt again in the order of instance ids.
func TestMembersShare(t *testing.T) {
	w := newWorld(t, 5)
	b := w.start("b")
	settle(t, 5, b)
	a := w.start("a")
	settle(t, 5, a, b)
	c := w.start("c")
	got := settle(t, 5, a, b, c)
	want := [][]int32{{0, 1}, {2, 3}, {4}}
	for i, g := range got {
		if diff := cmp.Diff(want[i], g.Partitions); diff != "" {
			t.Errorf("member %d of three (-want +got):\n%s", i, diff)
		}
	}
	b.Drain()
	if err := await(t, b.ended, "end"); err != nil {
		t.Errorf("run after drain: %v", err)
	}
	if err := b.Leave(t.Context()); err != nil {
		t.Errorf("leave: %v", err)
	}
	settle(t, 5, a, c)
	for _, m := range []*running{a, b, c} {
		if len(m.lost) > 0 {
			t.Error("a generation was lost where all were revoked")
		}
	}
}

// TestMemberMoreThanPartitions leaves members without work waiting in the group.
func TestMemberMoreThanPartitions(t *testing.T) {
	w := newWorld(t, 1)
	a, b := w.start("a"), w.start("b")
	got := settle(t, 1, a, b)
	if len(got[1].Partitions) != 0 {
		t.Errorf("b owns %v", got[1].Partitions)
	}
	a.kill()
	settle(t, 1, b) // when a's session has ended
}

// TestMemberKilledComesBack restarts a member within its session: it gets the same partitions in the same generation,
// nothing happens to the others, and requests of the old process are refused.
func TestMemberKilledComesBack(t *testing.T) {
	w := newWorld(t, 4)
	a, b := w.start("a"), w.start("b")
	before := settle(t, 4, a, b)
	for _, killed := range []*running{a, b} { // the leader of the group and another
		count := a.count.Load() + b.count.Load()
		old := killed.latest.Load()
		killed.kill()
		if err := await(t, killed.ended, "end"); !errors.Is(err, context.Canceled) {
			t.Errorf("run ended by its context: %v", err)
		}
		began := time.Now()
		heir := w.start(killed.config.Instance)
		eventually(t, "it is back", func() bool { return heir.latest.Load() != nil })
		got := heir.latest.Load()
		if took := time.Since(began); took > cluster.Session/2 {
			t.Errorf("back after %v", took)
		}
		if got.Generation != before[0].Generation {
			t.Errorf("generation %d instead of %d", got.Generation, before[0].Generation)
		}
		if diff := cmp.Diff(old.Partitions, got.Partitions); diff != "" {
			t.Errorf("partitions (-before +after):\n%s", diff)
		}
		if err := old.Confirm(t.Context()); !errors.Is(err, pipeline.ErrFenced) {
			t.Errorf("the old one is told: %v", err)
		}
		if err := got.Confirm(t.Context()); err != nil {
			t.Errorf("the new one is told: %v", err)
		}
		if now := a.count.Load() + b.count.Load(); now != count {
			t.Errorf("others went through %d generations", now-count)
		}
	}
}

// TestMemberCutOff: a member loses its generation when no heartbeat is acknowledged for a session, before or when
// others take over, and joins again when the network is back.
func TestMemberCutOff(t *testing.T) {
	w := newWorld(t, 4)
	network := new(cable)
	a, b := w.startWith("a", network, nil), w.start("b")
	settle(t, 4, a, b)
	network.set(true)
	lost := await(t, a.lost, "loss")
	const lostIt = "generation lost, stopped without committing"
	eventually(t, "the log says so", func() bool { return a.log.lines(lostIt) > 0 }) // its function gets it before the log
	if a.log.lines(lostIt) != 1 || a.log.lines("no heartbeat acknowledged") != 1 {
		t.Error("the log does not say once that the generation is lost, and why")
	}
	settle(t, 4, b)
	network.set(false)
	settle(t, 4, a, b)
	if err := lost.Confirm(t.Context()); !errors.Is(err, pipeline.ErrFenced) {
		t.Errorf("the lost generation is told: %v", err)
	}
}

// TestMemberFinishesWhenRevoked: a revoked member has all the time that it needs, beyond a session, while it sends
// heartbeats.
func TestMemberFinishesWhenRevoked(t *testing.T) {
	w := newWorld(t, 2)
	confirmed, done := make(chan error, 10), make(chan struct{})
	a := w.startWith("a", nil, func(g *kafkasource.Generation) {
		for end := time.After(cluster.Session * 3 / 2); ; {
			confirmed <- g.Confirm(t.Context()) // still the member's
			select {
			case <-end:
				close(done)
				return
			case <-time.After(cluster.Session / 4):
			}
		}
	})
	settle(t, 2, a)
	b := w.start("b")
	await(t, done, "end of the work")
	for len(confirmed) > 0 {
		if err := <-confirmed; err != nil {
			t.Errorf("confirm while a rebalance waits: %v", err)
		}
	}
	settle(t, 2, a, b)
	if a.log.lines("generation lost") > 0 {
		t.Error("lost while it finished")
	}
}

// TestMemberInstanceTaken: of two processes with one id the later one waits, says so once, and goes on when the earlier
// one has left. Neither ends.
func TestMemberInstanceTaken(t *testing.T) {
	w := newWorld(t, 2)
	a := w.start("same")
	settle(t, 2, a)
	b := w.start("same")
	eventually(t, "the later one waits", func() bool { return strings.Contains(b.Waits(), "instance_id_taken") })
	eventually(t, "the earlier one has its place", func() bool {
		g, err := w.client.DescribeGroup(t.Context(), w.group)
		return err == nil && g.State == "Stable" && len(g.Members) == 1 && g.Members[0].ID == a.latest.Load().Member
	})
	<-time.After(2 * cluster.Session) // and keeps it
	if n := b.log.lines("another process has this instance id"); n != 1 || len(a.ended)+len(b.ended) > 0 {
		t.Errorf("said %d times; ended: %d, %d", n, len(a.ended), len(b.ended))
	}
	if err := a.latest.Load().Confirm(t.Context()); err != nil {
		t.Errorf("the earlier one: %v", err)
	}
	a.Drain()
	if err := await(t, a.ended, "end"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the later one goes on", func() bool {
		g, err := w.client.DescribeGroup(t.Context(), w.group)
		return err == nil && len(g.Members) == 1 && g.Members[0].ID == b.latest.Load().Member && b.Waits() == ""
	})
}

// TestMemberDrainStaysInTheGroup: a drained member keeps its place for a restart, and Leave gives it up.
func TestMemberDrainStaysInTheGroup(t *testing.T) {
	w := newWorld(t, 2)
	m := w.start("one")
	settle(t, 2, m)
	m.Drain()
	m.Drain()
	if err := await(t, m.ended, "end"); err != nil {
		t.Fatal(err)
	}
	members := func() int {
		g, err := w.client.DescribeGroup(t.Context(), w.group)
		if err != nil {
			t.Fatal(err)
		}
		return len(g.Members)
	}
	if n := members(); n != 1 {
		t.Errorf("%d members after draining", n)
	}
	if err := m.Leave(t.Context()); err != nil {
		t.Error(err)
	}
	if n := members(); n != 0 {
		t.Errorf("%d members after leaving", n)
	}
}

// TestMemberDrainBeforeJoining ends the wait for brokers.
func TestMemberDrainBeforeJoining(t *testing.T) {
	w := newWorld(t, 2)
	network := new(cable)
	network.set(true)
	m := w.startWith("one", network, nil)
	m.Drain()
	if err := await(t, m.ended, "end"); err != nil || m.latest.Load() != nil {
		t.Errorf("run: %v", err)
	}
	if err := m.Leave(t.Context()); err != nil {
		t.Errorf("leave without having joined: %v", err)
	}
}

func TestMemberOwnEndsRun(t *testing.T) {
	w := newWorld(t, 1)
	wrong := errors.New("wrong")
	for _, want := range []error{nil, wrong} {
		m, err := kafkasource.NewMember(kafkasource.MemberConfig{
			Client:    w.client,
			Group:     w.group,
			Topic:     w.topic,
			Instance:  "one",
			Session:   cluster.Session,
			Heartbeat: cluster.Session / 10,
			Logger:    zerolog.Nop(),
		})
		if err != nil {
			t.Fatal(err)
		}
		err = m.Run(t.Context(), func(context.Context, *kafkasource.Generation) error { return want })
		if !errors.Is(err, want) {
			t.Errorf("own returned %v, run %v", want, err)
		}
	}
}

// TestMemberAmongStrangers refuses a group that another program uses, with what to do.
func TestMemberAmongStrangers(t *testing.T) {
	w := newWorld(t, 1)
	other, err := kgo.NewClient(
		kgo.SeedBrokers(w.addrs...),
		kgo.ConsumerGroup(w.group),
		kgo.ConsumeTopics(w.topic),
		kgo.Balancers(kgo.CooperativeStickyBalancer()),
	)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	eventually(t, "the other program is there", func() bool {
		g, err := w.client.DescribeGroup(t.Context(), w.group)
		return err == nil && g.State == "Stable"
	})
	m := w.start("one")
	err = await(t, m.ended, "end")
	if hard := new(pipeline.HardStop); !errors.As(err, &hard) || hard.Code != "group_taken" {
		t.Errorf("error %v", err)
	}
}

// TestMemberDescribed lets another program's tools read the members' metadata.
func TestMemberDescribed(t *testing.T) {
	w := newWorld(t, 3)
	a, b := w.start("a"), w.start("b")
	settle(t, 3, a, b)
	other, err := kgo.NewClient(kgo.SeedBrokers(w.addrs...))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	groups, err := kadm.NewClient(other).DescribeGroups(t.Context(), w.group)
	if err != nil {
		t.Fatal(err)
	}
	g := groups[w.group]
	if g.State != "Stable" || g.ProtocolType != "consumer" || g.Protocol != "ebb-range-1" || len(g.Members) != 2 {
		t.Fatalf("group %+v", g)
	}
	got := make(map[string][]int32)
	for _, m := range g.Members {
		sub, ok1 := m.Join.AsConsumer()
		part, ok2 := m.Assigned.AsConsumer()
		if !ok1 || !ok2 || len(sub.Topics) != 1 || sub.Topics[0] != w.topic || m.InstanceID == nil {
			t.Fatalf("member %+v", m)
		}
		got[*m.InstanceID] = part.Topics[0].Partitions
	}
	if diff := cmp.Diff(map[string][]int32{"a": {0, 1}, "b": {2}}, got); diff != "" {
		t.Errorf("assigned (-want +got):\n%s", diff)
	}
}

func TestMemberConfigValidate(t *testing.T) {
	w := newWorld(t, 1)
	good := kafkasource.MemberConfig{Client: w.client, Group: "g", Topic: "t", Instance: "i"}
	for name, c := range map[string]struct {
		change func(*kafkasource.MemberConfig)
		ok     bool
	}{
		"defaults":    {func(*kafkasource.MemberConfig) {}, true},
		"no instance": {func(c *kafkasource.MemberConfig) { c.Instance = "" }, false},
		"no client":   {func(c *kafkasource.MemberConfig) { c.Client = nil }, false},
		"three heartbeats": {
			func(c *kafkasource.MemberConfig) { c.Session, c.Heartbeat = 3*time.Second, time.Second },
			true,
		},
		"too few heartbeats": {
			func(c *kafkasource.MemberConfig) { c.Session, c.Heartbeat = 2*time.Second, time.Second },
			false,
		},
		"rebalance too short": {func(c *kafkasource.MemberConfig) { c.Rebalance = 9 * time.Second }, false},
	} {
		cfg := good
		c.change(&cfg)
		if _, err := kafkasource.NewMember(cfg); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
