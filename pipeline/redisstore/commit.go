package redisstore

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"ebb/pipeline"
)

// elementsPerCommand bounds a command inside the transaction, so that no command is megabytes long. BenchmarkCommit
// shows no difference from 30 to 10,000.
const elementsPerCommand = 1000

// Commit implements [pipeline.Store] by one write and one round trip; see the package's comment.
func (p *Partition) Commit(ctx context.Context, c *pipeline.Commit) error {
	if p.conn == nil {
		return p.down
	}
	err := p.commit(ctx, c)
	if err != nil {
		p.drop(err)
	}
	return err
}

func (p *Partition) commit(ctx context.Context, c *pipeline.Commit) error {
	if c.Previous != p.armed {
		return fmt.Errorf("commit: %w", errReplaced)
	}
	err := ctx.Err()
	if err != nil {
		return unavailable("commit", err)
	}
	p.own.add(c.Token)
	r := &p.out
	defer r.reset()
	r.meta = appendMeta(r.meta[:0], c.Token, &c.Meta)
	r.ctx, r.pipe = ctx, p.conn.Pipeline()
	r.pipe.Do(ctx, "MULTI")
	p.write(r, c)
	exec := r.pipe.Do(ctx, "EXEC")
	t := p.watch(ctx, r.pipe)
	cmds, sent := r.pipe.Exec(ctx)
	found, err := transacted("commit", cmds, sent, exec)
	if err != nil {
		return err
	}
	if c.Holds, err = holdings(found[len(found)-holdingsAnswers:]); err != nil {
		return unavailable("commit", err)
	}
	p.arm(t)
	return nil
}

// write queues c's changes between MULTI and EXEC.
func (p *Partition) write(r *request, c *pipeline.Commit) {
	if c.Dropped > 0 {
		r.pipe.Do(r.ctx, "LTRIM", p.keys.outbox, c.Dropped, -1)
	}
	r.hset(p.keys.profiles, len(c.Keys), func(i int) (key, value []byte) { return c.Keys[i], c.Profiles[i] })
	r.hset(p.keys.held, len(c.Held), func(i int) (key, value []byte) { return c.Held[i].Key, c.Held[i].Value })
	r.hset(p.keys.asked, len(c.Answered), func(i int) (key, value []byte) { return []byte(c.Answered[i]), nil })
	for _, d := range c.Due {
		switch {
		case d.Whole:
			r.pipe.Do(r.ctx, "SET", p.keys.due(d.Bucket), r.arg(d.Entries))
		case len(d.Entries) > 0:
			r.pipe.Do(r.ctx, "APPEND", p.keys.due(d.Bucket), r.arg(d.Entries))
		}
	}
	for _, bucket := range c.Swept {
		r.pipe.Do(r.ctx, "UNLINK", p.keys.due(bucket))
	}
	for i := range c.Packs {
		r.pipe.Do(r.ctx, "HSET", p.keys.packs, c.Packs[i].Hash, r.arg(c.Packs[i].Canonical))
	}
	r.rpush(p.keys.outbox, c.Outbox)
	r.pipe.Do(r.ctx, "SET", p.keys.meta, r.arg(r.meta))
	askHoldings(r.ctx, r.pipe, &p.keys)
}

// request builds a pipelined write. Its arguments live in memory that is reused for every commit.
type request struct {
	ctx  context.Context //nolint:containedctx // of the one call in progress
	pipe redis.Pipeliner
	args []any
	refs []ref
	meta []byte
	from int // where the command being built begins in args
}

// ref is a byte slice as an argument. A pointer to it fits an interface without an allocation, a slice does not.
type ref []byte

// MarshalBinary is how the client reads the argument.
func (r *ref) MarshalBinary() ([]byte, error) { return *r, nil }

// arg makes b an argument. When refs grows, earlier arguments stay valid in the old array.
func (r *request) arg(b []byte) any {
	r.refs = append(r.refs, b)
	return &r.refs[len(r.refs)-1]
}

// begin starts a command of many elements.
func (r *request) begin(name, key string) {
	r.from = len(r.args)
	r.args = append(r.args, name, key)
}

// end sends the command if it has elements.
func (r *request) end() {
	if len(r.args) > r.from+2 {
		r.pipe.Do(r.ctx, r.args[r.from:len(r.args):len(r.args)]...)
	}
}

// hset writes n fields of a hash, and removes those without a value.
func (r *request) hset(key string, n int, field func(i int) (name, value []byte)) {
	r.begin("HSET", key)
	for i := range n {
		name, value := field(i)
		if value == nil {
			continue
		}
		r.args = append(r.args, r.arg(name), r.arg(value))
		if len(r.args)-r.from >= 2*elementsPerCommand {
			r.end()
			r.begin("HSET", key)
		}
	}
	r.end()
	r.begin("HDEL", key)
	for i := range n {
		name, value := field(i)
		if value != nil {
			continue
		}
		r.args = append(r.args, r.arg(name))
		if len(r.args)-r.from >= elementsPerCommand {
			r.end()
			r.begin("HDEL", key)
		}
	}
	r.end()
}

func (r *request) rpush(key string, entries [][]byte) {
	r.begin("RPUSH", key)
	for _, e := range entries {
		r.args = append(r.args, r.arg(e))
		if len(r.args)-r.from >= elementsPerCommand {
			r.end()
			r.begin("RPUSH", key)
		}
	}
	r.end()
}

// reset drops the caller's slices and keeps the memory.
func (r *request) reset() {
	clear(r.args)
	clear(r.refs)
	r.args, r.refs, r.pipe, r.ctx = r.args[:0], r.refs[:0], nil, nil
}
