package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/pipeline/linetest/chaos/breakable"
)

// The run's topics and group.
const (
	groupName       = "chaos"
	inputTopic      = "chaos.events"
	dlqTopic        = "chaos.events.dlq"
	alertTopic      = "chaos.alerts"
	controlTopic    = "chaos.control"
	packTopic       = "chaos.packs"
	decisionTopic   = "chaos.decisions"
	partitions      = 6 // of the input
	alertPartitions = 3
)

// topics reads Kafka independently of ebb.
type topics struct {
	broker string
	client *kgo.Client
	admin  *kadm.Client
}

func newTopics(broker string) (*topics, error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.MetadataMinAge(100*time.Millisecond))
	if err != nil {
		return nil, err
	}
	return &topics{broker: broker, client: cl, admin: kadm.NewClient(cl)}, nil
}

func (t *topics) close() { t.client.Close() }

// create makes the topics, which keep records of any age.
func (t *topics) create(ctx context.Context) error {
	for topic, n := range map[string]int32{
		inputTopic:   partitions,
		dlqTopic:     partitions,
		alertTopic:   alertPartitions,
		controlTopic: partitions,
		packTopic:    1,

		decisionTopic: alertPartitions,
	} {
		created, err := t.admin.CreateTopics(ctx, n, 1, topicConfig(), topic)
		if err := errors.Join(err, created.Error()); err != nil {
			return fmt.Errorf("create %s: %w", topic, err)
		}
	}
	return breakable.Until(ctx, time.Minute, "the broker knows its topics", func(ctx context.Context) error {
		for _, topic := range []string{inputTopic, dlqTopic, alertTopic, controlTopic, packTopic, decisionTopic} {
			if _, err := t.ends(ctx, topic); err != nil {
				return err
			}
		}
		return nil
	})
}

// topicConfig has a topic keep records of any age, and take what is larger than members do.
func topicConfig() map[string]*string {
	forever, size := "-1", "2097152"
	return map[string]*string{"retention.ms": &forever, "max.message.bytes": &size}
}

// ends are the ends of a topic's partitions.
func (t *topics) ends(ctx context.Context, topic string) ([]int64, error) {
	listed, err := t.admin.ListEndOffsets(ctx, topic)
	if err := errors.Join(err, listed.Error()); err != nil {
		return nil, err
	}
	return offsets(listed, topic), nil
}

// stable are the ends for readers of committed data.
func (t *topics) stable(ctx context.Context, topic string) ([]int64, error) {
	listed, err := t.admin.ListCommittedOffsets(ctx, topic)
	if err := errors.Join(err, listed.Error()); err != nil {
		return nil, err
	}
	return offsets(listed, topic), nil
}

func offsets(listed kadm.ListedOffsets, topic string) []int64 {
	ends := make([]int64, len(listed[topic]))
	for p, o := range listed[topic] {
		ends[p] = o.Offset
	}
	return ends
}

// committed is the group's offset of each input partition, 0 where it has none.
func (t *topics) committed(ctx context.Context) ([]int64, error) {
	responses, err := t.admin.FetchOffsets(ctx, groupName)
	if err := errors.Join(err, responses.Error()); err != nil {
		return nil, err
	}
	found := make([]int64, partitions)
	for p := range int32(partitions) {
		if o, ok := responses.Lookup(inputTopic, p); ok {
			found[p] = max(o.At, 0)
		}
	}
	return found, nil
}

// settled waits until no transaction is open on the topic, and returns the partitions' ends.
func (t *topics) settled(ctx context.Context, topic string) (ends []int64, err error) {
	err = breakable.Until(ctx, time.Minute, "no transaction is open on "+topic, func(ctx context.Context) error {
		all, err := t.ends(ctx, topic)
		if err != nil {
			return err
		}
		if ends, err = t.stable(ctx, topic); err == nil && !slices.Equal(all, ends) {
			err = fmt.Errorf("open from %v to %v", ends, all)
		}
		return err
	})
	return ends, err
}

// read hands every committed record of a topic before the ends to take, each partition's in order.
func (t *topics) read(ctx context.Context, topic string, ends []int64, take func(*kgo.Record)) error {
	from, missing := map[int32]kgo.Offset{}, map[int32]bool{}
	for p, end := range ends {
		if end > 0 {
			from[int32(p)], missing[int32(p)] = kgo.NewOffset().AtStart(), true
		}
	}
	if len(from) == 0 {
		return nil
	}
	cl, err := kgo.NewClient(
		kgo.SeedBrokers(t.broker),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}),
		kgo.MetadataMinAge(100*time.Millisecond),
	)
	if err != nil {
		return err
	}
	defer cl.Close()
	for len(missing) > 0 {
		fetches := cl.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			return err
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if !r.Attrs.IsControl() {
				take(r)
			}
			if r.Offset >= ends[r.Partition]-1 {
				delete(missing, r.Partition)
			}
		})
	}
	return nil
}

// all is everything that read hands over, in order.
func (t *topics) all(ctx context.Context, topic string) (records []*kgo.Record, err error) {
	ends, err := t.settled(ctx, topic)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	if err := t.read(ctx, topic, ends, func(r *kgo.Record) { records = append(records, r) }); err != nil {
		return nil, fmt.Errorf("read %s: %w", topic, err)
	}
	slices.SortStableFunc(records, func(a, b *kgo.Record) int {
		return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
	})
	return records, nil
}
