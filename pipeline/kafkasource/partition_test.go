package kafkasource_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/pipeline"
	"ebb/pipeline/kafkasource"
	"ebb/pipeline/kafkawire"
)

func TestPartition(t *testing.T) {
	w := newWorld(t, 2)
	owned := error(nil)
	p, err := kafkasource.NewPartition(kafkasource.PartitionConfig{
		Client: w.client, Group: w.group, Topic: w.topic, Partition: 1, MaxWait: 10 * time.Millisecond,
		Confirm: func(context.Context) error { return owned },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	position := func(want pipeline.Position) {
		t.Helper()
		got, err := p.Position(t.Context())
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("position: %v (-want +got):\n%s", err, diff)
		}
	}
	position(pipeline.Position{})
	other, err := kgo.NewClient(kgo.SeedBrokers(w.addrs...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for i := range 3 {
		r := &kgo.Record{Topic: w.topic, Partition: 1, Value: []byte{byte('a' + i)}}
		if err := other.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	position(pipeline.Position{End: 3})
	producer, err := w.client.NewProducer(kafkawire.ProducerConfig{TransactionalID: w.group})
	if err != nil {
		t.Fatal(err)
	}
	if err := producer.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	err = producer.Commit(t.Context(), &kafkawire.Transaction{
		Membership: kafkawire.Membership{
			Group:      w.group,
			Generation: -1,
		},
		Topic:     w.topic,
		Partition: 1,
		Offset:    2,
		Metadata:  `{"ebb":1}`,
	})
	if err != nil {
		t.Fatal(err)
	}
	position(pipeline.Position{Committed: true, Offset: 2, Metadata: `{"ebb":1}`, End: 3})
	var got pipeline.Fetched
	if err := p.Fetch(t.Context(), 2, &got); err != nil || len(got.Records) != 1 || string(got.Records[0].Value) != "c" {
		t.Errorf("fetched %d records, %v", len(got.Records), err)
	}
	owned = pipeline.ErrFenced
	if _, err := p.Position(t.Context()); !errors.Is(err, pipeline.ErrFenced) {
		t.Errorf("position of a member that was replaced: %v", err)
	}
}

func TestPartitionConfig(t *testing.T) {
	w := newWorld(t, 1)
	owned := func(context.Context) error { return nil }
	for name, cfg := range map[string]kafkasource.PartitionConfig{
		"nothing":            {},
		"no group":           {Client: w.client, Topic: "t", Confirm: owned},
		"no confirmation":    {Client: w.client, Topic: "t", Group: "g"},
		"negative partition": {Client: w.client, Topic: "t", Group: "g", Partition: -1, Confirm: owned},
		"fetch too large":    {Client: w.client, Topic: "t", Group: "g", MaxBytes: 1 << 30, Confirm: owned},
	} {
		if _, err := kafkasource.NewPartition(cfg); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
