package sinktest

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/pipeline/kafkawire"
	"ebb/sinks/delivery"
)

// partitions of the alert topic.
const partitions = 3

// world is a topic of alerts with a group that delivers them to a receiver.
type world struct {
	t           *testing.T
	brokers     []string
	session     time.Duration
	topic, dead string
	group       string
	receiver    *Receiver
	subject     Subject
	client      *kgo.Client // sends alerts in transactions, as ebb does
	admin       *kadm.Client
	sent        map[string][]string // ids by customer, in order
	bodies      map[string]string   // by id
	maxPause    time.Duration
}

func newWorld(t *testing.T, s *Settings) *world {
	t.Helper()
	name := "alerts-" + strings.ToLower(rand.Text()[:10])
	w := &world{
		t: t, brokers: s.Brokers, session: s.Session, topic: name, dead: name + ".dlq", group: name + ".deliver",
		receiver: NewReceiver(), sent: map[string][]string{}, bodies: map[string]string{}, maxPause: 40 * time.Millisecond,
	}
	w.subject = s.Open(t, w.receiver)
	var err error
	w.client, err = kgo.NewClient(kgo.SeedBrokers(s.Brokers...), kgo.TransactionalID(name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.client.Close)
	admin, err := kgo.NewClient(kgo.SeedBrokers(s.Brokers...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(admin.Close)
	w.admin = kadm.NewClient(admin)
	forever := "-1"
	created, err := w.admin.CreateTopics(
		t.Context(),
		partitions,
		1,
		map[string]*string{"retention.ms": &forever},
		name,
		w.dead,
	)
	if err == nil {
		err = created.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
	after := context.WithoutCancel(t.Context())
	t.Cleanup(func() { _, _ = w.admin.DeleteTopics(after, name, w.dead) })
	return w
}

// send publishes n alerts of each customer in one transaction, customer by customer in turns. expires zero: they end
// episodes. committed false: the transaction is aborted, and nothing of it must be delivered.
func (w *world) send(customers, n int, expires time.Time, committed bool) {
	w.t.Helper()
	if err := w.client.BeginTransaction(); err != nil {
		w.t.Fatal(err)
	}
	for range n {
		for c := range customers {
			customer := fmt.Sprintf("customer-%d", c)
			id := strings.ToLower(rand.Text())
			body := fmt.Sprintf(`{"id": %q, "customer": %q}`, id, customer)
			if !expires.IsZero() {
				body = fmt.Sprintf(`{"id": %q, "customer": %q, "expires_at": %q}`, id, customer,
					expires.UTC().Format("2006-01-02T15:04:05.000Z"))
			}
			record := &kgo.Record{Topic: w.topic, Key: []byte(customer), Value: []byte(body)}
			if err := w.client.ProduceSync(w.t.Context(), record).FirstErr(); err != nil {
				w.t.Fatal(err)
			}
			if committed {
				w.sent[customer] = append(w.sent[customer], id)
				w.bodies[id] = body
			}
		}
	}
	how := kgo.TryCommit
	if !committed {
		how = kgo.TryAbort
	}
	if err := w.client.EndTransaction(w.t.Context(), how); err != nil {
		w.t.Fatal(err)
	}
}

// total is how many alerts were sent.
func (w *world) total() int { return len(w.bodies) }

// member is a running member of the group.
type member struct {
	*delivery.Member
	kill  context.CancelFunc
	ended chan error
}

// start starts a member under an instance id, which one that was killed before may have had.
func (w *world) start(instance string) *member {
	w.t.Helper()
	client, err := kafkawire.Open(kafkawire.Config{
		Brokers: w.brokers, ClientID: "ebb-test", Topics: []string{w.topic, w.dead},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	m, err := delivery.NewMember(delivery.MemberConfig{
		Client: client, Group: w.group, Topic: w.topic, Instance: instance, DeadLetters: w.dead,
		Destination: w.subject.Destination(), Session: w.session, Heartbeat: w.session / 10, MaxPause: w.maxPause,
		LookEvery: 200 * time.Millisecond,
		Metrics:   delivery.NewMetrics(prometheus.NewRegistry(), nil), Logger: zerolog.Nop(),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context())) // until it is killed
	run := &member{Member: m, kill: cancel, ended: make(chan error, 1)}
	go func() {
		defer client.Close()
		run.ended <- m.Run(ctx)
	}()
	w.t.Cleanup(cancel)
	return run
}

// stop ends a member as SIGTERM does.
func (w *world) stop(m *member) {
	w.t.Helper()
	m.Drain()
	select {
	case err := <-m.ended:
		if err != nil {
			w.t.Errorf("the member ended with %v", err)
		}
	case <-time.After(patience):
		w.t.Fatal("the member does not end")
	}
}

const patience = 60 * time.Second

// eventually fails the test if the condition is not met in time.
func (w *world) eventually(what string, met func() bool) {
	w.t.Helper()
	deadline := time.Now().Add(patience)
	for !met() {
		if time.Now().After(deadline) {
			w.t.Fatalf("not after %v: %s", patience, what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// delivered waits until n alerts have taken effect.
func (w *world) delivered(n int) {
	w.t.Helper()
	w.eventually(fmt.Sprintf("%d alerts have taken effect", n), func() bool { return len(w.receiver.Effects()) >= n })
}

// left is how many offsets lie between the group's and the end of the log; those of markers among them.
func (w *world) left() (n int64) {
	w.t.Helper()
	offsets, err := w.admin.FetchOffsets(w.t.Context(), w.group)
	if err != nil {
		w.t.Fatal(err)
	}
	ends, err := w.admin.ListEndOffsets(w.t.Context(), w.topic)
	if err != nil {
		w.t.Fatal(err)
	}
	ends.Each(func(e kadm.ListedOffset) {
		at, _ := offsets.Lookup(w.topic, e.Partition)
		n += e.Offset - max(0, at.At)
	})
	return n
}

// check compares what has taken effect, in order for each customer, with what was sent but for what was given up.
func (w *world) check(given map[string]bool) {
	w.t.Helper()
	customers := map[string]string{}
	for customer, ids := range w.sent {
		for _, id := range ids {
			customers[id] = customer
		}
	}
	got := map[string][]string{}
	for _, e := range w.receiver.Effects() {
		customer := customers[e.ID]
		if customer == "" {
			w.t.Errorf("%s was never published, and has taken effect", e.ID)
		}
		if string(e.Body) != w.bodies[e.ID] {
			w.t.Errorf("%s came as %s", e.ID, e.Body)
		}
		got[customer] = append(got[customer], e.ID)
	}
	for customer, ids := range w.sent {
		want := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return given[id] })
		seen := slices.DeleteFunc(slices.Clone(got[customer]), func(id string) bool { return given[id] })
		if !slices.Equal(want, seen) {
			w.t.Errorf("%s: published %v, took effect %v", customer, want, seen)
		}
	}
}

// letter is a dead letter as an independent reader gets it.
type letter struct {
	id      string
	headers map[string]string
}

// letters reads all committed dead letters.
func (w *world) letters() (all []letter) {
	w.t.Helper()
	ends, err := w.admin.ListCommittedOffsets(w.t.Context(), w.dead)
	if err != nil {
		w.t.Fatal(err)
	}
	left := int64(0)
	ends.Each(func(e kadm.ListedOffset) { left += e.Offset })
	if left == 0 {
		return nil
	}
	c, err := kgo.NewClient(kgo.SeedBrokers(w.brokers...), kgo.ConsumeTopics(w.dead), kgo.KeepControlRecords(),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		w.t.Fatal(err)
	}
	defer c.Close()
	next := map[int32]int64{}
	reached := func() (n int64) {
		for _, o := range next {
			n += o
		}
		return n
	}
	for reached() < left {
		fetches := c.PollFetches(w.t.Context())
		if err := fetches.Err(); err != nil {
			w.t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			next[r.Partition] = r.Offset + 1
			if r.Attrs.IsControl() {
				return
			}
			l := letter{headers: map[string]string{}}
			for id, body := range w.bodies {
				if body == string(r.Value) {
					l.id = id
				}
			}
			for _, h := range r.Headers {
				l.headers[h.Key] = string(h.Value)
			}
			all = append(all, l)
		})
	}
	return all
}
