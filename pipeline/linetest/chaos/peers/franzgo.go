package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// franzGo reads a poll, counts it, and publishes its alerts in one transaction with its offsets.
func (p *peer) franzGo(ctx context.Context) error {
	s, err := kgo.NewGroupTransactSession(
		kgo.SeedBrokers(p.kafka), kgo.DefaultProduceTopic(p.alerts), kgo.TransactionalID(p.group+rand.Text()),
		kgo.TransactionTimeout(10*time.Second), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumerGroup(p.group),
		kgo.ConsumeTopics(p.input), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.SessionTimeout(p.session), kgo.HeartbeatInterval(time.Second),
	)
	if err != nil {
		return err
	}
	defer s.Close()
	for {
		fetches := s.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("fetch: %w", err)
		}
		if err := s.Begin(); err != nil {
			return fmt.Errorf("begin transaction: %w", err)
		}
		if err := p.poll(ctx, s, fetches.Records()); err != nil {
			return err
		}
		if _, err := s.End(ctx, kgo.TryCommit); err != nil {
			return fmt.Errorf("end transaction: %w", err)
		}
	}
}

// poll counts records, and hands alerts to the transaction.
func (p *peer) poll(ctx context.Context, s *kgo.GroupTransactSession, records []*kgo.Record) error {
	var customers []string
	for _, r := range records {
		if c := customer(r.Value); c != "" {
			customers = append(customers, c)
		}
	}
	numbers, err := p.count(ctx, customers)
	if err != nil {
		return err
	}
	var alerts []*kgo.Record
	for i, c := range customers {
		if id, value := alert(c, numbers[i]); value != nil {
			alerts = append(
				alerts,
				&kgo.Record{Key: []byte(c), Value: value, Headers: []kgo.RecordHeader{{Key: "ce_id", Value: []byte(id)}}},
			)
		}
	}
	if err := s.ProduceSync(ctx, alerts...).FirstErr(); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return nil
}
