package kafkasource_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/pipeline"
	"ebb/pipeline/kafkasource"
	"ebb/pipeline/kafkawire"
)

// TestThrottledFetchKnowsTheEnd: an answer that a quota has emptied does not tell how far the log reaches. It is asked
// for, so that a partition that is held up does not show that there is nothing left to do.
func TestThrottledFetchKnowsTheEnd(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	w := newWorldAt(t, cluster.ListenAddrs(), 1)
	p := fetching(t, w)
	other, err := kgo.NewClient(kgo.SeedBrokers(w.addrs...))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for range 3 {
		if err := other.ProduceSync(t.Context(), &kgo.Record{Topic: w.topic, Value: []byte("a")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	cluster.ControlKey(int16(kmsg.Fetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		answer := r.ResponseKind().(*kmsg.FetchResponse)
		answer.ThrottleMillis = 1
		return answer, nil, true
	})
	var got pipeline.Fetched
	if err := p.Fetch(t.Context(), 1, &got); err != nil || !got.Throttled || got.End != 3 || got.Next != 1 {
		t.Errorf("throttled: %v, %d records, next %d, end %d, %v", got.Throttled, len(got.Records), got.Next, got.End, err)
	}
	if err := p.Fetch(t.Context(), 1, &got); err != nil || got.Throttled || got.End != 3 || len(got.Records) != 2 {
		t.Errorf("afterwards: %v, %d records, end %d, %v", got.Throttled, len(got.Records), got.End, err)
	}
}

// TestFetchOfDeletedInput: who fetches from an input that is gone is told so, and what to do.
func TestFetchOfDeletedInput(t *testing.T) {
	w := newWorld(t, 1)
	p := fetching(t, w)
	admin, err := kgo.NewClient(kgo.SeedBrokers(w.addrs...))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if _, err := kadm.NewClient(admin).DeleteTopics(t.Context(), w.topic); err != nil {
		t.Fatal(err)
	}
	var got pipeline.Fetched
	err = p.Fetch(t.Context(), 0, &got)
	gone, ok := errors.AsType[*pipeline.Unready](err)
	if !ok || gone.Do == "" || !errors.Is(err, pipeline.ErrUnavailable) {
		t.Errorf("fetch from an input that is not there: %v", err)
	}
	if code, _, do, _ := pipeline.Refused(err); code != kafkawire.CodeTopicMissing || do != gone.Do {
		t.Errorf("the log would advise %q, code %s", do, code)
	}
}

func fetching(t *testing.T, w *world) *kafkasource.Partition {
	t.Helper()
	p, err := kafkasource.NewPartition(kafkasource.PartitionConfig{
		Client: w.client, Group: w.group, Topic: w.topic, MaxWait: 10 * time.Millisecond,
		Confirm: func(context.Context) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}
