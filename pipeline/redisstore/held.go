package redisstore

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"

	"ebb/pipeline"
)

// Held is how much Redis holds of a partition beside what its state counts, as of one commit: a State without outbox
// and packs. It does not claim; an owner may be at work. Errors: pipeline.ErrUnavailable, *pipeline.HardStop.
func (c *Client) Held(ctx context.Context, group string, partition int) (pipeline.State, error) {
	return c.look(ctx, group, partition, false)
}

// Peek is what a claim of the partition would find, but for its packs, without claiming: an owner may be at work.
// Errors: pipeline.ErrUnavailable, *pipeline.HardStop.
func (c *Client) Peek(ctx context.Context, group string, partition int) (pipeline.State, error) {
	return c.look(ctx, group, partition, true)
}

// look reads the meta twice: which due buckets to ask for stands in it, and what is asked for has to be of one commit.
func (c *Client) look(ctx context.Context, group string, partition int, outbox bool) (s pipeline.State, err error) {
	const op = "look at the partition"
	k := keysOf(group, partition)
	primary, err := c.primary(ctx, k.meta)
	if err != nil {
		return s, err
	}
	found, err := primary.Get(ctx, k.meta).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return s, classify(op, err)
	}
	before, _, err := readMeta(found)
	if err != nil {
		return s, unreadable(op, k.meta, err)
	}
	pipe := primary.TxPipeline()
	meta, profiles, length := pipe.Get(ctx, k.meta), pipe.HLen(ctx, k.profiles), pipe.LLen(ctx, k.outbox)
	held := pipe.HLen(ctx, k.held)
	var entries *redis.StringSliceCmd
	if outbox {
		entries = pipe.LRange(ctx, k.outbox, 0, -1)
	}
	asked := askBuckets(ctx, pipe, &k, before.Buckets.All())
	if err := failure(pipe.Exec(ctx)); err != nil {
		return s, classify(op, err)
	}
	if s.Meta, s.Exists, err = readMeta(meta.Val()); err != nil {
		return s, unreadable(op, k.meta, err)
	}
	s.Holds = pipeline.Holdings{Profiles: profiles.Val(), Outbox: length.Val(), Held: held.Val()}
	for _, b := range asked.missing() { // those that came since are looked at the next time
		if s.Meta.Buckets.Has(b) {
			s.Missing = append(s.Missing, b)
		}
	}
	if outbox {
		for _, e := range entries.Val() {
			s.Outbox = append(s.Outbox, []byte(e))
		}
	}
	return s, nil
}

// askHoldings asks for what holdings reads, at the end of a transaction.
func askHoldings(ctx context.Context, pipe redis.Pipeliner, k *keys) {
	pipe.Do(ctx, "HLEN", k.profiles)
	pipe.Do(ctx, "LLEN", k.outbox)
	pipe.Do(ctx, "HLEN", k.held)
}

const holdingsAnswers = 3

// holdings reads the answers to askHoldings.
func holdings(found []any) (h pipeline.Holdings, err error) {
	for i, n := range [holdingsAnswers]*int64{&h.Profiles, &h.Outbox, &h.Held} {
		var ok bool
		if *n, ok = found[i].(int64); !ok {
			return pipeline.Holdings{}, errReply
		}
	}
	return h, nil
}

// askedBuckets are due buckets that a pipeline asks for. None that is there is ever empty.
type askedBuckets struct {
	buckets []int64
	answers []*redis.StringCmd
}

func askBuckets(ctx context.Context, pipe redis.Pipeliner, k *keys, buckets []int64) askedBuckets {
	a := askedBuckets{buckets: buckets}
	for _, b := range buckets {
		a.answers = append(a.answers, pipe.GetRange(ctx, k.due(b), 0, 0))
	}
	return a
}

// missing are those that are not there, once the pipeline has run.
func (a *askedBuckets) missing() (gone []int64) {
	for i, b := range a.buckets {
		if a.answers[i].Val() == "" {
			gone = append(gone, b)
		}
	}
	return gone
}

// missing are those of the due buckets that are not there.
func missing(ctx context.Context, from redis.Cmdable, k *keys, buckets []int64) ([]int64, error) {
	if len(buckets) == 0 {
		return nil, nil
	}
	pipe := from.Pipeline()
	asked := askBuckets(ctx, pipe, k, buckets)
	if err := failure(pipe.Exec(ctx)); err != nil {
		return nil, classify("look for due buckets", err)
	}
	return asked.missing(), nil
}
