//go:build integration

package linetest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestOpenTransactions leaves transactions open as a dead process does: on the input by a stranger, on the topics that
// ebb writes, and on the group's offsets. Whoever meets one says where it begins and what ends it, and goes on by
// itself once the brokers have ended it.
func TestOpenTransactions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.produce(events("shop", 1, shop(5, 200, 200)))
	g := w.group("run", redisAddress(), nil)
	g.run(nil, nil, "--until-end", "--leave").finish()
	end := w.ends()[0]
	dead := g.dies(8*time.Second, w.input, g.alerts, g.own()[0])

	check := start(t, nil, "check", "-c", g.config(nil))
	check.wait()
	said := check.stdout.String()
	for _, want := range []string{
		fmt.Sprintf("%s/0: a producer with the transactional id %s has a transaction open from offset %d on", w.input, dead, end),
		fmt.Sprintf("abort --topic %s --partition 0 --start-offset %d", w.input, end),
		"the brokers end it after 8s", "transaction_open", "control topic: " + g.own()[0] + "/0", "alert topic: " + g.alerts,
	} {
		if !strings.Contains(said, want) {
			t.Errorf("check does not say %q:\n%s", want, said)
		}
	}
	alerts := start(t, nil, "alerts", "-c", g.config(nil), "--until-end")
	if s := alerts.wait(); s.ExitStatus() != 0 || !strings.Contains(alerts.stderr.String(), "open transaction") {
		t.Errorf("alerts: status %d, says %s", s.ExitStatus(), alerts.stderr.String())
	}
}

// TestOpenOffsets: a dead process's transaction is about to move the group's offset. check and rebuild say so, wait,
// and go on.
func TestOpenOffsets(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"check": {"check"}, "rebuild": {"rebuild", "--from", "earliest", "--yes"}, "repair": {"repair", "--dry-run"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 1)
			w.produce(events("shop", 1, shop(5, 200, 200)))
			g := w.group("run", redisAddress(), nil)
			g.run(nil, nil, "--until-end", "--leave").finish()
			g.dies(6 * time.Second)
			p := start(t, nil, append(args, "-c", g.config(nil))...)
			s := p.wait()
			said := p.stderr.String()
			if name != "check" && s.ExitStatus() != 0 || !strings.Contains(said, "is held up by") ||
				!strings.Contains(said, "waiting") {
				t.Errorf("status %d\n%s\n%s", s.ExitStatus(), p.stdout.String(), said)
			}
			if all := p.stdout.String() + said; strings.Contains(all, "may READ") {
				t.Errorf("it asks for permissions:\n%s", all)
			}
		})
	}
}

// dies leaves a transaction open that has written to the topics and moves the group's offset, and returns its id.
func (g *group) dies(timeout time.Duration, topics ...string) (id string) {
	g.t.Helper()
	ctx, id := g.t.Context(), "dead-"+g.name
	c, err := kgo.NewClient(
		kgo.SeedBrokers(g.kafka), kgo.TransactionalID(id), kgo.TransactionTimeout(timeout),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
	)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(c.Close)
	if err := c.BeginTransaction(); err != nil {
		g.t.Fatal(err)
	}
	for _, topic := range topics {
		if err := c.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte("{}")}).FirstErr(); err != nil {
			g.t.Fatal(err)
		}
	}
	if len(topics) > 0 {
		return id
	}
	pid, epoch, err := c.ProducerID(ctx)
	if err != nil {
		g.t.Fatal(err)
	}
	add := kmsg.NewPtrAddOffsetsToTxnRequest()
	add.TransactionalID, add.ProducerID, add.ProducerEpoch, add.Group = id, pid, epoch, g.name
	if r, err := add.RequestWith(ctx, c); err != nil || r.ErrorCode != 0 {
		g.t.Fatalf("add offsets: %+v, %v", r, err)
	}
	move := kmsg.NewPtrTxnOffsetCommitRequest()
	move.TransactionalID, move.ProducerID, move.ProducerEpoch, move.Group, move.Generation = id, pid, epoch, g.name, -1
	topic, part := kmsg.NewTxnOffsetCommitRequestTopic(), kmsg.NewTxnOffsetCommitRequestTopicPartition()
	part.Offset = 1
	topic.Topic, topic.Partitions = g.input, append(topic.Partitions, part)
	move.Topics = append(move.Topics, topic)
	if r, err := move.RequestWith(ctx, c); err != nil || r.Topics[0].Partitions[0].ErrorCode != 0 {
		g.t.Fatalf("move the offset: %+v, %v", r, err)
	}
	return id
}
