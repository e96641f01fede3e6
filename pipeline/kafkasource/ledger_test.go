package kafkasource_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/pipeline"
	"ebb/pipeline/kafkascan"
	"ebb/pipeline/kafkasource"
	"ebb/pipeline/kafkawire"
	"ebb/pipeline/linetest/cluster"
)

// TestLedgerBehindOpenTransaction: what is held back until the deadline is a service that is away, and says why.
func TestLedgerBehindOpenTransaction(t *testing.T) {
	w := newWorld(t, 1)
	producer, err := kgo.NewClient(kgo.SeedBrokers(w.addrs...), kgo.DefaultProduceTopic(w.topic), kgo.TransactionalID("x"))
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close()
	if err := producer.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := producer.ProduceSync(t.Context(), kgo.StringRecord("held back")).FirstErr(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	l := &kafkasource.Ledger{Client: w.open(nil), Control: []string{w.topic}}
	_, err = l.Controls(ctx, pipeline.Identity{})
	if !errors.Is(err, pipeline.ErrUnavailable) || !errors.As(err, new(*kafkascan.HeldUpError)) {
		t.Errorf("%v", err)
	}
}

// TestBlank: what other groups have written into the older topic does not stand for what this one has lost.
func TestBlank(t *testing.T) {
	older := newWorld(t, 1)
	own := newWorldAt(t, older.addrs, 1)
	client, err := kafkawire.Open(kafkawire.Config{
		Brokers: own.addrs, ClientID: "ebb-test", Topics: []string{older.topic, own.topic}, RequestTimeout: cluster.Session,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	producer, err := kgo.NewClient(kgo.SeedBrokers(own.addrs...))
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close()
	l := &kafkasource.Ledger{Client: client, Control: []string{older.topic, own.topic}}
	for _, step := range []struct {
		group string
		blank bool
	}{{"other", true}, {"one", false}} {
		r := kgo.StringRecord(fmt.Sprintf(`{"group":%q,"topic":"events","kind":"time","minute":1}`, step.group))
		r.Topic = older.topic
		if err := producer.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
		blank, err := l.Blank(t.Context(), pipeline.Identity{Group: "one", Input: "events"})
		if err != nil || blank != step.blank {
			t.Errorf("after a record of group %s: blank %v, %v", step.group, blank, err)
		}
	}
}
