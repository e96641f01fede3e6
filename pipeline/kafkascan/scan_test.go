package kafkascan_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/pipeline"
	"ebb/pipeline/kafkascan"
	"ebb/pipeline/kafkawire"
)

const topic = "scanned"

// log is a topic of one partition on a cluster in the process.
type log struct {
	t      *testing.T
	kafka  *kfake.Cluster
	client *kafkawire.Client
}

func newLog(t *testing.T) *log {
	t.Helper()
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, topic))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Close)
	client, err := kafkawire.Open(kafkawire.Config{
		Brokers: kafka.ListenAddrs(), ClientID: "test", Topics: []string{topic}, RequestTimeout: 300 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &log{t, kafka, client}
}

func (l *log) writer(opts ...kgo.Opt) *kgo.Client {
	l.t.Helper()
	w, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(l.kafka.ListenAddrs()...), kgo.DefaultProduceTopic(topic),
		kgo.ProducerBatchCompression(kgo.NoCompression()), // so that a limit in bytes separates the records
	}, opts...)...)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(w.Close)
	return w
}

// write appends each value in a batch of its own.
func (l *log) write(w *kgo.Client, values ...string) {
	l.t.Helper()
	for _, v := range values {
		if err := w.ProduceSync(l.t.Context(), kgo.StringRecord(v)).FirstErr(); err != nil {
			l.t.Fatal(err)
		}
	}
}

// begin opens a transaction and writes values in it.
func (l *log) begin(values ...string) *kgo.Client {
	l.t.Helper()
	w := l.writer(kgo.TransactionalID("someone"))
	if err := w.BeginTransaction(); err != nil {
		l.t.Fatal(err)
	}
	l.write(w, values...)
	return w
}

func (l *log) end(w *kgo.Client, commit bool) {
	l.t.Helper()
	if err := w.EndTransaction(l.t.Context(), kgo.TransactionEndTry(commit)); err != nil {
		l.t.Fatal(err)
	}
}

// bounds are the end of the log and that for readers of committed records.
func (l *log) bounds() (end, stable int64) {
	l.t.Helper()
	_, end, err := l.client.Bounds(l.t.Context(), topic, 0)
	if err != nil {
		l.t.Fatal(err)
	}
	if stable, err = l.client.StableEnd(l.t.Context(), topic, 0); err != nil {
		l.t.Fatal(err)
	}
	return end, stable
}

// answers makes answer replace the broker's answers to fetches; nil: the broker's own.
func (l *log) answers(answer func(offset int64) *kmsg.FetchResponseTopicPartition) {
	l.kafka.ControlKey(int16(kmsg.Fetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		l.kafka.KeepControl()
		req := r.(*kmsg.FetchRequest)
		p := answer(req.Topics[0].Partitions[0].FetchOffset)
		if p == nil {
			return nil, nil, false
		}
		res := req.ResponseKind().(*kmsg.FetchResponse)
		t := kmsg.NewFetchResponseTopic()
		t.Topic, t.Partitions = topic, append(t.Partitions, *p)
		res.Topics = append(res.Topics, t)
		return res, nil, true
	})
}

// empty is an answer without records of a leader that has learnt of a log up to end.
func empty(end int64) *kmsg.FetchResponseTopicPartition {
	p := kmsg.NewFetchResponseTopicPartition()
	p.HighWatermark, p.LastStableOffset = end, end
	return &p
}

// scan reads [from, to) with the other fields of set, and returns the values.
func (l *log) scan(ctx context.Context, from, to int64, set func(*kafkascan.Scan)) (values []string, err error) {
	s := &kafkascan.Scan{Client: l.client, Topic: topic, From: from, To: to, Patience: 20 * time.Second}
	s.Record = func(r *pipeline.Record) error {
		values = append(values, string(r.Value))
		return nil
	}
	if set != nil {
		set(s)
	}
	err = s.Run(ctx)
	return values, err
}

// TestEmptyAnswersAreNoEnd: a newly elected leader has learnt of less than its log holds, and a throttled broker
// returns nothing. A scan goes on until it reaches the end that it was given.
func TestEmptyAnswersAreNoEnd(t *testing.T) {
	const records = 12
	for name, answer := range map[string]func(offset int64) *kmsg.FetchResponseTopicPartition{
		"a new leader":       empty,
		"a throttled broker": func(int64) *kmsg.FetchResponseTopicPartition { return empty(records) },
		"a leader with less": func(int64) *kmsg.FetchResponseTopicPartition { return empty(1) },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLog(t)
			var want []string
			for i := range records {
				want = append(want, strings.Repeat("x", 1000)+string(rune('a'+i)))
			}
			l.write(l.writer(), want...)
			end, _ := l.bounds()
			var asked atomic.Int64
			l.answers(func(offset int64) *kmsg.FetchResponseTopicPartition {
				if asked.Add(1)%3 != 0 { // the first, and most of those in the middle
					return answer(offset)
				}
				return nil
			})
			got, err := l.scan(t.Context(), 0, end, func(s *kafkascan.Scan) { s.MaxBytes = 3000 })
			if diff := cmp.Diff(want, got); diff != "" || err != nil || asked.Load() < 6 {
				t.Errorf("%v, %d requests\n%s", err, asked.Load(), diff)
			}
		})
	}
}

// TestPatienceIsBounded: brokers that never return the records up to the end they named end a scan, and the error
// contains its offset.
func TestPatienceIsBounded(t *testing.T) {
	l := newLog(t)
	l.write(l.writer(), "a", "b", "c")
	l.answers(func(offset int64) *kmsg.FetchResponseTopicPartition {
		if offset == 0 {
			return nil
		}
		return empty(offset)
	})
	_, err := l.scan(t.Context(), 0, 5, func(s *kafkascan.Scan) { s.Patience = 100 * time.Millisecond })
	held, ok := errors.AsType[*kafkascan.HeldUpError](err)
	if !ok || held.Open || held.Next != 3 {
		t.Errorf("%v", err)
	}
}

// TestOpenTransaction: a scan waits for a while for the records behind one, and a scan up to the stable end leaves them
// out.
func TestOpenTransaction(t *testing.T) {
	l := newLog(t)
	l.write(l.writer(), "before")
	w := l.begin("in it")
	l.write(l.writer(), "behind")
	end, stable := l.bounds()
	if stable != 1 || end != 3 {
		t.Fatalf("end %d, stable end %d", end, stable)
	}
	got, err := l.scan(t.Context(), 0, stable, nil)
	if diff := cmp.Diff([]string{"before"}, got); diff != "" || err != nil {
		t.Errorf("up to the stable end: %v\n%s", err, diff)
	}
	got, err = l.scan(t.Context(), 0, end, func(s *kafkascan.Scan) { s.Patience = 100 * time.Millisecond })
	if held, ok := errors.AsType[*kafkascan.HeldUpError](err); !ok || !held.Open || held.Next != 1 || len(got) != 1 {
		t.Errorf("while it is open: %q, %v", got, err)
	}
	later := context.WithoutCancel(t.Context())
	time.AfterFunc(300*time.Millisecond, func() { _ = w.EndTransaction(later, kgo.TryCommit) })
	got, err = l.scan(t.Context(), 0, end, nil)
	if diff := cmp.Diff([]string{"before", "in it", "behind"}, got); diff != "" || err != nil {
		t.Errorf("once it is committed: %v\n%s", err, diff)
	}
}

// TestEndOfMarkers: aborted records and markers are skipped, also where the log ends with them.
func TestEndOfMarkers(t *testing.T) {
	l := newLog(t)
	l.end(l.begin("a", "b"), true)
	w := l.begin("never")
	l.end(w, false)
	end, stable := l.bounds()
	var seen []int64
	got, err := l.scan(t.Context(), 1, end, func(s *kafkascan.Scan) {
		s.Answered = func(next int64) error { seen = append(seen, next); return nil }
	})
	if diff := cmp.Diff([]string{"b"}, got); diff != "" || err != nil || end != 5 || stable != end {
		t.Errorf("end %d, stable end %d: %v\n%s", end, stable, err, diff)
	}
	if !slices.IsSorted(seen) || len(seen) == 0 || seen[len(seen)-1] != end {
		t.Errorf("answered up to %d", seen)
	}
}

// TestStopsAtItsEnd: records after the end are not part of the scan, even if the same answer contains them.
func TestStopsAtItsEnd(t *testing.T) {
	l := newLog(t)
	l.write(l.writer(), "a", "b", "c", "d")
	var last int64
	got, err := l.scan(t.Context(), 1, 3, func(s *kafkascan.Scan) {
		s.Answered = func(next int64) error { last = next; return nil }
	})
	if diff := cmp.Diff([]string{"b", "c"}, got); diff != "" || err != nil || last != 3 {
		t.Errorf("up to %d: %v\n%s", last, err, diff)
	}
}

// TestLost: records that retention deleted before they were read are reported, and are an error without Lost.
func TestLost(t *testing.T) {
	l := newLog(t)
	l.write(l.writer(), "a", "b", "c", "d")
	if err := l.kafka.DeleteRecords(topic, 0, 2); err != nil {
		t.Fatal(err)
	}
	var from, next int64
	got, err := l.scan(t.Context(), 0, 4, func(s *kafkascan.Scan) {
		s.Lost = func(f, n int64) { from, next = f, n }
	})
	if diff := cmp.Diff([]string{"c", "d"}, got); diff != "" || err != nil || from != 0 || next != 2 {
		t.Errorf("lost %d to %d: %v\n%s", from, next, err, diff)
	}
	if _, err := l.scan(t.Context(), 0, 4, nil); !errors.Is(err, pipeline.ErrOutOfRange) {
		t.Errorf("%v", err)
	}
	_, err = l.scan(t.Context(), 9, 12, func(s *kafkascan.Scan) { s.Lost = func(int64, int64) {} })
	if !errors.Is(err, pipeline.ErrOutOfRange) {
		t.Errorf("a log that was cut back: %v", err)
	}
}

// TestRetry: requests that brokers do not answer are repeated within the patience, and Retry is called once.
func TestRetry(t *testing.T) {
	l := newLog(t)
	l.write(l.writer(), "a", "b")
	var down atomic.Bool
	down.Store(true)
	l.kafka.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
		l.kafka.KeepControl()
		if down.Load() {
			return nil, errors.New("cut"), true
		}
		return nil, nil, false
	})
	told := 0
	retry := func(s *kafkascan.Scan) { s.Retry = func(error) { told++ } }
	if _, err := l.scan(t.Context(), 0, 2, nil); !errors.Is(err, pipeline.ErrUnavailable) {
		t.Errorf("without a second try: %v", err)
	}
	_, err := l.scan(t.Context(), 0, 2, func(s *kafkascan.Scan) { retry(s); s.Patience = 200 * time.Millisecond })
	if !errors.Is(err, pipeline.ErrUnavailable) || told != 1 {
		t.Errorf("told %d times: %v", told, err)
	}
	time.AfterFunc(1200*time.Millisecond, func() { down.Store(false) })
	got, err := l.scan(t.Context(), 0, 2, retry)
	if diff := cmp.Diff([]string{"a", "b"}, got); diff != "" || err != nil || told != 2 {
		t.Errorf("told %d times: %v\n%s", told, err, diff)
	}
}

// TestEndless: a scan without an end follows the log, whatever its patience, until its context ends with a cause.
func TestEndless(t *testing.T) {
	l := newLog(t)
	w := l.writer()
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	wrote := make(chan struct{})
	time.AfterFunc(300*time.Millisecond, func() {
		defer close(wrote)
		l.write(w, "late")
	})
	_, err := l.scan(ctx, 0, kafkascan.Endless, func(s *kafkascan.Scan) {
		s.Patience = time.Millisecond
		s.Record = func(r *pipeline.Record) error {
			if string(r.Value) == "late" {
				cancel(enough)
			}
			return nil
		}
	})
	if !errors.Is(err, enough) {
		t.Error(err)
	}
	<-wrote
}
