package kafkawire_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/pipeline"
	"ebb/pipeline/kafkabatch"
	"ebb/pipeline/kafkawire"
)

// versions runs a test with both kinds of transactions.
func versions(t *testing.T, test func(t *testing.T, only1 bool)) {
	t.Helper()
	for _, only1 := range []bool{false, true} {
		t.Run(fmt.Sprintf("version%d", map[bool]int{false: 2, true: 1}[only1]), func(t *testing.T) { test(t, only1) })
	}
}

// producer makes and starts a producer.
func producer(t testing.TB, c *kafkawire.Client, id string, only1 bool) *kafkawire.Producer {
	t.Helper()
	return producerWith(t, c, kafkawire.ProducerConfig{TransactionalID: id}, only1)
}

func producerWith(t testing.TB, c *kafkawire.Client, cfg kafkawire.ProducerConfig, only1 bool) *kafkawire.Producer {
	t.Helper()
	p, err := c.NewProducer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if only1 {
		kafkawire.UseVersion1(p)
	}
	if err := p.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p
}

// unfenced is a transaction of a group without members.
func unfenced(group, input string, offset int64, records ...pipeline.Outgoing) *kafkawire.Transaction {
	return &kafkawire.Transaction{
		Membership: kafkawire.Membership{Group: group, Generation: -1}, Topic: input, Offset: offset,
		Metadata: fmt.Sprintf("mark %d", offset), Records: slices.Values(records),
	}
}

func TestProducerCommits(t *testing.T) {
	addrs := brokers(t)
	versions(t, func(t *testing.T, only1 bool) {
		in, out, group := unique(t, "in"), unique(t, "out"), unique(t, "group")
		c := open(t, addrs, in, out)
		create(t, c, in, 1)
		create(t, c, out, 3)
		p := producer(t, c, unique(t, "txn"), only1)
		var want []string
		for i := range 5 {
			var records []pipeline.Outgoing
			for j := range 4 {
				v := fmt.Sprintf("%d-%d", i, j)
				want = append(want, v)
				records = append(records, pipeline.Outgoing{
					Topic: out, Partition: -1, Key: []byte(v), Value: []byte(v), Timestamp: int64(1_700_000_000_000 + i*10 + j),
					Headers: kafkabatch.AppendHeaders(nil, nil, kafkabatch.Header{Key: "h", Value: []byte(v)}),
				})
			}
			if err := p.Commit(t.Context(), unfenced(group, in, int64(i+1), records...)); err != nil {
				t.Fatal(err)
			}
		}
		got := make(map[string]bool)
		for _, r := range committed(t, addrs, out, len(want)) {
			v := string(r.Value)
			if got[v] || string(r.Key) != v || string(r.Headers[0].Value) != v ||
				kafkawire.Partition(r.Key, 3) != r.Partition {
				t.Errorf("record %+v", r)
			}
			got[string(r.Value)] = true
		}
		for _, v := range want {
			if !got[v] {
				t.Errorf("%s is missing", v)
			}
		}
		at, err := c.Committed(t.Context(), group, in, 0)
		diff := cmp.Diff(kafkawire.Committed{Exists: true, Offset: 5, Metadata: "mark 5"}, at)
		if err != nil || diff != "" {
			t.Errorf("committed offset: %v (-want +got):\n%s", err, diff)
		}
	})
}

// TestProducerWithoutOffsets writes records alone in a transaction, to several topics, and is fenced like any other.
func TestProducerWithoutOffsets(t *testing.T) {
	addrs := brokers(t)
	versions(t, func(t *testing.T, only1 bool) {
		one, two, id := unique(t, "one"), unique(t, "two"), unique(t, "txn")
		cut := new(cutter)
		c := openCut(t, addrs, cut, one, two)
		create(t, c, one, 1)
		create(t, c, two, 1)
		p := producer(t, c, id, only1)
		transact := func(p *kafkawire.Producer, n int) error {
			records := []pipeline.Outgoing{text(one, strconv.Itoa(n)), text(two, strconv.Itoa(n))}
			return p.Commit(t.Context(), &kafkawire.Transaction{Records: slices.Values(records)})
		}
		for n := range 3 {
			if err := transact(p, n); err != nil {
				t.Fatal(err)
			}
		}
		cut.arm(kmsg.EndTxn, true)
		if err := transact(p, 99); !errors.Is(err, pipeline.ErrUnavailable) {
			t.Fatalf("committed though its end was lost: %v", err)
		}
		heir := producer(t, c, id, only1)
		if err := transact(heir, 3); err != nil {
			t.Fatal(err)
		}
		if err := p.Init(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := transact(heir, 98); !errors.Is(err, pipeline.ErrFenced) {
			t.Errorf("after another has started: %v", err)
		}
		want := []string{"0", "1", "2", "3"}
		for _, topic := range []string{one, two} {
			if diff := cmp.Diff(want, valuesOf(t, addrs, topic, len(want))); diff != "" {
				t.Errorf("%s (-want +got):\n%s", topic, diff)
			}
		}
	})
}
