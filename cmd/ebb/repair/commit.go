package repair

import (
	"context"
	"errors"
	"fmt"

	"ebb/cmd/ebb/connect"
	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
	"ebb/pipeline/redisstore"
	"ebb/sinks"
)

// Repair commits the positions of a plan, each in a transaction under its partition's transactional id, as an owner
// does. First it fences whoever may still work on the partitions, in Kafka and in Redis, and finds the positions again:
// what differs from the plan is left alone. It may be repeated. The group must have no member.
func (g *Group) Repair(ctx context.Context, plan []Partition) (repaired int, err error) {
	fences := map[int32]*fence{}
	defer func() {
		for _, f := range fences {
			err = errors.Join(err, f.store.Close())
		}
	}()
	for i := range plan {
		if plan[i].mark == nil {
			continue
		}
		n := plan[i].Partition
		if fences[n], err = g.fence(ctx, n); err != nil {
			delete(fences, n)
			return 0, fmt.Errorf("partition %d: %w", n, err)
		}
	}
	members, err := g.Members(ctx)
	if err != nil {
		return 0, err
	}
	if len(members) > 0 {
		return 0, connect.HasMembers(g.cfg, members)
	}
	again, err := g.plan(ctx, func(n int32) (pipeline.State, error) {
		if f := fences[n]; f != nil {
			return f.state, nil
		}
		return g.Redis.Peek(ctx, g.cfg.Kafka.Group, int(n))
	})
	if err != nil {
		return 0, err
	}
	for n, f := range fences {
		if again[n].mark == nil || *again[n].mark != *plan[n].mark {
			return repaired, errChanged(n)
		}
		if err := g.commit(ctx, f, n, again[n].mark); err != nil {
			return repaired, fmt.Errorf("partition %d: %w", n, err)
		}
		repaired++
	}
	return repaired, nil
}

// fence is a partition that no owner can write to any more.
type fence struct {
	producer *kafkawire.Producer
	store    *redisstore.Partition
	state    pipeline.State
}

// fence takes over a partition's transactional id, which ends what is open under it, and its state.
func (g *Group) fence(ctx context.Context, n int32) (f *fence, err error) {
	k := &g.cfg.Kafka
	f = &fence{}
	f.producer, err = g.Kafka.NewProducer(kafkawire.ProducerConfig{
		TransactionalID: sinks.TransactionalID(k.Group, k.Input, n), Timeout: k.TransactionTimeout,
	})
	if err != nil {
		return nil, err
	}
	if err := f.producer.Init(ctx); err != nil {
		return nil, err
	}
	f.store = g.Redis.Partition(k.Group, int(n))
	if f.state, err = f.store.Claim(ctx, redisstore.NewToken()); err != nil {
		return nil, errors.Join(err, f.store.Close())
	}
	return f, nil
}

// commit commits the position, and reads it back.
func (g *Group) commit(ctx context.Context, f *fence, n int32, m *pipeline.Mark) error {
	k := &g.cfg.Kafka
	err := f.producer.Commit(ctx, &kafkawire.Transaction{
		Membership: kafkawire.Membership{Group: k.Group, Generation: -1},
		Topic:      k.Input, Partition: n, Offset: m.Offset, Metadata: m.Metadata(),
	})
	if err != nil {
		return err
	}
	at, err := connect.Committed(ctx, g.Kafka, g.cfg, n, g.Waiting)
	if err != nil {
		return err
	}
	if !at.Exists || at.Offset != m.Offset || at.Metadata != m.Metadata() {
		return errChanged(n)
	}
	return nil
}
