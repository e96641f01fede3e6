package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"ebb/pipeline"
)

// Inspection is the state of a partition and of one customer in it, as of one commit.
type Inspection struct {
	Exists  bool          // false: no commit of this partition has been made
	Meta    pipeline.Meta // zero unless Exists
	Profile []byte        // as committed; nil: the customer has no state here
	Outbox  int           // entries not yet published

	Packs []pipeline.PackBytes // those of Meta.Packs that are stored
}

// Inspect reads without claiming; an owner may be at work. Errors: pipeline.ErrUnavailable, *pipeline.HardStop, also
// for a state of another layout, of which nothing else is known.
func (c *Client) Inspect(ctx context.Context, group string, partition int, customer []byte) (i Inspection, err error) {
	k := keysOf(group, partition)
	primary, err := c.primary(ctx, k.meta)
	if err != nil {
		return i, err
	}
	pipe := primary.TxPipeline()
	meta, profile := pipe.Get(ctx, k.meta), pipe.HGet(ctx, k.profiles, string(customer))
	outbox := pipe.LLen(ctx, k.outbox)
	if err := failure(pipe.Exec(ctx)); err != nil {
		return i, classify("inspect", err)
	}
	if i.Meta, i.Exists, err = readMeta(meta.Val()); err != nil {
		return i, unreadable("inspect", k.meta, err)
	}
	if v := i.Meta.Version; i.Exists && v != pipeline.MetaVersion {
		const other = "the state has layout %d, this build reads %d: %w"
		return i, unreadable("inspect", k.meta, fmt.Errorf(other, v, pipeline.MetaVersion, pipeline.ErrMetaVersion))
	}
	if profile.Err() == nil {
		i.Profile = []byte(profile.Val())
	}
	i.Outbox = int(outbox.Val())
	if len(i.Meta.Packs) > 0 {
		i.Packs, err = packsOf(ctx, primary, k.packs, i.Meta.Packs)
	}
	return i, err
}

// Usage is how much memory a group uses in Redis: bytes by MEMORY USAGE, including the allocator's rounding.
type Usage struct {
	Customers                   int64 // profiles held
	Profiles, Due, Outbox, Meta int64 // bytes
	DueBuckets                  int   // keys
}

// PerCustomer is all bytes per customer; 0 without customers.
func (u *Usage) PerCustomer() float64 {
	if u.Customers == 0 {
		return 0
	}
	return float64(u.Profiles+u.Due+u.Outbox+u.Meta) / float64(u.Customers)
}

// usageSamples is how many fields of a profiles hash MEMORY USAGE samples for its estimate.
const usageSamples = 1000

// Usage measures the state of group. Errors: pipeline.ErrUnavailable, *pipeline.HardStop.
func (c *Client) Usage(ctx context.Context, group string) (u Usage, err error) {
	found, err := c.scan(ctx, group)
	if err != nil {
		return u, err
	}
	for _, names := range found {
		for _, name := range names {
			if err := c.addUsage(ctx, name, &u); err != nil {
				return u, classify("measure memory", err)
			}
		}
	}
	return u, nil
}

func (c *Client) addUsage(ctx context.Context, name string, u *Usage) error {
	bytes, err := c.redis.MemoryUsage(ctx, name, usageSamples).Result()
	if errors.Is(err, redis.Nil) { // the key has gone
		return nil
	}
	if err != nil {
		return err
	}
	_, part, _ := strings.Cut(name, "}:")
	switch part {
	case "meta", "packs", "held", "asked":
		u.Meta += bytes
	case "outbox":
		u.Outbox += bytes
	case "profiles":
		u.Profiles += bytes
		n, err := c.redis.HLen(ctx, name).Result()
		u.Customers += n
		return err
	default:
		u.Due += bytes
		u.DueBuckets++
	}
	return nil
}
