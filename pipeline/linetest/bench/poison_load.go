package main

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// poisonEvery is the distance of poisoned records.
const poisonEvery = 5

// poison copies the topic into another one, in which every fifth record cannot be used, for all reasons in turn.
func (b *bench) poison(ctx context.Context, topic string) (sent *digest, err error) {
	out, err := kgo.NewClient(
		kgo.SeedBrokers(b.kafka),
		kgo.DefaultProduceTopic(topic),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.MaxBufferedRecords(100_000),
	)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	if err := createTopic(ctx, out, b.Partitions, topic); err != nil {
		return nil, err
	}
	sent = newDigest()
	kinds := poisonKinds()
	n := -1
	var failed atomic.Pointer[error]
	err = b.each(ctx, input, make([]int64, b.Partitions), func(r *kgo.Record) error {
		n++
		copied := &kgo.Record{Key: r.Key, Value: r.Value, Headers: r.Headers, Timestamp: r.Timestamp, Partition: r.Partition}
		if n%poisonEvery == poisonEvery-1 {
			kind := &kinds[n/poisonEvery%len(kinds)]
			copied = poisoned(kind, n, r)
			sent.add(kind.code, r.Partition, copied, copied.Headers)
		}
		out.Produce(ctx, copied, func(_ *kgo.Record, err error) {
			if err != nil {
				failed.CompareAndSwap(nil, &err)
			}
		})
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := out.Flush(ctx); err != nil {
		return nil, err
	}
	if err := failed.Load(); err != nil {
		return nil, *err
	}
	return sent, nil
}

// each hands the committed records of a topic to do, each partition in order, from the given offsets to its present
// end.
func (b *bench) each(ctx context.Context, topic string, from []int64, do func(*kgo.Record) error) error {
	ends, err := b.ends(ctx, topic)
	if err != nil {
		return err
	}
	left, offsets := 0, map[int32]kgo.Offset{}
	for p, end := range ends {
		if from[p] < end {
			left++
			offsets[int32(p)] = kgo.NewOffset().At(from[p])
		}
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(b.kafka),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: offsets}),
		kgo.FetchIsolationLevel(
			kgo.ReadCommitted(),
		),
		kgo.KeepControlRecords(),
		kgo.FetchMaxBytes(50<<20),
		kgo.FetchMaxPartitionBytes(8<<20),
	)
	if err != nil {
		return err
	}
	defer client.Close()
	for left > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("read %s: %w", topic, err)
		}
		for records := fetches.RecordIter(); !records.Done(); {
			r := records.Next()
			if !r.Attrs.IsControl() && r.Offset < ends[r.Partition] {
				if err := do(r); err != nil {
					return err
				}
			}
			if r.Offset == ends[r.Partition]-1 { // mostly a marker
				left--
			}
		}
	}
	return nil
}

// ends is the end offset of each partition.
func (b *bench) ends(ctx context.Context, topic string) ([]int64, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(b.kafka))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	listed, err := kadm.NewClient(client).ListEndOffsets(ctx, topic)
	if err == nil {
		err = listed.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("find the end of %s: %w", topic, err)
	}
	var ends []int64
	for _, o := range listed.Offsets()[topic] {
		for len(ends) <= int(o.Partition) {
			ends = append(ends, 0)
		}
		ends[o.Partition] = o.At
	}
	return ends, nil
}
