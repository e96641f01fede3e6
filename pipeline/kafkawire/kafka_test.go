package kafkawire_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/pipeline"
	"ebb/pipeline/kafkabatch"
	"ebb/pipeline/kafkawire"
)

// unique makes a name that no other test on the same cluster has.
func unique(t testing.TB, what string) string {
	t.Helper()
	name := strings.NewReplacer("/", "-", "=", "-", "#", "-").Replace(t.Name())
	return fmt.Sprintf("%s-%s-%s", what, name[:min(len(name), 60)], rand.Text()[:8])
}

// open makes a client of the brokers for the topics.
func open(t testing.TB, addrs []string, topics ...string) *kafkawire.Client {
	t.Helper()
	c, err := kafkawire.Open(kafkawire.Config{Brokers: addrs, ClientID: "ebb-test", Topics: topics})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// create makes a topic.
func create(t testing.TB, c *kafkawire.Client, name string, partitions int32, configs ...string) {
	t.Helper()
	topic := kafkawire.NewTopic{
		Name:       name,
		Partitions: partitions,
		Replicas:   1,
		Configs:    map[string]string{"retention.ms": "-1"},
	}
	for i := 0; i < len(configs); i += 2 {
		topic.Configs[configs[i]] = configs[i+1]
	}
	if err := c.CreateTopic(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
}

// writer is franz-go writing to one partition of its default topic.
func writer(t testing.TB, addrs []string, topic string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	opts = append([]kgo.Opt{
		kgo.SeedBrokers(addrs...), kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
	}, opts...)
	w, err := kgo.NewClient(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

// write writes values, each with a key that says its number.
func write(t testing.TB, w *kgo.Client, values ...string) {
	t.Helper()
	records := make([]*kgo.Record, len(values))
	for i, v := range values {
		records[i] = &kgo.Record{
			Key:       []byte("k-" + v),
			Value:     []byte(v),
			Timestamp: time.UnixMilli(1_700_000_000_000 + int64(i)),
		}
	}
	if err := w.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// fetcher reads partition 0 of topic.
func fetcher(t testing.TB, c *kafkawire.Client, topic string) *kafkawire.Fetcher {
	t.Helper()
	f, err := c.NewFetcher(kafkawire.FetchConfig{Topic: topic, MaxWait: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

// read fetches from offset on until next is reached and returns the values.
func read(t testing.TB, f *kafkawire.Fetcher, offset, next int64) (values []string) {
	t.Helper()
	var got pipeline.Fetched
	for deadline := time.Now().Add(20 * time.Second); offset < next; offset = got.Next {
		if time.Now().After(deadline) {
			t.Fatalf("at offset %d after 20 s, want %d; values so far: %q", offset, next, values)
		}
		if err := f.Fetch(t.Context(), offset, &got); err != nil {
			t.Fatal(err)
		}
		for _, r := range got.Records {
			values = append(values, string(r.Value))
		}
	}
	return values
}

// committed reads everything committed in topic with franz-go: the independent reader.
func committed(t testing.TB, addrs []string, topic string, want int) []*kgo.Record {
	t.Helper()
	r, err := kgo.NewClient(
		kgo.SeedBrokers(addrs...),
		kgo.ConsumeTopics(topic),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var out []*kgo.Record
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for len(out) < want {
		polled := r.PollFetches(ctx)
		if err := polled.Err(); err != nil {
			t.Fatalf("%d of %d records: %v", len(out), want, err)
		}
		out = append(out, polled.Records()...)
	}
	return out
}

// valuesOf is the values of everything committed in topic.
func valuesOf(t testing.TB, addrs []string, topic string, want int) (out []string) {
	t.Helper()
	for _, r := range committed(t, addrs, topic, want) {
		out = append(out, string(r.Value))
	}
	return out
}

// text is a record for partition 0 of topic.
func text(topic, value string) pipeline.Outgoing {
	return pipeline.Outgoing{Topic: topic, Value: []byte(value), Timestamp: 1_700_000_000_000}
}

// join takes a member through join and sync, as the only one of its group.
func join(t testing.TB, c *kafkawire.Client, who kafkawire.Membership) kafkawire.Membership {
	t.Helper()
	j := kafkawire.Join{
		Membership: who,
		Protocols:  []string{"test"},
		Session:    30 * time.Second,
		Rebalance:  30 * time.Second,
	}
	joined, err := c.Join(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	dealt := map[string][]byte{joined.Member: []byte("all")}
	if joined.Settled {
		dealt = nil
	}
	if _, err := c.Sync(t.Context(), j, joined, dealt); err != nil {
		t.Fatal(err)
	}
	return joined.Membership
}

// list is the headers in b as pairs; a null value shows as "<null>".
func list(b []byte) (out [][2]string) {
	for key, value := range kafkabatch.Headers(b) {
		v := string(value)
		if value == nil {
			v = "<null>"
		}
		out = append(out, [2]string{string(key), v})
	}
	return out
}
