package redisstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"ebb/pipeline"
)

// Partition is one owner's access to the state of a partition. [pipeline.Store] defines who may call what when.
type Partition struct {
	client *Client
	keys   keys

	conn  *redis.Conn    // with WATCH set on meta; nil while down
	armed pipeline.Token // the token in meta when WATCH was set
	down  error          // why there is no connection

	own ownTokens
	out request // for Commit
	in  answers // for Load
}

var _ pipeline.Store = (*Partition)(nil)

// Claim implements [pipeline.Store]. One transaction reads the state and writes the token, so that it needs no fence of
// its own.
func (p *Partition) Claim(ctx context.Context, token pipeline.Token) (pipeline.State, error) {
	p.drop(errUnclaimed)
	s, err := p.claim(ctx, token)
	if err != nil {
		p.client.moved(ctx)
		p.drop(err)
		return pipeline.State{}, err
	}
	return s, nil
}

func (p *Partition) claim(ctx context.Context, token pipeline.Token) (s pipeline.State, err error) {
	primary, err := p.client.primary(ctx, p.keys.meta)
	if err != nil {
		return s, err
	}
	p.conn = primary.EphemeralConn()
	pipe := p.conn.Pipeline()
	pipe.Do(ctx, "MULTI")
	pipe.Do(ctx, "GET", p.keys.meta)
	pipe.Do(ctx, "LRANGE", p.keys.outbox, 0, -1)
	askHoldings(ctx, pipe, &p.keys)
	pipe.Do(ctx, "SETRANGE", p.keys.meta, 0, token[:])
	exec := pipe.Do(ctx, "EXEC")
	t := p.watch(ctx, pipe)
	cmds, sent := pipe.Exec(ctx)
	found, err := transacted("claim partition", cmds, sent, exec)
	if err != nil {
		return s, err
	}
	if meta, ok := found[0].(string); ok {
		if s.Meta, s.Exists, err = readMeta(meta); err != nil {
			return s, unreadable("claim partition", p.keys.meta, err)
		}
	}
	if s.Outbox, err = entries(found[1]); err != nil {
		return s, unavailable("claim partition", err)
	}
	if s.Holds, err = holdings(found[2:]); err != nil {
		return s, unavailable("claim partition", err)
	}
	if s.Missing, err = missing(ctx, p.conn, &p.keys, s.Meta.Buckets.All()); err != nil {
		return s, err
	}
	if s.Packs, err = p.readPacks(ctx, s.Meta.Packs); err != nil {
		return s, err
	}
	if s.Held, err = p.readHeld(ctx, s.Holds.Held); err != nil {
		return s, err
	}
	p.own.claimed(token)
	p.arm(t)
	return s, nil
}

// readPacks reads the canonical forms that the partition stores. They are read after the claim, since the content of a
// hash does not change.
func (p *Partition) readPacks(ctx context.Context, refs []pipeline.PackRef) ([]pipeline.PackBytes, error) {
	if len(refs) == 0 {
		return nil, nil
	}
	return packsOf(ctx, p.conn, p.keys.packs, refs)
}

// readHeld reads the held raises, of which there are so many. They are read after the claim: from then on nobody else
// changes them.
func (p *Partition) readHeld(ctx context.Context, count int64) (held []pipeline.HeldEntry, err error) {
	if count == 0 {
		return nil, nil
	}
	held = make([]pipeline.HeldEntry, 0, count)
	err = scanHash(ctx, p.conn, p.keys.held, "read held raises", func(key string, value []byte) {
		held = append(held, pipeline.HeldEntry{Key: []byte(key), Value: value})
	})
	return held, err
}

// packsOf reads the packs with these hashes, as far as they are stored.
func packsOf(
	ctx context.Context,
	from redis.Cmdable,
	key string,
	refs []pipeline.PackRef,
) (packs []pipeline.PackBytes, err error) {
	hashes := make([]string, len(refs))
	for i := range refs {
		hashes[i] = refs[i].Hash
	}
	found, err := from.HMGet(ctx, key, hashes...).Result()
	if err != nil {
		return nil, classify("read packs", err)
	}
	for i, v := range found {
		if text, ok := v.(string); ok {
			packs = append(packs, pipeline.PackBytes{Hash: hashes[i], Canonical: []byte(text)})
		}
	}
	return packs, nil
}

// entries reads the answer of LRANGE.
func entries(answer any) (out [][]byte, err error) {
	list, ok := answer.([]any)
	for _, e := range list {
		entry, is := e.(string)
		out, ok = append(out, []byte(entry)), ok && is
	}
	if !ok {
		return nil, errReply
	}
	return out, nil
}

// Close implements [pipeline.Store].
func (p *Partition) Close() error {
	p.drop(errUnclaimed)
	return nil
}

// drop closes the connection, which must never reach another user with its WATCH set, and keeps the reason.
func (p *Partition) drop(why error) {
	if p.conn != nil {
		// The connection is no longer used, so a failure to close it does not matter.
		_ = p.conn.Close()
	}
	p.conn, p.armed, p.down = nil, pipeline.Token{}, why
}

// tail is the end of every write: it arms the fence for the next commit.
type tail struct{ watch, token *redis.Cmd }

func (p *Partition) watch(ctx context.Context, pipe redis.Pipeliner) tail {
	return tail{
		watch: pipe.Do(ctx, "WATCH", p.keys.meta),
		token: pipe.Do(ctx, "GETRANGE", p.keys.meta, 0, tokenBytes-1),
	}
}

// arm notes which token the next commit has to follow. Even if the tail failed, the write before it was applied: the
// next commit reports the failure.
func (p *Partition) arm(t tail) {
	if err := t.watch.Err(); err != nil {
		p.drop(classify("watch partition", err))
		return
	}
	token, err := t.token.Text()
	if err != nil {
		p.drop(classify("watch partition", err))
		return
	}
	if len(token) != tokenBytes {
		p.drop(errReplaced)
		return
	}
	p.armed, p.down = pipeline.Token([]byte(token)), nil
}

// transacted finds out how a transaction with exec as its last command ended, and returns its commands' answers. sent
// is the error of the pipeline that it was sent in: of a connection that could not be made, the commands hold none.
func transacted(op string, cmds []redis.Cmder, sent error, exec *redis.Cmd) ([]any, error) {
	found, err := exec.Slice()
	if err == nil {
		for _, a := range found {
			if failed, ok := a.(error); ok { // Redis applied the other commands
				return nil, damaged(fmt.Sprintf("%s: a command failed inside its transaction: %v", op, failed))
			}
		}
		return found, nil
	}
	if errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("%s: %w", op, errReplaced)
	}
	if why := failure(cmds, sent); why != nil {
		err = why
	}
	return nil, classify(op, err)
}
