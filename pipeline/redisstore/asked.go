package redisstore

import (
	"context"
	"slices"

	"github.com/redis/go-redis/v9"

	"ebb/pipeline"
)

// Ask leaves what a person asks of a partition for its owner, which removes it in the commit that does it. Errors:
// pipeline.ErrUnavailable, *pipeline.HardStop.
func (c *Client) Ask(ctx context.Context, group string, partition int, a *pipeline.Asked) error {
	k := keysOf(group, partition)
	primary, err := c.primary(ctx, k.meta)
	if err != nil {
		return err
	}
	if err := primary.HSet(ctx, k.asked, a.ID, a.Encode()).Err(); err != nil {
		return classify("ask", err)
	}
	return nil
}

// Asked calls each with what is asked of a partition, in any order; one may come twice. Errors: pipeline.ErrUnavailable,
// *pipeline.HardStop.
func (c *Client) Asked(ctx context.Context, group string, partition int, each func(id string, value []byte)) error {
	k := keysOf(group, partition)
	return c.scanHash(ctx, &k, k.asked, "read what is asked", each)
}

// Raises calls each with the raises that a partition holds, in any order; one may come twice. An owner may be at work.
// Errors: pipeline.ErrUnavailable, *pipeline.HardStop.
func (c *Client) Raises(ctx context.Context, group string, partition int, each func(pipeline.HeldEntry)) error {
	k := keysOf(group, partition)
	return c.scanHash(ctx, &k, k.held, "read held raises", func(key string, value []byte) {
		each(pipeline.HeldEntry{Key: []byte(key), Value: value})
	})
}

func (c *Client) scanHash(
	ctx context.Context, k *keys, key, op string, each func(field string, value []byte),
) error {
	primary, err := c.primary(ctx, k.meta)
	if err != nil {
		return err
	}
	return scanHash(ctx, primary, key, op, each)
}

// fieldsPerScan is how many fields of a hash the server scans per step of an HSCAN.
const fieldsPerScan = 10_000

// scanHash calls each with the fields of a hash.
func scanHash(
	ctx context.Context, from redis.Cmdable, key, op string, each func(field string, value []byte),
) error {
	for cursor := uint64(0); ; {
		found, next, err := from.HScan(ctx, key, cursor, "", fieldsPerScan).Result()
		if err != nil {
			return classify(op, err)
		}
		for pair := range slices.Chunk(found, 2) {
			each(pair[0], []byte(pair[1]))
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}
