// Package held shows which raises a group holds, and asks its owners to release them.
package held

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/inspect"
	"ebb/pipeline"
	"ebb/pipeline/redisstore"
)

// Partition is what a partition holds, and what its owner was asked for.
type Partition struct {
	Partition int            `json:"partition"`
	Held      map[string]int `json:"held"`            // raises, by reason
	Asked     string         `json:"asked,omitempty"` // id
}

// Plan is what the partitions of a group hold, or one of them; -1: all. Errors: those of redisstore.
func Plan(ctx context.Context, redis *redisstore.Client, group string, only int) (plan []Partition, err error) {
	exists, err := inspect.EachPartition(ctx, redis, group, nil, func(n int, i *redisstore.Inspection) error {
		if !i.Exists || only >= 0 && n != only {
			return nil
		}
		p := Partition{Partition: n, Held: map[string]int{}}
		plan = append(plan, p)
		return eachRaise(ctx, redis, group, n, func(h *pipeline.Held) { p.Held[h.Reason.String()]++ })
	})
	switch {
	case err != nil:
		return nil, err
	case !exists:
		return nil, noState(group)
	case len(plan) == 0:
		return nil, advice.Usage(fmt.Errorf("group %s has no partition %d", group, only))
	}
	return plan, nil
}

// noState is the error of a group of which Redis holds nothing.
func noState(group string) error {
	return advice.Add(fmt.Errorf("group %s has no state in Redis", group), "see kafka.group and redis.addresses")
}

// eachRaise calls f with each raise that a partition holds, once: Redis may return an entry twice. Errors: those of
// redisstore, pipeline.ErrHeldDamaged.
func eachRaise(
	ctx context.Context, redis *redisstore.Client, group string, partition int, f func(*pipeline.Held),
) error {
	seen := map[string]bool{}
	var damaged error
	err := redis.Raises(ctx, group, partition, func(e pipeline.HeldEntry) {
		h, err := pipeline.ReadHeld(e)
		if err != nil {
			damaged = err
		}
		if !seen[string(e.Key)] {
			seen[string(e.Key)] = true
			f(&h)
		}
	})
	return cmp.Or(err, damaged)
}

// Ask asks the owners of those partitions of the plan that hold something for the reason to release it, and notes it there.
func Ask(ctx context.Context, redis *redisstore.Client, group string, plan []Partition, what pipeline.Asked) error {
	for i := range plan {
		p := &plan[i]
		if p.Held[what.Reason] == 0 {
			continue
		}
		what.ID, what.Kind, what.At = rand.Text(), pipeline.AskRelease, time.Now().UTC()
		if err := redis.Ask(ctx, group, p.Partition, &what); err != nil {
			return err
		}
		p.Asked = what.ID
	}
	return nil
}

// Sum is how many raises the partitions of a plan hold for a reason.
func Sum(plan []Partition, reason string) (n int) {
	for i := range plan {
		n += plan[i].Held[reason]
	}
	return n
}
