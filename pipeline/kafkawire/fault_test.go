//go:build !integration

package kafkawire_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/pipeline"
	"ebb/pipeline/kafkabatch"
	"ebb/pipeline/kafkawire"
	"ebb/scoring/scoringtest/golden"
)

// TestProducerWaitsOutRefusals answers each request of a transaction with codes that pass: nothing fails, and nothing
// is published twice.
func TestProducerWaitsOutRefusals(t *testing.T) {
	versions(t, func(t *testing.T, only1 bool) {
		cluster := fake(t)
		in, out, group := unique(t, "in"), unique(t, "out"), unique(t, "group")
		c := open(t, cluster.ListenAddrs(), in, out)
		create(t, c, in, 1)
		create(t, c, out, 1)
		coordinator := []*kerr.Error{
			kerr.ConcurrentTransactions,
			kerr.CoordinatorLoadInProgress,
			kerr.NotCoordinator,
			kerr.CoordinatorNotAvailable,
		}
		passing := map[kmsg.Key][]*kerr.Error{
			kmsg.InitProducerID:  coordinator,
			kmsg.TxnOffsetCommit: coordinator,
			kmsg.EndTxn:          coordinator,
			kmsg.Produce: {
				kerr.NotLeaderForPartition,
				kerr.LeaderNotAvailable,
				kerr.UnknownTopicOrPartition,
				kerr.NotEnoughReplicas,
				kerr.ConcurrentTransactions,
			},
		}
		if only1 {
			passing[kmsg.AddOffsetsToTxn], passing[kmsg.AddPartitionsToTxn] = coordinator, coordinator
		}
		p := producer(t, c, unique(t, "txn"), only1)
		var want []string
		for key, codes := range passing {
			for _, code := range codes {
				offset := int64(len(want) + 1)
				want = append(want, fmt.Sprint(offset))
				faults := cluster.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Err: code, Count: 2})
				if err := p.Init(t.Context()); err != nil {
					t.Fatalf("%s answers %s: %v", key.Name(), code.Message, err)
				}
				if err := p.Commit(t.Context(), unfenced(group, in, offset, text(out, fmt.Sprint(offset)))); err != nil {
					t.Fatalf("%s answers %s: %v", key.Name(), code.Message, err)
				}
				if faults.Hits() != 2 {
					t.Errorf("%s answered %s %d times", key.Name(), code.Message, faults.Hits())
				}
				faults.Remove()
			}
		}
		if diff := cmp.Diff(want, valuesOf(t, cluster.ListenAddrs(), out, len(want))); diff != "" {
			t.Errorf("published (-want +got):\n%s", diff)
		}
	})
}

// TestProducerRefused maps codes that end a transaction to their class, and aborts it so that no reader waits.
func TestProducerRefused(t *testing.T) {
	cluster := fake(t)
	in, out, group := unique(t, "in"), unique(t, "out"), unique(t, "group")
	c := open(t, cluster.ListenAddrs(), in, out)
	create(t, c, in, 1)
	create(t, c, out, 1)
	p := producer(t, c, unique(t, "txn"), false)
	for _, step := range []struct {
		key   kmsg.Key
		code  *kerr.Error
		class error
	}{
		{kmsg.TxnOffsetCommit, kerr.IllegalGeneration, pipeline.ErrFenced},
		{kmsg.TxnOffsetCommit, kerr.FencedInstanceID, pipeline.ErrFenced},
		{kmsg.TxnOffsetCommit, kerr.TransactionAbortable, pipeline.ErrUnavailable},
		{kmsg.TxnOffsetCommit, kerr.GroupAuthorizationFailed, pipeline.ErrUnavailable},
		{kmsg.Produce, kerr.InvalidProducerEpoch, pipeline.ErrFenced},
		{kmsg.Produce, kerr.OutOfOrderSequenceNumber, pipeline.ErrUnavailable},
		{kmsg.Produce, kerr.TopicAuthorizationFailed, pipeline.ErrUnavailable},
		{kmsg.EndTxn, kerr.ProducerFenced, pipeline.ErrFenced},
		{kmsg.EndTxn, kerr.InvalidTxnState, pipeline.ErrUnavailable},
	} {
		cluster.Fault(kfake.Fault{Keys: []kmsg.Key{step.key}, Err: step.code})
		err := p.Commit(t.Context(), unfenced(group, in, 1, text(out, "never")))
		if !errors.Is(err, step.class) || !errors.Is(err, kafkawire.Error(step.code.Code)) {
			t.Errorf("%s answers %s: %v", step.key.Name(), step.code.Message, err)
		}
		if err := p.Init(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Commit(t.Context(), unfenced(group, in, 1, text(out, "at last"))); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"at last"}, valuesOf(t, cluster.ListenAddrs(), out, 1)); diff != "" {
		t.Errorf("published (-want +got):\n%s", diff)
	}
}

// TestClientFollowsTheCluster moves leaders and coordinators away while a partition is read and written.
func TestClientFollowsTheCluster(t *testing.T) {
	cluster := fake(t)
	in, out, group := unique(t, "in"), unique(t, "out"), unique(t, "group")
	c := open(t, cluster.ListenAddrs(), in, out)
	create(t, c, in, 1)
	create(t, c, out, 1)
	p, f := producer(t, c, unique(t, "txn"), false), fetcher(t, c, out)
	var want, got []string
	next := int64(0)
	for i := range 6 {
		if err := cluster.MoveTopicPartition(out, 0, int32(i%2)); err != nil {
			t.Fatal(err)
		}
		cluster.RehashCoordinators()
		v := fmt.Sprint(i)
		want = append(want, v)
		began := time.Now()
		if err := p.Commit(t.Context(), unfenced(group, in, int64(i+1), text(out, v))); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("commit took %v", took)
		}
		got = append(got, read(t, f, next, next+1)...)
		next += 2 // record and marker
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
}

// closeAll breaks every connection.
func (c *cutter) closeAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.open {
		_ = conn.Close()
	}
	c.open = nil
}

// TestClientLosesACoordinator finds the one that takes over from a broker that is gone for good.
func TestClientLosesACoordinator(t *testing.T) {
	cluster := fake(t, kfake.NumBrokers(3))
	in, out, id := unique(t, "in"), unique(t, "out"), unique(t, "txn")
	cut := new(cutter)
	c := openCut(t, cluster.ListenAddrs(), cut, in, out)
	create(t, c, in, 1)
	create(t, c, out, 1)
	group := unique(t, "group")
	p := producer(t, c, id, false)
	if err := p.Commit(t.Context(), unfenced(group, in, 1, text(out, "1"))); err != nil {
		t.Fatal(err)
	}
	if err := cluster.RemoveNode(cluster.CoordinatorFor(group)); err != nil {
		t.Fatal(err)
	}
	cut.closeAll()
	for deadline := time.Now().Add(15 * time.Second); ; {
		err := p.Commit(t.Context(), unfenced(group, in, 2, text(out, "2")))
		if err == nil {
			break
		}
		if !errors.Is(err, pipeline.ErrUnavailable) || time.Now().After(deadline) {
			t.Fatal(err)
		}
		if err := p.Init(t.Context()); err != nil && !errors.Is(err, pipeline.ErrUnavailable) {
			t.Fatal(err)
		}
	}
	if at, err := c.Committed(t.Context(), group, in, 0); err != nil || at.Offset != 2 {
		t.Errorf("offset %+v, %v", at, err)
	}
}

// TestProducerChoosesVersion uses what the cluster has finalized when the producer starts, and follows a change at the
// next start.
func TestProducerChoosesVersion(t *testing.T) {
	cluster := fake(t)
	in, out := unique(t, "in"), unique(t, "out")
	c := open(t, cluster.ListenAddrs(), in, out)
	create(t, c, in, 1)
	create(t, c, out, 1)
	used := make(chan int16, 100)
	cluster.ControlKey(int16(kmsg.EndTxn), func(r kmsg.Request) (kmsg.Response, error, bool) {
		used <- r.GetVersion()
		return nil, nil, false
	})
	p := producer(t, c, unique(t, "txn"), false)
	for i, want := range []struct{ feature, endTxn int16 }{{2, 5}, {0, 3}, {2, 5}} {
		setFeature(t, writer(t, cluster.ListenAddrs(), out), "transaction.version", want.feature)
		if err := p.Init(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := p.Commit(t.Context(), unfenced(unique(t, "group"), in, int64(i+1), text(out, fmt.Sprint(i)))); err != nil {
			t.Fatal(err)
		}
		if got := <-used; got != want.endTxn {
			t.Errorf("transaction.version %d: EndTxn v%d", want.feature, got)
		}
	}
	if diff := cmp.Diff([]string{"0", "1", "2"}, valuesOf(t, cluster.ListenAddrs(), out, 3)); diff != "" {
		t.Errorf("published (-want +got):\n%s", diff)
	}
}

func setFeature(t *testing.T, w *kgo.Client, name string, level int16) {
	t.Helper()
	req := kmsg.NewPtrUpdateFeaturesRequest()
	f := kmsg.NewUpdateFeaturesRequestFeatureUpdate()
	f.Feature, f.MaxVersionLevel, f.UpgradeType = name, level, 1
	if level == 0 {
		f.UpgradeType = 2 // a safe downgrade
	}
	req.FeatureUpdates = append(req.FeatureUpdates, f)
	res, err := req.RequestWith(t.Context(), w)
	if err != nil || res.ErrorCode != 0 {
		t.Fatalf("set %s to %d: %v, %v", name, level, err, kafkawire.Error(res.ErrorCode))
	}
}

// TestFetchAcrossCompaction passes what compaction has left no record of.
func TestFetchAcrossCompaction(t *testing.T) {
	cluster := fake(t)
	topic := unique(t, "in")
	c := open(t, cluster.ListenAddrs(), topic)
	create(t, c, topic, 1, "cleanup.policy", "compact", "min.cleanable.dirty.ratio", "0")
	w := writer(t, cluster.ListenAddrs(), topic)
	write(t, w, "a", "b")
	write(t, w, "a", "c")
	write(t, w, "b")
	cluster.Compact()
	_, end, err := c.Bounds(t.Context(), topic, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := fetcher(t, c, topic)
	all := read(t, f, 0, end)
	if len(all) >= 5 || !slices.Contains(all, "c") {
		t.Errorf("after compaction: %q", all)
	}
	for from := range end {
		if got := read(t, f, from, end); len(got) > len(all) {
			t.Errorf("from %d: %q", from, got)
		}
	}
}

// TestTransactionGolden holds the bytes of every request of a transaction, of both kinds, against what was sent when
// they were tried on a real broker.
func TestTransactionGolden(t *testing.T) {
	versions(t, func(t *testing.T, only1 bool) {
		cluster := fake(t, kfake.SeedTopics(1, "in", "out"))
		c := open(t, cluster.ListenAddrs(), "in", "out")
		var mu sync.Mutex
		var sent []string
		cluster.ControlKey(int16(kmsg.InitProducerID), func(r kmsg.Request) (kmsg.Response, error, bool) {
			cluster.KeepControl()
			res := r.ResponseKind().(*kmsg.InitProducerIDResponse)
			res.ProducerID, res.ProducerEpoch = 4711, 3
			return res, nil, true
		})
		for _, key := range []kmsg.Key{
			kmsg.AddOffsetsToTxn,
			kmsg.TxnOffsetCommit,
			kmsg.AddPartitionsToTxn,
			kmsg.Produce,
			kmsg.EndTxn,
		} {
			cluster.ControlKey(int16(key), func(r kmsg.Request) (kmsg.Response, error, bool) {
				mu.Lock()
				defer mu.Unlock()
				sent = append(sent, fmt.Sprintf("%s v%d\n%s", key.Name(), r.GetVersion(), hex.Dump(r.AppendTo(nil))))
				cluster.KeepControl()
				return r.ResponseKind(), nil, true
			})
		}
		p := producer(t, c, "txn", only1)
		tx := unfenced(
			"group",
			"in",
			42,
			pipeline.Outgoing{Topic: "out", Partition: -1, Key: []byte("k"), Value: []byte("v"), Timestamp: 1_700_000_000_000},
		)
		tx.Generation, tx.Member, tx.Instance = 5, "member", "instance"
		if err := p.Commit(t.Context(), tx); err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		defer mu.Unlock()
		golden.File(
			t,
			fmt.Sprintf("transaction_%s.hex", map[bool]string{false: "v2", true: "v1"}[only1]),
			strings.Join(sent, "\n"),
		)
	})
}

// TestAppenderRepeats sends a batch again whose answer does not say that it was written, and never writes it twice.
func TestAppenderRepeats(t *testing.T) {
	cluster := fake(t)
	topic := unique(t, "out")
	c := open(t, cluster.ListenAddrs(), topic)
	create(t, c, topic, 1)
	a, err := c.NewAppender(t.Context(), kafkawire.AppenderConfig{Topic: topic})
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for i, code := range []*kerr.Error{
		kerr.RequestTimedOut,
		kerr.NotEnoughReplicasAfterAppend,
		kerr.NotLeaderForPartition,
		kerr.NotEnoughReplicas,
	} {
		cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: code})
		batch := []pipeline.Outgoing{text(topic, fmt.Sprint(2*i)), text(topic, fmt.Sprint(2*i+1))}
		if n, err := a.Append(t.Context(), batch); n != 2 || err != nil {
			t.Fatalf("%s: %d acknowledged, %v", code.Message, n, err)
		}
		want = append(want, fmt.Sprint(2*i), fmt.Sprint(2*i+1))
	}
	got := valuesOf(t, cluster.ListenAddrs(), topic, len(want))
	if !slices.Equal(want, got) {
		t.Errorf("wrote %q, want %q", got, want)
	}
	cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.TopicAuthorizationFailed})
	if _, err := a.Append(t.Context(), []pipeline.Outgoing{text(topic, "x")}); !errors.Is(err, kafkawire.Error(29)) {
		t.Errorf("refused for good: %v", err)
	}
	if _, err := a.Append(t.Context(), []pipeline.Outgoing{text(topic, "x")}); err == nil {
		t.Error("used after a failure")
	}
}

// TestProducerFillsRequests: a request holds what fits when compressed, where that is known while it is filled.
func TestProducerFillsRequests(t *testing.T) {
	alert := strings.Repeat(`{"log_odds":0.40546562902819744}`, 60) // 1,920 bytes, of which snappy leaves some 100
	for name, c := range map[string]struct {
		how  kafkabatch.Compression
		want int
	}{"none": {kafkabatch.Uncompressed, 4}, "snappy": {kafkabatch.Snappy, 1}, "zstd": {kafkabatch.Zstd, 4}} {
		t.Run(name, func(t *testing.T) {
			cluster := fake(t)
			requests := 0
			cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
				requests++
				cluster.KeepControl()
				return nil, nil, false
			})
			in, out := unique(t, "in"), unique(t, "out")
			client := open(t, cluster.ListenAddrs(), in, out)
			create(t, client, in, 1)
			create(t, client, out, 1)
			p := producerWith(
				t,
				client,
				kafkawire.ProducerConfig{TransactionalID: unique(t, "txn"), MaxRequest: 200_000, Compression: c.how},
				false,
			)
			var records []pipeline.Outgoing
			for range 400 {
				records = append(records, text(out, alert))
			}
			if err := p.Commit(t.Context(), unfenced(unique(t, "group"), in, 1, records...)); err != nil {
				t.Fatal(err)
			}
			if requests != c.want {
				t.Errorf("%d requests, not %d", requests, c.want)
			}
			if got := valuesOf(t, cluster.ListenAddrs(), out, len(records)); len(got) != len(records) {
				t.Errorf("%d alerts of %d", len(got), len(records))
			}
		})
	}
}
