package processor

import (
	"context"
	"time"

	"ebb/pipeline"
	"ebb/pipeline/secure"
)

// filesEvery is how often certificates and passwords on disk are checked, besides before each new connection.
const filesEvery = 10 * time.Second

// followFiles logs what becomes of certificates and passwords that change on disk, until close. The returned context
// ends with that.
func (p *Processor) followFiles(ctx context.Context) context.Context {
	ctx, p.unfollow = context.WithCancel(ctx)
	if p.opts.shadow != nil {
		return ctx // they are those of the main processor
	}
	for _, c := range []*secure.Credentials{p.cfg.Kafka.Credentials, p.cfg.Redis.Credentials} {
		if c == nil { // a configuration that was not loaded names no files
			continue
		}
		c.LogTo(p.log)
		p.following.Go(func() { c.Follow(ctx, filesEvery) })
	}
	return ctx
}

// await notes why the processor cannot start, and logs it once per change. The reason of a refusal is the same at every
// address.
func (p *Processor) await(err error) {
	kind := err.Error()
	if code, _, _, ok := pipeline.Refused(err); ok {
		kind = code
	}
	p.mu.Lock()
	p.awaited = err.Error()
	p.mu.Unlock()
	if kind != p.said {
		p.said = kind
		p.log.Warn().Err(err).EmbedObject(pipeline.Refusal{Err: err}).Msg("cannot start yet, trying again")
	}
}
