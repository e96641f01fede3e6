package check

import (
	"context"

	"ebb/pipeline/kafkawire"
)

// checkShadowTopic checks the topic of the shadows' alerts.
func (c *checking) checkShadowTopic(ctx context.Context, partitions int32) {
	const check = "shadow topic"
	name := c.cfg.Kafka.Shadow
	if topic, found := c.topic(ctx, wantedTopic{check, name, kafkawire.Write, partitions, nil}); found {
		if cfg, ok := c.topicConfig(ctx, check, name); ok {
			c.checkKept(check, &topic, cfg, true, "a later record would replace a customer's earlier one")
		}
	}
}

// checkShadows checks what each shadow has of its own: pack, group, transactional ids, keys in Redis.
func (c *checking) checkShadows(ctx context.Context) {
	for _, name := range c.cfg.ShadowNames() {
		s := *c
		s.cfg, s.of, s.pack = c.cfg.Shadow(name), "shadow "+name+": ", nil
		s.checkPack()
		if c.reached {
			s.checkTransactions(ctx)
		}
		if c.redis != nil {
			s.checkHeld(ctx)
		}
		c.findings = s.findings
	}
}
