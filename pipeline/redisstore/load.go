package redisstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/redis/go-redis/v9"

	"ebb/pipeline"
)

// keptReplyBytes is how large a reply buffer may be to be kept for the next load. A due bucket of a midnight in which a
// million customers fall silent is larger, but rare.
const keptReplyBytes = 8 << 20

// Load implements [pipeline.Store]: all profiles and due buckets in one round trip on a pooled connection, whose raw
// answers it reads into one buffer. See BenchmarkLoad for what that saves. After a failover has just moved the primary,
// the connection may lead to another server than the one that commits. So the answers count only if an own token is
// read with them.
func (p *Partition) Load(ctx context.Context, l *pipeline.Load) error {
	l.Profiles, l.Due = l.Profiles[:0], l.Due[:0]
	if len(l.Keys) == 0 && len(l.Buckets) == 0 {
		return nil
	}
	primary, err := p.client.primary(ctx, p.keys.meta)
	if err != nil {
		return err
	}
	a := &p.in
	defer a.forget()
	p.own.trim()
	pipe := primary.Pipeline()
	token := pipe.GetRange(ctx, p.keys.meta, 0, int64(tokenBytes-1))
	a.ask(ctx, pipe, &p.keys, l)
	if err := failure(pipe.Exec(ctx)); err != nil {
		p.client.moved(ctx)
		return classify("load profiles", err)
	}
	if !p.own.has(token.Val()) {
		p.client.moved(ctx)
		return fmt.Errorf("load profiles: %w", errReplaced)
	}
	return a.read(l)
}

// ownTokens are the latest tokens that an owner has written, or is about to write. Load reads them while Commit adds to
// them.
type ownTokens struct {
	mu     sync.Mutex
	latest []pipeline.Token // empty: not claimed
}

// maxOwnTokens bounds the list: during one load fewer commits than this are made.
const maxOwnTokens = 64

// claimed starts the list again.
func (o *ownTokens) claimed(t pipeline.Token) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.latest = append(o.latest[:0], t)
}

func (o *ownTokens) add(t pipeline.Token) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.latest) == maxOwnTokens {
		o.latest = slices.Delete(o.latest, 0, 1)
	}
	o.latest = append(o.latest, t)
}

// trim drops all tokens that can no longer be read. The one before the latest stays until a commit in progress is
// applied.
func (o *ownTokens) trim() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.latest = slices.Delete(o.latest, 0, max(0, len(o.latest)-2))
}

// has reports whether the token is an own one. A reader without a claim accepts any.
func (o *ownTokens) has(t string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.latest) == 0 || len(t) == tokenBytes && slices.Contains(o.latest, pipeline.Token([]byte(t)))
}

// answers requests profiles and due buckets and holds the raw answers.
type answers struct {
	reply replyBuffer
	args  []any
	refs  []ref
}

func (a *answers) ask(ctx context.Context, pipe redis.Pipeliner, k *keys, l *pipeline.Load) {
	a.reply.reset()
	for keys := l.Keys; len(keys) > 0; {
		n := min(len(keys), elementsPerCommand)
		from := len(a.args)
		a.args = append(a.args, "HMGET", k.profiles)
		for _, key := range keys[:n] {
			a.refs = append(a.refs, key)
			a.args = append(a.args, &a.refs[len(a.refs)-1])
		}
		_ = pipe.Process(ctx, redis.NewRawWriteToCmd(ctx, &a.reply, a.args[from:len(a.args):len(a.args)]...)) // only queues
		keys = keys[n:]
	}
	for _, bucket := range l.Buckets {
		_ = pipe.Process(ctx, redis.NewRawWriteToCmd(ctx, &a.reply, "GET", k.due(bucket))) // only queues
	}
}

func (a *answers) read(l *pipeline.Load) error {
	r := replies{b: a.reply.b}
	for len(l.Profiles) < len(l.Keys) {
		n, err := r.array()
		if err != nil {
			return classify("load profiles", err)
		}
		if want := min(len(l.Keys)-len(l.Profiles), elementsPerCommand); n != want {
			return unavailable("load profiles", errReply)
		}
		for range n {
			v, err := r.bulk()
			if err != nil {
				return classify("load profiles", err)
			}
			l.Profiles = append(l.Profiles, v)
		}
	}
	for range l.Buckets {
		v, err := r.bulk()
		if err != nil {
			return classify("load due bucket", err)
		}
		l.Due = append(l.Due, v)
	}
	return nil
}

// forget drops the caller's slices and keeps the memory.
func (a *answers) forget() {
	clear(a.args)
	clear(a.refs)
	a.args, a.refs = a.args[:0], a.refs[:0]
}

// replyBuffer collects raw answers. It takes values straight from the connection's buffer.
type replyBuffer struct{ b []byte }

func (w *replyBuffer) reset() {
	if cap(w.b) > keptReplyBytes {
		w.b = nil
	}
	w.b = w.b[:0]
}

// Write implements [io.Writer].
func (w *replyBuffer) Write(b []byte) (int, error) {
	w.b = append(w.b, b...)
	return len(b), nil
}

// ReadFrom implements [io.ReaderFrom]. The client hands each value over as an io.LimitedReader, which has its size.
func (w *replyBuffer) ReadFrom(r io.Reader) (int64, error) {
	limited, ok := r.(*io.LimitedReader)
	if !ok {
		return 0, errors.New("BUG: not a limited reader")
	}
	from := len(w.b)
	w.b = append(w.b, make([]byte, limited.N)...)
	n, err := io.ReadFull(limited.R, w.b[from:])
	limited.N -= int64(n)
	w.b = w.b[:from+n]
	return int64(n), err
}
