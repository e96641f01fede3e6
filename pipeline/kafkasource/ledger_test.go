package kafkasource_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/pipeline"
	"ebb/pipeline/kafkascan"
	"ebb/pipeline/kafkasource"
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
