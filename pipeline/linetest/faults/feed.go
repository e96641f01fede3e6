package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/pipeline/linetest/oracle"
)

// send writes the next n events of the shop to the input.
func (t *trial) send(n int) error { return t.sendTo(t.ctx, t.input, n) }

func (t *trial) sendTo(ctx context.Context, topic string, n int) error {
	cl, err := t.producer()
	if err != nil {
		return err
	}
	defer cl.Close()
	return t.next(ctx, cl, topic, n)
}

// next writes the next n events, each to the partition of its customer by the number of them as of now.
func (t *trial) next(ctx context.Context, cl *kgo.Client, topic string, n int) error {
	if t.sent+n > len(t.log) {
		return fmt.Errorf("the shop has no more than %d events", len(t.log))
	}
	if err := write(ctx, cl, topic, t.log[t.sent:t.sent+n], int(t.spread.Load())); err != nil {
		return err
	}
	t.sent += n
	return nil
}

// write writes events in their order.
func write(ctx context.Context, cl *kgo.Client, topic string, events []event, partitions int) error {
	records := make([]*kgo.Record, len(events))
	for i, e := range events {
		records[i] = &kgo.Record{
			Topic: topic, Key: []byte(e.customer), Value: e.value, Timestamp: time.Unix(e.seconds, 0),
			Partition: int32(oracle.Partition([]byte(e.customer), partitions)),
		}
	}
	return cl.ProduceSync(ctx, records...).FirstErr()
}

// producer is a client that knows nothing of what topics were before.
func (t *trial) producer() (*kgo.Client, error) {
	return kgo.NewClient(
		kgo.SeedBrokers(t.kafka), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0),
		kgo.MetadataMinAge(100*time.Millisecond), kgo.MetadataMaxAge(time.Second), kgo.MaxBufferedRecords(200_000),
	)
}

// flow writes events beside the trial, so many a second, until the function that it returns is called.
func (t *trial) flow(perSecond int) (stop func() error) {
	ctx, cancel := context.WithCancel(t.ctx)
	ended := make(chan error, 1)
	go func() { ended <- t.flowing(ctx, perSecond) }()
	return func() error {
		cancel()
		return <-ended
	}
}

func (t *trial) flowing(ctx context.Context, perSecond int) error {
	cl, err := t.producer()
	if err != nil {
		return err
	}
	defer cl.Close()
	const tick = 50 * time.Millisecond
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	spread := t.spread.Load()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
		if now := t.spread.Load(); now != spread { // as a producer does that has learnt of it
			spread = now
			cl.Close()
			if cl, err = t.producer(); err != nil {
				return err
			}
		}
		// What was begun is ended, so that it is known what the input holds.
		if err := t.next(context.WithoutCancel(ctx), cl, t.input, perSecond/int(time.Second/tick)); err != nil {
			return errors.Join(err, ctx.Err())
		}
	}
}
