package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
)

// kafkaGo reads, counts, publishes and commits, record by record.
func (p *peer) kafkaGo(ctx context.Context) (err error) {
	r := kafka.NewReader(kafka.ReaderConfig{
		Brokers:           []string{p.kafka},
		GroupID:           p.group,
		Topic:             p.input,
		MaxBytes:          10e6,
		StartOffset:       kafka.FirstOffset,
		IsolationLevel:    kafka.ReadCommitted,
		CommitInterval:    time.Second,
		SessionTimeout:    p.session,
		HeartbeatInterval: time.Second,
	})
	w := &kafka.Writer{
		Addr: kafka.TCP(
			p.kafka,
		),
		Topic:        p.alerts,
		Balancer:     &kafka.Hash{},
		RequiredAcks: kafka.RequireAll,
		BatchTimeout: 10 * time.Millisecond,
	}
	defer func() { err = errors.Join(err, r.Close(), w.Close()) }()
	for {
		m, err := r.FetchMessage(ctx)
		if err != nil {
			return fmt.Errorf("fetch: %w", err)
		}
		if c := customer(m.Value); c != "" {
			n, err := p.count(ctx, []string{c})
			if err != nil {
				return err
			}
			if id, value := alert(c, n[0]); value != nil {
				err := w.WriteMessages(ctx, kafka.Message{
					Key: []byte(c), Value: value, Headers: []kafka.Header{{Key: "ce_id", Value: []byte(id)}},
				})
				if err != nil {
					return fmt.Errorf("publish: %w", err)
				}
			}
		}
		if err := r.CommitMessages(ctx, m); err != nil {
			return fmt.Errorf("commit: %w", err)
		}
	}
}
