package processor

import (
	"context"

	"ebb/cmd/ebb/connect"
)

// followFiles logs what becomes of certificates and passwords that change on disk, until close. The returned context
// ends with that.
func (p *Processor) followFiles(ctx context.Context) context.Context {
	ctx, p.unfollow = context.WithCancel(ctx)
	if p.opts.shadow != nil {
		return ctx // they are those of the main processor
	}
	connect.FollowFiles(ctx, &p.following, p.log, p.cfg.Kafka.Credentials, p.cfg.Redis.Credentials)
	return ctx
}
