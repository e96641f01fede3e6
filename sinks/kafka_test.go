package sinks_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"

	"ebb/pipeline"
	"ebb/pipeline/kafkasource"
	"ebb/pipeline/kafkawire"
	"ebb/pipeline/linetest/cluster"
	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/pack"
	"ebb/sinks"
	"ebb/sinks/format"
)

// world is a cluster with the topics of one group.
type world struct {
	t                         *testing.T
	addrs                     []string
	client                    *kafkawire.Client
	group, input, alerts, dlq string
}

func newWorld(t *testing.T, addrs []string) *world {
	t.Helper()
	w := &world{t: t, addrs: addrs, group: "group-" + rand.Text(), input: "in-" + rand.Text()}
	w.alerts, w.dlq = w.input+".alerts", w.input+".dlq"
	w.client = w.open()
	for _, topic := range []string{w.input, w.alerts, w.dlq} {
		err := w.client.CreateTopic(t.Context(), kafkawire.NewTopic{
			Name: topic, Partitions: 2, Replicas: 1, Configs: map[string]string{"retention.ms": "-1"},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w *world) open() *kafkawire.Client {
	w.t.Helper()
	c, err := kafkawire.Open(
		kafkawire.Config{Brokers: w.addrs, ClientID: "ebb-test", Topics: []string{w.input, w.alerts, w.dlq}},
	)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(c.Close)
	return c
}

// member runs a member of the group until the test ends and sends its generations. When one is revoked, finish is
// called.
func (w *world) member(instance string, finish func(g *kafkasource.Generation)) <-chan *kafkasource.Generation {
	w.t.Helper()
	m, err := kafkasource.NewMember(kafkasource.MemberConfig{
		Client:    w.open(),
		Group:     w.group,
		Topic:     w.input,
		Instance:  instance,
		Session:   cluster.Session,
		Heartbeat: cluster.Session / 10,
		Logger:    zerolog.Nop(),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	generations, done := make(chan *kafkasource.Generation, 10), make(chan struct{})
	go func() {
		defer close(done)
		_ = m.Run(ctx, func(lost context.Context, g *kafkasource.Generation) error {
			generations <- g
			select {
			case <-g.Revoked:
				finish(g)
			case <-lost.Done():
				<-ctx.Done() // or it would join anew, and take the place of whoever had taken its own
			}
			return nil
		})
	}()
	w.t.Cleanup(func() {
		cancel()
		<-done
	})
	return generations
}

func await[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(30 * time.Second):
		t.Fatal("nothing after 30 s")
		panic("unreachable")
	}
}

// log is what an owner of partition 1 works with.
type log struct {
	*kafkasource.Partition
	*sinks.Kafka
}

var _ pipeline.Log = log{}

func (w *world) log(g *kafkasource.Generation) log {
	w.t.Helper()
	p, err := kafkasource.NewPartition(
		kafkasource.PartitionConfig{
			Client:    w.client,
			Group:     w.group,
			Topic:     w.input,
			Partition: 1,
			Confirm:   g.Confirm,
			MaxWait:   10 * time.Millisecond,
		},
	)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(p.Close)
	k, err := sinks.NewKafka(
		sinks.KafkaConfig{Client: w.client, Membership: g.Membership, Topic: w.input, Partition: 1, Confirm: g.Confirm},
	)
	if err != nil {
		w.t.Fatal(err)
	}
	return log{p, k}
}

// publication is an alert up to offset, whose episode has that number, and with it the records given.
func (w *world) publication(offset int64, with ...pipeline.Outgoing) *pipeline.Publication {
	out := render(numbered(offset), nil)
	out.Topic = w.alerts
	return &pipeline.Publication{
		Offset:   offset,
		Metadata: fmt.Sprint("mark ", offset),
		Records:  slices.Values(append(with, out)),
	}
}

// numbered is an outbox entry of a customer whose name is not plain ASCII, about the episode of that number.
func numbered(n int64) *pipeline.Entry {
	p, err := pack.Load("any", nil, pack.Overrides{})
	if err != nil {
		panic(err)
	}
	e := &pipeline.Entry{
		Kind:   pipeline.EntryAlert,
		Offset: 17,
		Key:    pipeline.AppendKey(nil, []byte("acme"), []byte("Zoë/1")),
		By:     alert.NewRenderer(p),
	}
	e.Alert.Transition, e.Alert.At, e.Alert.Episode = scoring.Raised, 1_700_000_040_005, uint32(n)
	e.Alert.Tenant, e.Alert.Customer = pipeline.SplitKey(e.Key)
	return e
}

// render gives the record alone.
func render(e *pipeline.Entry, record *pipeline.Record) pipeline.Outgoing {
	renderer := format.Renderer{Group: "ebb", Input: "shop.events", Source: format.Source("ebb", "shop.events")}
	out, _ := renderer.Render(nil, e, record)
	return out
}

func value(n int64) string { return string(render(numbered(n), nil).Value) }

// committed reads n committed records of a topic with franz-go.
func (w *world) committed(topic string, n int) (out []*kgo.Record) {
	w.t.Helper()
	c, err := kgo.NewClient(
		kgo.SeedBrokers(w.addrs...),
		kgo.ConsumeTopics(topic),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	)
	if err != nil {
		w.t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	for len(out) < n {
		polled := c.PollFetches(ctx)
		if err := polled.Err(); err != nil {
			w.t.Fatalf("%d of %d records: %v", len(out), n, err)
		}
		out = append(out, polled.Records()...)
	}
	return out
}

func (w *world) values(topic string, n int) (out []string) {
	w.t.Helper()
	for _, r := range w.committed(topic, n) {
		out = append(out, string(r.Value))
	}
	return out
}

// TestLogPublishes takes a partition over, quarantines what it reads there, and raises an alert.
func TestLogPublishes(t *testing.T) {
	w := newWorld(t, cluster.Brokers(t))
	in, err := kgo.NewClient(kgo.SeedBrokers(w.addrs...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	poison := &kgo.Record{
		Topic: w.input, Partition: 1, Key: nil, Value: []byte{0xff, 0}, Timestamp: time.UnixMilli(1_400_000_000_000),
		Headers: []kgo.RecordHeader{{Key: "own", Value: []byte("1")}},
	}
	if err := in.ProduceSync(t.Context(), poison).FirstErr(); err != nil {
		t.Fatal(err)
	}
	g := await(t, w.member("one", func(*kafkasource.Generation) {}))
	l := w.log(g)
	if err := l.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	var fetched pipeline.Fetched
	if err := l.Fetch(t.Context(), 0, &fetched); err != nil || len(fetched.Records) != 1 {
		t.Fatalf("%d records, %v", len(fetched.Records), err)
	}
	dead := render(&pipeline.Entry{Kind: pipeline.EntryQuarantine, Code: pipeline.NotJSON}, &fetched.Records[0])
	dead.Topic = w.dlq
	if err := l.Publish(t.Context(), w.publication(1, dead)); err != nil {
		t.Fatal(err)
	}
	got, err := l.Position(t.Context())
	diff := cmp.Diff(pipeline.Position{Committed: true, Offset: 1, Metadata: "mark 1", End: 1}, got)
	if err != nil || diff != "" {
		t.Errorf("position: %v (-want +got):\n%s", err, diff)
	}
	a := w.committed(w.alerts, 1)[0]
	if string(a.Key) != "Zoë/1" || string(a.Value) != value(1) || a.Partition != kafkawire.Partition(a.Key, 2) ||
		a.Timestamp.UnixMilli() != 1_700_000_040_005 {
		t.Errorf("alert %+v", a)
	}
	d := w.committed(w.dlq, 1)[0]
	if d.Key != nil || string(d.Value) != "\xff\x00" || d.Timestamp.UnixMilli() != 1_400_000_000_000 ||
		d.Partition != 1 ||
		d.Headers[0].Key != "own" ||
		len(d.Headers) != 8 {
		t.Errorf("dead letter %+v", d)
	}
}

// TestLogOfReplacedMember is refused at every step, and what it had open is not published.
func TestLogOfReplacedMember(t *testing.T) {
	w := newWorld(t, cluster.Brokers(t))
	old := w.log(await(t, w.member("one", func(*kafkasource.Generation) {})))
	if err := old.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := old.Publish(t.Context(), w.publication(1)); err != nil {
		t.Fatal(err)
	}
	heir := w.log(await(t, w.member("one", func(*kafkasource.Generation) {}))) // the same instance, started again
	if err := old.Publish(t.Context(), w.publication(2)); !errors.Is(err, pipeline.ErrFenced) {
		t.Errorf("publish before the heir's init: %v", err)
	}
	if err := heir.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := old.Init(t.Context()); !errors.Is(err, pipeline.ErrFenced) {
		t.Errorf("init: %v", err)
	}
	if err := old.Publish(t.Context(), w.publication(2)); err == nil {
		t.Error("published after a failed init")
	}
	if err := heir.Publish(t.Context(), w.publication(3)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{value(1), value(3)}, w.values(w.alerts, 2)); diff != "" {
		t.Errorf("alerts (-want +got):\n%s", diff)
	}
}

// TestLogPublishesWhileRevoked finishes its work under the generation that is about to end.
func TestLogPublishesWhileRevoked(t *testing.T) {
	w := newWorld(t, cluster.Brokers(t))
	published := make(chan error, 10)
	first := w.member("one", func(g *kafkasource.Generation) {
		l := w.log(g)
		published <- errors.Join(l.Init(t.Context()), l.Publish(t.Context(), w.publication(5)))
	})
	await(t, first)
	second := w.member("two", func(*kafkasource.Generation) {})
	if err := await(t, published); err != nil {
		t.Errorf("publish while a rebalance waits: %v", err)
	}
	if got, err := w.log(await(t, second)).Position(t.Context()); err != nil || got.Offset != 5 {
		t.Errorf("position %+v, %v", got, err)
	}
}

func TestNewKafkaWantsEverything(t *testing.T) {
	c, err := kafkawire.Open(kafkawire.Config{Brokers: []string{"127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	confirm := func(context.Context) error { return nil }
	who := kafkawire.Membership{Group: "g"}
	for name, cfg := range map[string]sinks.KafkaConfig{
		"no client":        {Membership: who, Topic: "t", Confirm: confirm},
		"no group":         {Client: c, Topic: "t", Confirm: confirm},
		"no topic":         {Client: c, Membership: who, Confirm: confirm},
		"no confirm":       {Client: c, Membership: who, Topic: "t"},
		"negative timeout": {Client: c, Membership: who, Topic: "t", Confirm: confirm, Timeout: -1},
	} {
		if _, err := sinks.NewKafka(cfg); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// TestTransactionalIDTellsApart draws groups with anything in them and topics as Kafka allows them.
func TestTransactionalIDTellsApart(t *testing.T) {
	topic := rapid.StringMatching(`[a-zA-Z0-9._-]{1,6}`)
	group := rapid.StringOfN(rapid.RuneFrom([]rune("ab/0."), unicode.Digit), 1, 6, -1)
	partition := rapid.Int32Range(0, 20)
	type parts struct {
		group, topic string
		partition    int32
	}
	draw := func(r *rapid.T, n string) parts {
		return parts{group.Draw(r, "group "+n), topic.Draw(r, "topic "+n), partition.Draw(r, "partition "+n)}
	}
	rapid.Check(t, func(r *rapid.T) {
		a, b := draw(r, "a"), draw(r, "b")
		ida, idb := sinks.TransactionalID(a.group, a.topic, a.partition), sinks.TransactionalID(b.group, b.topic, b.partition)
		if (a == b) != (ida == idb) {
			r.Errorf("%+v has %s, %+v has %s", a, ida, b, idb)
		}
	})
}
