package redisstore

import (
	"context"
	"slices"

	"github.com/redis/go-redis/v9"
)

// Allowed tries without effect every command that an owner of a partition of group sends, and returns the refusals, in
// Redis's own words, each once. The server checks permissions when a command is queued in a transaction, and that
// transaction is never executed. Errors: pipeline.ErrUnavailable, *pipeline.HardStop.
func (c *Client) Allowed(ctx context.Context, group string) (refusals []string, err error) {
	k := keysOf(group, 0)
	primary, err := c.primary(ctx, k.meta)
	if err != nil {
		return nil, err
	}
	conn := primary.EphemeralConn() // ends with the transaction open
	defer conn.Close()              //nolint:errcheck // nothing is lost
	for _, begin := range [][]any{{"WATCH", k.meta}, {"MULTI"}} {
		err := conn.Do(ctx, begin...).Err()
		switch {
		case redis.IsPermissionError(err): // without the transaction the rest would take effect
			return []string{err.Error()}, nil
		case err != nil:
			return nil, classify("try permissions", err)
		}
	}
	pipe := conn.Pipeline()
	for _, command := range [][]any{
		{"GET", k.meta},
		{"GETRANGE", k.meta, 0, 0},
		{"SETRANGE", k.meta, 0, ""},
		{"SET", k.meta, ""},
		{"HLEN", k.profiles},
		{"HGET", k.profiles, ""},
		{"HMGET", k.profiles, ""},
		{"HSET", k.profiles, "", ""},
		{"HDEL", k.profiles, ""},
		{"HSCAN", k.held, 0},
		{"HSCAN", k.asked, 0},
		{"HSET", k.asked, "", ""},
		{"APPEND", k.due(0), ""},
		{"LRANGE", k.outbox, 0, 0},
		{"LLEN", k.outbox},
		{"LTRIM", k.outbox, 0, 0},
		{"RPUSH", k.outbox, ""},
		{"UNLINK", k.outbox},
		{"SCAN", 0},
	} {
		pipe.Do(ctx, command...)
	}
	cmds, err := pipe.Exec(ctx)
	for _, cmd := range cmds {
		switch {
		case redis.IsPermissionError(cmd.Err()):
			if why := cmd.Err().Error(); !slices.Contains(refusals, why) {
				refusals = append(refusals, why)
			}
		case cmd.Err() != nil:
			return nil, classify("try permissions", failure(cmds, err))
		}
	}
	return refusals, nil
}
