package redisstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"ebb/pipeline"
)

// Held is what Redis holds of a partition beside what its state counts, as of one commit.
type Held struct {
	Exists  bool // false: no commit of this partition has been made
	Meta    pipeline.Meta
	Holds   pipeline.Holdings
	Missing []int64 // of Meta.Buckets, those that are not there
}

// Held looks without claiming; an owner may be at work. Errors: pipeline.ErrUnavailable, *pipeline.HardStop.
func (c *Client) Held(ctx context.Context, group string, partition int) (h Held, err error) {
	k := keysOf(group, partition)
	primary, err := c.primary(ctx, k.meta)
	if err != nil {
		return h, err
	}
	found, err := primary.Get(ctx, k.meta).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return h, classify("look at what is held", err)
	}
	before, _, err := readMeta(found)
	if err != nil {
		return h, damaged(fmt.Sprintf("read %s: %v", k.meta, err))
	}
	asked := before.Buckets.All()
	pipe := primary.TxPipeline()
	meta, profiles, outbox := pipe.Get(ctx, k.meta), pipe.HLen(ctx, k.profiles), pipe.LLen(ctx, k.outbox)
	buckets := make([]*redis.StringCmd, len(asked))
	for i, b := range asked {
		buckets[i] = pipe.GetRange(ctx, k.due(b), 0, 0)
	}
	if err := failure(pipe.Exec(ctx)); err != nil {
		return h, classify("look at what is held", err)
	}
	if h.Meta, h.Exists, err = readMeta(meta.Val()); err != nil {
		return h, damaged(fmt.Sprintf("read %s: %v", k.meta, err))
	}
	h.Holds = pipeline.Holdings{Profiles: profiles.Val(), Outbox: outbox.Val()}
	for i, b := range asked { // those that came since are looked at the next time
		if buckets[i].Val() == "" && h.Meta.Buckets.Has(b) {
			h.Missing = append(h.Missing, b)
		}
	}
	return h, nil
}

// holdings reads what HLEN and LLEN answered.
func holdings(found []any) (h pipeline.Holdings, err error) {
	profiles, ok := found[0].(int64)
	outbox, ok2 := found[1].(int64)
	if !ok || !ok2 {
		return h, errReply
	}
	return pipeline.Holdings{Profiles: profiles, Outbox: outbox}, nil
}

// missing are those of the due buckets that are not there. None is ever empty.
func missing(ctx context.Context, from redis.Cmdable, k *keys, buckets []int64) (gone []int64, err error) {
	if len(buckets) == 0 {
		return nil, nil
	}
	pipe := from.Pipeline()
	found := make([]*redis.StringCmd, len(buckets))
	for i, b := range buckets {
		found[i] = pipe.GetRange(ctx, k.due(b), 0, 0)
	}
	if err := failure(pipe.Exec(ctx)); err != nil {
		return nil, classify("look for due buckets", err)
	}
	for i, b := range buckets {
		if found[i].Val() == "" {
			gone = append(gone, b)
		}
	}
	return gone, nil
}
