package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"ebb/pipeline"
)

// meta is the stored state's own description of a partition.
type meta struct {
	pipeline.Meta
	outbox int64 // entries
}

// keyOf is the name of one of a partition's keys.
func keyOf(partition int, name string) string {
	return fmt.Sprintf("ebb:{%s:p%d}:%s", groupName, partition, name)
}

// stateOf reads how far a partition's state is; zero where there is none.
func stateOf(ctx context.Context, cl *redis.Client, partition int) (m meta, err error) {
	v, err := cl.Get(ctx, keyOf(partition, "meta")).Bytes()
	if err != nil && !errors.Is(err, redis.Nil) {
		return m, err
	}
	const token = 16
	if len(v) > token {
		if m.Meta, err = pipeline.ReadMeta(v[token:]); err != nil {
			return m, fmt.Errorf("read the state of partition %d: %w", partition, err)
		}
	}
	m.outbox, err = cl.LLen(ctx, keyOf(partition, "outbox")).Result()
	return m, err
}

// begun returns nil once every partition has state that Kafka has a position for: then an older copy of the state can
// be resumed.
func (t ebbTarget) begun(ctx context.Context) error {
	committed, err := t.topics.committed(ctx)
	if err != nil {
		return err
	}
	for p := range partitions {
		m, err := stateOf(ctx, t.redis.Client(), p)
		if err == nil && (m.Next == 0 || committed[p] == 0) {
			err = fmt.Errorf("partition %d has no state", p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// caughtUp is nil once everything is processed: Kafka and Redis have reached the input's end, every deadline up to the
// watermark has fired, and nothing is left to publish.
func (t ebbTarget) caughtUp(ctx context.Context) error {
	ends, err := t.topics.ends(ctx, inputTopic)
	if err != nil {
		return err
	}
	committed, err := t.topics.committed(ctx)
	if err != nil {
		return err
	}
	for p := range partitions {
		m, err := stateOf(ctx, t.redis.Client(), p)
		switch {
		case err != nil:
			return err
		case m.Next != ends[p] || committed[p] != ends[p]:
			return fmt.Errorf("partition %d: state to %d, published to %d, of %d", p, m.Next, committed[p], ends[p])
		case m.Clock.Fired.Minute*60_000+60_000 <= m.Clock.Watermark:
			return fmt.Errorf(
				"partition %d: deadlines fired to minute %d, watermark %d",
				p,
				m.Clock.Fired.Minute,
				m.Clock.Watermark,
			)
		case m.outbox > 0:
			return fmt.Errorf("partition %d: %d entries in the outbox", p, m.outbox)
		}
	}
	return nil
}
