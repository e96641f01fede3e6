package redisstore

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// Holders lists the partitions of the group, of the first count, that hold state of the customer with this key. It reads
// without claiming, by a command that owners need too. Errors: pipeline.ErrUnavailable.
func (c *Client) Holders(ctx context.Context, group string, count int, customer []byte) (partitions []int, err error) {
	asked := make([]*redis.SliceCmd, count)
	_, err = c.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for p := range asked {
			k := keysOf(group, p)
			asked[p] = pipe.HMGet(ctx, k.profiles, string(customer))
		}
		return nil
	})
	if err != nil {
		return nil, classify("find holders", err)
	}
	for p, a := range asked {
		if found := a.Val(); len(found) == 1 && found[0] != nil {
			partitions = append(partitions, p)
		}
	}
	return partitions, nil
}
