package kafkawire

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// deliver brings batches, at most one for each partition, to the leaders of their partitions, side by side. Batches
// refused for reasons that pass are sent again. On nil all have been written; after a lost answer it is unknown.
// Errors: *oversize among others.
func (c *Client) deliver(ctx context.Context, version int16, transaction *string, batches []sealed) error {
	_, err := repeat(ctx, c, c.timeout, func(ctx context.Context) (struct{}, error) {
		refused, err := c.deliverOnce(ctx, version, transaction, batches)
		if err != nil {
			return struct{}{}, err
		}
		batches = slices.DeleteFunc(batches, func(b sealed) bool {
			return !slices.ContainsFunc(refused, func(r refusedBatch) bool { return r.to == b.to })
		})
		return struct{}{}, worst(refused)
	}, refused)
	return err
}

// deliverOnce sends each leader its batches in one request and lists those that were refused.
func (c *Client) deliverOnce(
	ctx context.Context,
	version int16,
	transaction *string,
	batches []sealed,
) ([]refusedBatch, error) {
	leaders := make(map[int32][]sealed)
	for _, b := range batches {
		id, err := c.leader(ctx, b.to)
		if err != nil {
			return nil, err
		}
		leaders[id] = append(leaders[id], b)
	}
	var (
		wait    sync.WaitGroup
		mu      sync.Mutex
		refused []refusedBatch
		failed  error
	)
	for id, theirs := range leaders {
		wait.Go(func() {
			answer, err := c.Request(ctx, toNode(id), c.produceRequest(version, transaction, theirs))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = lost(failed, err)
				return
			}
			refused = append(refused, refusals(answer.(*kmsg.ProduceResponse))...)
		})
	}
	wait.Wait()
	return refused, failed
}

// lost joins errors so that an unclear one is not taken for a refusal that asks to come again.
func lost(a, b error) error {
	if a == nil || refused(a) {
		return b
	}
	return a
}

// worst picks the refusal to act on: one that does not pass before one that does.
func worst(list []refusedBatch) error {
	var err error
	for _, r := range list {
		switch {
		case r.err == MessageTooLarge || r.err == RecordListTooLarge:
			return &oversize{r.to, r.err}
		case r.err == InvalidTimestamp || r.err == InvalidRecord || r.err == PolicyViolation:
			return notTaken(r.to, r.err)
		case err == nil || refused(err):
			err = fmt.Errorf("produce to %s/%d: %w", r.to.topic, r.to.partition, r.err)
		}
	}
	return err
}

var errNotStarted = errors.New("producer is to be started anew")
