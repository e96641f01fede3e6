package redisstore

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"

	"ebb/pipeline"
)

// scanCount is how many keys the server scans per step of a SCAN.
const scanCount = 1000

// Empty removes the state of all partitions of group, of 0 to partitions-1 and of any others, and returns how many keys
// it removed. It reads none of them, so that damaged state can be emptied too. It fences every owner first; one that
// takes its partition back meanwhile makes Empty fail with pipeline.ErrFenced. A second call finishes what was left.
// Other errors: pipeline.ErrUnavailable, *pipeline.HardStop.
func (c *Client) Empty(ctx context.Context, group string, partitions int) (removed int, err error) {
	fenced := map[int]*Partition{}
	defer func() {
		for _, p := range fenced {
			p.drop(errUnclaimed)
		}
	}()
	fence := func(n int) error {
		if fenced[n] != nil {
			return nil
		}
		fenced[n] = c.Partition(group, n)
		gone, err := fenced[n].fence(ctx)
		removed += gone
		return err
	}
	for n := range partitions {
		if err := fence(n); err != nil {
			return removed, err
		}
	}
	found, err := c.scan(ctx, group)
	if err != nil {
		return removed, err
	}
	for n, names := range found {
		if err := fence(n); err != nil {
			return removed, err
		}
		gone, err := fenced[n].unlink(ctx, names)
		if err != nil {
			return removed, err
		}
		removed += gone
	}
	return removed, nil
}

// Seed makes the first commit of an empty partition, so that its owner starts at m. It fails with pipeline.ErrFenced
// where there is a commit already. Other errors: pipeline.ErrUnavailable, *pipeline.HardStop.
func (p *Partition) Seed(ctx context.Context, m pipeline.Meta) error {
	first := NewToken()
	s, err := p.Claim(ctx, first)
	if err != nil {
		return err
	}
	if s.Exists {
		p.drop(errUnclaimed)
		return fmt.Errorf("seed: %w: the partition is not empty", pipeline.ErrFenced)
	}
	return p.Commit(ctx, &pipeline.Commit{Previous: first, Token: NewToken(), Meta: m})
}

// fence removes meta, so that the next commit of any owner is refused, and unlink is refused after any later claim.
func (p *Partition) fence(ctx context.Context) (removed int, err error) {
	primary, err := p.client.primary(ctx, p.keys.meta)
	if err != nil {
		return 0, err
	}
	p.conn = primary.EphemeralConn()
	pipe := p.conn.Pipeline()
	unlinked := pipe.Unlink(ctx, p.keys.meta)
	pipe.Do(ctx, "WATCH", p.keys.meta)
	if err := failure(pipe.Exec(ctx)); err != nil {
		return 0, classify("fence "+p.keys.tag, err)
	}
	return int(unlinked.Val()), nil
}

// unlink removes keys of the partition after fence.
func (p *Partition) unlink(ctx context.Context, names []string) (removed int, err error) {
	op := "empty " + p.keys.tag
	pipe := p.conn.Pipeline()
	pipe.Do(ctx, "MULTI")
	for chunk := range slices.Chunk(names, elementsPerCommand) {
		args := []any{"UNLINK"}
		for _, name := range chunk {
			args = append(args, name)
		}
		pipe.Do(ctx, args...)
	}
	exec := pipe.Do(ctx, "EXEC")
	cmds, sent := pipe.Exec(ctx)
	answers, err := transacted(op, cmds, sent, exec)
	for _, a := range answers {
		if n, ok := a.(int64); ok {
			removed += int(n)
		}
	}
	return removed, err
}

// scan finds the keys of group by partition.
func (c *Client) scan(ctx context.Context, group string) (map[int][]string, error) {
	found := map[int][]string{}
	seen := map[string]bool{} // SCAN may return a key twice
	err := c.eachPrimary(ctx, func(primary *redis.Client) error {
		each := primary.Scan(ctx, 0, groupTag(group)+"*", scanCount).Iterator()
		for each.Next(ctx) {
			name := each.Val()
			if n, ok := partitionOf(group, name); ok && !seen[name] {
				seen[name] = true
				found[n] = append(found[n], name)
			}
		}
		return each.Err()
	})
	if err != nil {
		return nil, classify("scan for the group's keys", err)
	}
	return found, nil
}

// NewToken is a fresh random one.
func NewToken() (t pipeline.Token) {
	rand.Read(t[:])
	return t
}
