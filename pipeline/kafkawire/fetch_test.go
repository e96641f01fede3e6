package kafkawire_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
)

func TestFetchReadsEveryCodec(t *testing.T) {
	addrs := brokers(t)
	long := "a value long enough to be worth compressing, compressing, compressing, compressing"
	for name, codec := range map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	} {
		t.Run(name, func(t *testing.T) {
			topic := unique(t, "in")
			c := open(t, addrs, topic)
			create(t, c, topic, 1)
			w := writer(t, addrs, topic, kgo.ProducerBatchCompression(codec))
			write(t, w, "a", "b")
			write(t, w, "c", long)
			want := []string{"a", "b", "c", long}
			f := fetcher(t, c, topic)
			if diff := cmp.Diff(want, read(t, f, 0, 4)); diff != "" {
				t.Errorf("from the start (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(want[3:], read(t, f, 3, 4)); diff != "" {
				t.Errorf("from the middle of a batch (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFetchKeepsWhatWasWritten(t *testing.T) {
	addrs := brokers(t)
	for name, appendTime := range timestampTypes {
		t.Run(name, func(t *testing.T) {
			topic := unique(t, "in")
			c := open(t, addrs, topic)
			create(t, c, topic, 1, "message.timestamp.type", name)
			began := time.Now().UnixMilli()
			sent := []*kgo.Record{
				{
					Key:       []byte("k"),
					Value:     []byte("v"),
					Timestamp: time.UnixMilli(1_400_000_000_001),
					Headers:   []kgo.RecordHeader{{Key: "h", Value: []byte("x")}, {Key: "null"}},
				},
				{Key: nil, Value: []byte{}, Timestamp: time.UnixMilli(1_400_000_000_000)},
			}
			if err := writer(t, addrs, topic).ProduceSync(t.Context(), sent...).FirstErr(); err != nil {
				t.Fatal(err)
			}
			var got pipeline.Fetched
			if err := fetcher(t, c, topic).Fetch(t.Context(), 0, &got); err != nil {
				t.Fatal(err)
			}
			for i, r := range got.Records {
				s := sent[i]
				if string(r.Key) != string(s.Key) || (r.Key == nil) != (s.Key == nil) ||
					string(r.Value) != string(s.Value) ||
					r.Offset != int64(i) ||
					r.AppendTime != appendTime {
					t.Errorf("record %d: %+v", i, r)
				}
				if !appendTime && r.Timestamp != s.Timestamp.UnixMilli() ||
					appendTime && (r.Timestamp < began-60_000 || r.Timestamp > began+60_000) {
					t.Errorf("record %d has timestamp %d", i, r.Timestamp)
				}
			}
			if diff := cmp.Diff([][2]string{{"h", "x"}, {"null", "<null>"}}, list(got.Records[0].Headers)); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
			if got.Next != 2 || got.End != 2 || got.Stable != 2 || len(got.Records) != 2 {
				t.Errorf("%d records, next %d, end %d, stable %d", len(got.Records), got.Next, got.End, got.Stable)
			}
		})
	}
}

// TestFetchCommittedOnly lets transactions of three producers and a plain one interleave at random, half of them
// aborted, and reads with our fetch from every offset what franz-go reads.
func TestFetchCommittedOnly(t *testing.T) {
	addrs := brokers(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	topic := unique(t, "in")
	c := open(t, addrs, topic)
	create(t, c, topic, 1)
	plain := writer(t, addrs, topic)
	var producers []*kgo.Client
	for i := range 3 {
		producers = append(producers, writer(t, addrs, topic, kgo.TransactionalID(fmt.Sprintf("%s-%d", topic, i))))
	}
	pending := make([][]string, len(producers))
	var want []string
	n := 0
	end := func(i int, how kgo.TransactionEndTry) {
		if err := producers[i].EndTransaction(t.Context(), how); err != nil {
			t.Fatal(err)
		}
		if how == kgo.TryCommit {
			want = append(want, pending[i]...)
		}
		pending[i] = nil
	}
	for range 60 {
		n++
		i := random.IntN(len(producers) + 1)
		switch {
		case i == len(producers):
			write(t, plain, strconv.Itoa(n))
			want = append(want, strconv.Itoa(n))
			continue
		case pending[i] != nil && random.IntN(3) == 0:
			end(i, random.IntN(2) == 0)
			continue
		case pending[i] == nil:
			if err := producers[i].BeginTransaction(); err != nil {
				t.Fatal(err)
			}
		}
		write(t, producers[i], strconv.Itoa(n))
		pending[i] = append(pending[i], strconv.Itoa(n))
	}
	for i := range producers {
		if pending[i] != nil {
			end(i, random.IntN(2) == 0)
		}
	}
	oracle := committed(t, addrs, topic, len(want))
	if got := valuesOf(t, addrs, topic, len(want)); len(got) != len(want) {
		t.Fatalf("franz-go reads %d records, %d were committed", len(got), len(want))
	}
	_, last, err := c.Bounds(t.Context(), topic, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := fetcher(t, c, topic)
	for from := range last {
		var expect []string
		for _, r := range oracle {
			if r.Offset >= from {
				expect = append(expect, string(r.Value))
			}
		}
		if diff := cmp.Diff(expect, read(t, f, from, last)); diff != "" {
			t.Fatalf("from offset %d of %d (-franz-go +ours):\n%s", from, last, diff)
		}
	}
}

// TestFetchStopsAtOpenTransactions waits before an open transaction, and passes its marker when it has ended, also
// where nothing follows.
func TestFetchStopsAtOpenTransactions(t *testing.T) {
	addrs := brokers(t)
	topic := unique(t, "in")
	c := open(t, addrs, topic)
	create(t, c, topic, 1)
	w := writer(t, addrs, topic, kgo.TransactionalID(topic))
	write(t, writer(t, addrs, topic), "before")
	if err := w.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	write(t, w, "open")
	write(t, writer(t, addrs, topic), "behind")
	f := fetcher(t, c, topic)
	if diff := cmp.Diff([]string{"before"}, read(t, f, 0, 1)); diff != "" {
		t.Errorf("before the transaction (-want +got):\n%s", diff)
	}
	var got pipeline.Fetched
	err := f.Fetch(t.Context(), 1, &got)
	if err != nil || len(got.Records) != 0 || got.Next != 1 || got.Stable != 1 || got.End != 3 {
		t.Errorf("%d records, next %d, stable %d, end %d, %v", len(got.Records), got.Next, got.Stable, got.End, err)
	}
	if err := w.EndTransaction(t.Context(), kgo.TryAbort); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"behind"}, read(t, f, 1, 4)); diff != "" {
		t.Errorf("behind the transaction and its marker (-want +got):\n%s", diff)
	}
	if err := f.Fetch(t.Context(), 3, &got); err != nil || len(got.Records) != 0 || got.Next != 4 || got.Stable != 4 {
		t.Errorf("marker alone: %d records, next %d, stable %d, %v", len(got.Records), got.Next, got.Stable, err)
	}
}

func TestFetchOutOfRange(t *testing.T) {
	addrs := brokers(t)
	topic := unique(t, "in")
	c := open(t, addrs, topic)
	create(t, c, topic, 1)
	w := writer(t, addrs, topic)
	write(t, w, "0", "1", "2", "3")
	deleteBefore(t, w, topic, 2)
	f := fetcher(t, c, topic)
	var got pipeline.Fetched
	for _, offset := range []int64{0, 1, 5, 1 << 40} {
		if err := f.Fetch(t.Context(), offset, &got); !errors.Is(err, pipeline.ErrOutOfRange) {
			t.Errorf("from offset %d: %v", offset, err)
		}
	}
	if diff := cmp.Diff([]string{"2", "3"}, read(t, f, 2, 4)); diff != "" {
		t.Errorf("what is left (-want +got):\n%s", diff)
	}
	if start, end, err := c.Bounds(t.Context(), topic, 0); err != nil || start != 2 || end != 4 {
		t.Errorf("bounds %d to %d, %v", start, end, err)
	}
	for at, want := range map[int64]int64{0: 2, 1_700_000_000_003: 3, 1_700_000_000_004: 4} {
		if got, err := c.OffsetAt(t.Context(), topic, 0, time.UnixMilli(at)); err != nil || got != want {
			t.Errorf("offset at %d: %d, want %d, %v", at, got, want, err)
		}
	}
}

// deleteBefore makes the log start at offset.
func deleteBefore(t *testing.T, w *kgo.Client, topic string, offset int64) {
	t.Helper()
	req := kmsg.NewPtrDeleteRecordsRequest()
	req.TimeoutMillis = 10_000
	rt, rp := kmsg.NewDeleteRecordsRequestTopic(), kmsg.NewDeleteRecordsRequestTopicPartition()
	rp.Offset = offset
	rt.Topic, rt.Partitions = topic, append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	res, err := req.RequestWith(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	if code := res.Topics[0].Partitions[0].ErrorCode; code != 0 {
		t.Fatalf("delete records: %v", kafkawire.Error(code))
	}
}

// TestFetchBatchAboveMaxBytes still gets one batch at a time.
func TestFetchBatchAboveMaxBytes(t *testing.T) {
	addrs := brokers(t)
	topic := unique(t, "in")
	c := open(t, addrs, topic)
	create(t, c, topic, 1)
	w := writer(t, addrs, topic)
	var want []string
	for i := range 4 {
		v := fmt.Sprint(i, string(make([]byte, 50_000)))
		write(t, w, v)
		want = append(want, v)
	}
	f, err := c.NewFetcher(kafkawire.FetchConfig{Topic: topic, MaxBytes: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, f, 0, 4); !slices.Equal(want, got) {
		t.Errorf("%d records of %d", len(got), len(want))
	}
}

// TestFetchGivenUp ends at once when its context does, leaves the buffers alone from then on, and works again.
func TestFetchGivenUp(t *testing.T) {
	addrs := brokers(t)
	topic := unique(t, "in")
	c := open(t, addrs, topic)
	create(t, c, topic, 1)
	write(t, writer(t, addrs, topic), "a")
	f, err := c.NewFetcher(kafkawire.FetchConfig{Topic: topic, MaxWait: 30 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	var got pipeline.Fetched
	for range 5 {
		if err := f.Fetch(t.Context(), 0, &got); err != nil || len(got.Records) != 1 {
			t.Fatalf("%d records, %v", len(got.Records), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		began := time.Now()
		err := f.Fetch(ctx, 1, &got)
		cancel()
		if !errors.Is(err, pipeline.ErrUnavailable) || time.Since(began) > 5*time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		for i := range got.Raw[:cap(got.Raw)] { // the race detector sees who else writes here
			got.Raw[:cap(got.Raw)][i] = 0
		}
	}
}

// TestFetchSurvivesBrokenConnections asks again where an answer is lost.
func TestFetchSurvivesBrokenConnections(t *testing.T) {
	addrs := brokers(t)
	topic, cut := unique(t, "in"), new(cutter)
	c := openCut(t, addrs, cut, topic)
	create(t, c, topic, 1)
	write(t, writer(t, addrs, topic), "a", "b")
	f := fetcher(t, c, topic)
	for _, before := range []bool{true, false, true, false} {
		cut.arm(kmsg.Fetch, before)
		if diff := cmp.Diff([]string{"a", "b"}, read(t, f, 0, 2)); diff != "" || !cut.sprung() {
			t.Errorf("cut before the broker got it: %v (-want +got):\n%s", before, diff)
		}
	}
}

// TestFetchLingers lets the broker gather records while they flow, and does not keep the first one after a pause
// waiting.
func TestFetchLingers(t *testing.T) {
	addrs := brokers(t)
	topic := unique(t, "in")
	c := open(t, addrs, topic)
	create(t, c, topic, 1)
	const linger = 400 * time.Millisecond
	f, err := c.NewFetcher(kafkawire.FetchConfig{Topic: topic, MaxWait: 10 * time.Millisecond, Linger: linger})
	if err != nil {
		t.Fatal(err)
	}
	w := writer(t, addrs, topic)
	write(t, w, "0", "1", "2")
	var got pipeline.Fetched
	fetch := func(offset int64) time.Duration {
		t.Helper()
		began := time.Now()
		if err := f.Fetch(t.Context(), offset, &got); err != nil {
			t.Fatal(err)
		}
		return time.Since(began)
	}
	for fetch(3); len(got.Records) > 0; fetch(3) { //nolint:revive // until nothing flows and the leader is known
	}
	if took := fetch(0); took >= linger || len(got.Records) != 3 {
		t.Errorf("after a pause: %d records after %v", len(got.Records), took)
	}
	if took := fetch(1); took < linger/2 || len(got.Records) != 2 {
		t.Errorf("while records flow: %d records after %v", len(got.Records), took)
	}
}

// A topic that was deleted has no leader, and will have none: whoever reads the error is told that it is gone.
func TestFetchNamesMissingTopic(t *testing.T) {
	addrs := brokers(t)
	topic := unique(t, "gone")
	f := fetcher(t, open(t, addrs, topic), topic)
	var out pipeline.Fetched
	if err := f.Fetch(t.Context(), 0, &out); !errors.Is(err, kafkawire.UnknownTopicOrPartition) {
		t.Errorf("fetch from a topic that is not there: %v", err)
	}
}
