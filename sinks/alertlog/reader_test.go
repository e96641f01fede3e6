package alertlog_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/pipeline/kafkawire"
	"ebb/sinks/alertlog"
)

const partitions = 3

// published starts a cluster whose topic "alerts" holds these values, spread over its partitions, and a tombstone in
// each.
func published(t *testing.T, values ...string) (*kfake.Cluster, *kafkawire.Client) {
	t.Helper()
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(partitions, "alerts"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Close)
	w, err := kgo.NewClient(kgo.SeedBrokers(kafka.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	for i, v := range values {
		r := &kgo.Record{Topic: "alerts", Partition: int32(i % partitions), Value: []byte(v)}
		tombstone := &kgo.Record{Topic: "alerts", Partition: r.Partition, Key: []byte("gone")}
		if err := w.ProduceSync(t.Context(), tombstone, r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	client, err := kafkawire.Open(
		kafkawire.Config{Brokers: kafka.ListenAddrs(), ClientID: "test", Topics: []string{"alerts"}},
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return kafka, client
}

// TestReadsEveryPartition to its end, whatever the first answers of new leaders say, and each value once.
func TestReadsEveryPartition(t *testing.T) {
	var want []string
	for i := range 10 {
		want = append(want, fmt.Sprint("alert ", i))
	}
	kafka, client := published(t, want...)
	asked := map[int32]int{}
	kafka.ControlKey(int16(kmsg.Fetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		kafka.KeepControl()
		req := r.(*kmsg.FetchRequest)
		of := req.Topics[0].Partitions[0]
		if asked[of.Partition]++; asked[of.Partition] > 2 {
			return nil, nil, false
		}
		res := req.ResponseKind().(*kmsg.FetchResponse)
		topic, p := kmsg.NewFetchResponseTopic(), kmsg.NewFetchResponseTopicPartition()
		p.Partition, p.HighWatermark, p.LastStableOffset = of.Partition, of.FetchOffset, of.FetchOffset
		topic.Topic, topic.Partitions = "alerts", append(topic.Partitions, p)
		res.Topics = append(res.Topics, topic)
		return res, nil, true
	})
	r := alertlog.Reader{Client: client, Topic: "alerts", FromStart: true, UntilEnd: true, Patience: 20 * time.Second}
	var got []string
	err := r.Read(t.Context(), partitions, func(batch [][]byte, _ bool) error {
		for _, value := range batch {
			got = append(got, string(value))
		}
		return nil
	})
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}

// TestEndsWithWhoTakes: what take returns ends the reading, and so does the context, with its cause.
func TestEndsWithWhoTakes(t *testing.T) {
	_, client := published(t, "a", "b", "c", "d")
	full := errors.New("full")
	r := alertlog.Reader{Client: client, Topic: "alerts", FromStart: true}
	if err := r.Read(t.Context(), partitions, func([][]byte, bool) error { return full }); !errors.Is(err, full) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	seen := 0
	err := r.Read(ctx, partitions, func(batch [][]byte, _ bool) error {
		if seen += len(batch); seen == 4 {
			cancel(enough)
		}
		return nil
	})
	if !errors.Is(err, enough) {
		t.Errorf("%v", err)
	}
}

// TestFailedTakeIsTheLast: whoever could not take a batch is given no other.
func TestFailedTakeIsTheLast(t *testing.T) {
	_, client := published(t, "a", "b", "c", "d", "e", "f")
	r := &alertlog.Reader{Client: client, Topic: "alerts", FromStart: true, UntilEnd: true, Patience: 10 * time.Second}
	full, calls := errors.New("full"), 0
	err := r.Read(t.Context(), partitions, func([][]byte, bool) error {
		calls++
		<-time.After(100 * time.Millisecond) // the other partitions have come meanwhile
		return full
	})
	if !errors.Is(err, full) || calls != 1 {
		t.Errorf("%d calls, %v", calls, err)
	}
}
