package redisstore

import (
	"context"
	"errors"
	"net/url"

	"github.com/redis/go-redis/v9"
)

// sharedKey is the hash of what the partitions of a group share, in this life of its topic. It lies beside those of its
// partitions, whose names it cannot have: those are numbers.
func sharedKey(group, topicID string) string {
	return groupTag(group) + "ool}:" + url.PathEscape(topicID)
}

// Share writes fields of what the partitions of a group share, and reads one, or "": all. Nothing guards it, and it is never
// removed: it is small, and decides nothing by itself. Errors: pipeline.ErrUnavailable, *pipeline.HardStop.
func (c *Client) Share(
	ctx context.Context, group, topicID string, put map[string][]byte, want string,
) (found map[string][]byte, err error) {
	key := sharedKey(group, topicID)
	primary, err := c.primary(ctx, key)
	if err != nil {
		return nil, err
	}
	if len(put) > 0 {
		fields := make([]any, 0, 2*len(put))
		for field, value := range put {
			fields = append(fields, field, value)
		}
		if err := primary.HSet(ctx, key, fields...).Err(); err != nil {
			return nil, classify("share budgets", err)
		}
	}
	found = map[string][]byte{}
	if want == "" {
		return found, scanHash(
			ctx,
			primary,
			key,
			"read what is shared",
			func(field string, value []byte) { found[field] = value },
		)
	}
	switch b, err := primary.HGet(ctx, key, want).Bytes(); {
	case err == nil:
		found[want] = b
	case !errors.Is(err, redis.Nil):
		return nil, classify("read what is shared", err)
	}
	return found, nil
}
