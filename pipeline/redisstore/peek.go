package redisstore

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"

	"ebb/pipeline"
)

// Peek is what a claim of the partition would find, without claiming: an owner may be at work. Errors:
// pipeline.ErrUnavailable, *pipeline.HardStop.
func (c *Client) Peek(ctx context.Context, group string, partition int) (s pipeline.State, err error) {
	const op = "look at the partition"
	k := keysOf(group, partition)
	primary, err := c.primary(ctx, k.meta)
	if err != nil {
		return s, err
	}
	pipe := primary.TxPipeline()
	meta, outbox := pipe.Get(ctx, k.meta), pipe.LRange(ctx, k.outbox, 0, -1)
	profiles, length := pipe.HLen(ctx, k.profiles), pipe.LLen(ctx, k.outbox)
	if err := failure(pipe.Exec(ctx)); err != nil {
		return s, classify(op, err)
	}
	if err := meta.Err(); err != nil && !errors.Is(err, redis.Nil) {
		return s, classify(op, err)
	}
	if s.Meta, s.Exists, err = readMeta(meta.Val()); err != nil {
		return s, unreadable(op, k.meta, err)
	}
	for _, e := range outbox.Val() {
		s.Outbox = append(s.Outbox, []byte(e))
	}
	s.Holds = pipeline.Holdings{Profiles: profiles.Val(), Outbox: length.Val()}
	held, err := c.Held(ctx, group, partition) // a look of its own: meanwhile an owner may have removed buckets
	s.Missing = held.Missing
	return s, err
}
