package check

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/connect"
	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
	"ebb/pipeline/redisstore"
	"ebb/pipeline/secure"
)

// checkRedis checks the server and, where Kafka answers, compares the state in Redis with Kafka's.
func (c *checking) checkRedis(ctx context.Context) {
	remedy := "start Redis, or mend redis.addresses; a secured one needs redis.tls, redis.username and a password"
	client, err := connect.Redis(ctx, c.cfg)
	if err != nil {
		c.failedRedis(remedy, err)
		return
	}
	c.redis = client
	policies, err := client.Policies(ctx)
	if err != nil {
		c.failedRedis(remedy, err)
		return
	}
	for i := range policies {
		c.checkPolicy(&policies[i])
	}
	c.checkHeld(ctx)
}

func (c *checking) closeRedis() {
	if c.redis != nil {
		_ = c.redis.Close() // nothing was written
	}
}

// checkHeld checks what Redis allows the group to do and what it holds of the group.
func (c *checking) checkHeld(ctx context.Context) {
	if !c.checkRedisAllowed(ctx, c.redis) {
		return
	}
	if input, ok := c.topics[c.cfg.Kafka.Input]; ok && c.pack != nil {
		c.checkGroup(ctx, c.redis, &input)
	}
}

// checkRedisAllowed reports everything that Redis would refuse at once, and whether it refuses nothing.
func (c *checking) checkRedisAllowed(ctx context.Context, client *redisstore.Client) bool {
	refusals, err := client.Allowed(ctx, c.cfg.Kafka.Group)
	switch {
	case err != nil:
		c.failed("redis", "see that the address leads to Redis itself", err)
	case len(refusals) > 0:
		c.problem(
			"redis",
			"allow it to ebb's user; docs/security.md has the whole ACL",
			"%s (%s)",
			strings.Join(refusals, "; "),
			secure.CodePermission,
		)
	}
	return err == nil && len(refusals) == 0
}

func (c *checking) failedRedis(do string, err error) {
	if connect.Silent(err) {
		err = fmt.Errorf("no answer from %s: %s", strings.Join(c.cfg.Redis.Addresses, ", "), advice.Cause(err))
	}
	c.failed("redis", do, err)
}

// almostFull is the share of maxmemory in use, in percent, from which on it is worth a warning.
const almostFull = 80

// checkPolicy looks at one primary: it must evict nothing, and accept writes.
func (c *checking) checkPolicy(p *redisstore.Policy) {
	before := len(c.findings)
	if p.EvictsVolatile() {
		c.warn(
			"redis",
			"nothing need be done as long as nobody gives ebb's keys a time to live; noeviction is safe whatever anybody does:\n"+
				"redis-cli CONFIG SET maxmemory-policy noeviction",
			"%s has maxmemory-policy %s, which drops keys that have a time to live; no key of ebb's has one",
			p.Address,
			p.Eviction,
		)
	}
	if p.Evicts() {
		c.problem(
			"redis",
			"in redis.conf or your provider's parameter group, and at once:\nredis-cli CONFIG SET maxmemory-policy noeviction",
			"%s has maxmemory-policy %s and may drop customers' state",
			p.Address,
			p.Eviction,
		)
	}
	if p.Role != "" && p.Role != "master" {
		c.problem(
			"redis",
			"set redis.addresses to the primary, or to an address that follows it",
			"%s is a replica and takes no writes",
			p.Address,
		)
	}
	if p.MaxMemory > 0 && 100*p.Used >= almostFull*p.MaxMemory {
		c.warn(
			"redis",
			"raise maxmemory: when it is reached, ebb stops until there is room",
			"%s uses %d %% of its maxmemory",
			p.Address,
			100*p.Used/p.MaxMemory,
		)
	}
	if p.Unknown != nil {
		c.warn(
			"redis",
			"allow INFO (and CONFIG GET) for ebb's user, or see yourself that maxmemory-policy is noeviction",
			"%s does not say all of its settings: %s",
			p.Address,
			p.Unknown,
		)
	} else if !p.AOF && p.Replicas == 0 {
		c.warn(
			"redis",
			"turn on appendonly (everysec will do), or add a replica",
			"%s has neither an append-only file nor a replica: its failure loses the state, and ebb rebuild has to replay the "+
				"input",
			p.Address,
		)
	}
	if len(c.findings) == before {
		c.ok("redis", "%s, %s, %s", p.Address, redisVersion(p), redisLimit(p))
	}
}

func redisVersion(p *redisstore.Policy) string {
	if p.Version == "" {
		return "version unknown"
	}
	return "version " + p.Version
}

func redisLimit(p *redisstore.Policy) string {
	if p.MaxMemory == 0 {
		return "noeviction, no maxmemory"
	}
	return fmt.Sprintf("noeviction, %d %% of maxmemory used", 100*p.Used/p.MaxMemory)
}

// checkGroup makes the checks of a takeover for every partition, and comes to the same verdict.
func (c *checking) checkGroup(ctx context.Context, redis *redisstore.Client, input *kafkawire.Topic) {
	k := &c.cfg.Kafka
	var lag int64
	started, stopped := 0, map[string]bool{}
	for partition := range input.Partitions {
		standing, position, err := c.standing(ctx, redis, input, partition)
		if err != nil {
			if errors.Is(err, kafkawire.GroupDenied) {
				c.notAllowed("group", kafkawire.Read, k.Group)
				return
			}
			stop, hard := errors.AsType[*pipeline.HardStop](err)
			if !hard || !stopped[stop.Code+stop.Do] { // the same fault in every partition needs one remedy
				c.failed("group", "see that ebb's user may READ the group and the input topic", err)
			}
			if !hard {
				return
			}
			stopped[stop.Code+stop.Do] = true
			continue
		}
		if !standing.Fresh {
			started++
		}
		lag += position.End - standing.Meta.Next
		c.checkPoison(partition, &standing.Meta)
	}
	if len(stopped) > 0 {
		return
	}
	group, err := c.client.DescribeGroup(ctx, k.Group)
	switch {
	case err != nil:
		c.failed("group", "allow DESCRIBE on the group", err)
	case len(group.May.Lacks(kafkawire.Read)) > 0:
		c.notAllowed("group", kafkawire.Read, k.Group)
	case started == 0:
		c.ok(
			"group",
			"%s has not run yet; it begins at the %s record, %s to read",
			k.Group,
			k.Start,
			advice.Count(lag, "record"),
		)
	default:
		c.ok("group", "%s, %s, %s behind", k.Group, advice.Plural(len(group.Members), "member"), advice.Count(lag, "record"))
	}
}

// checkPoison reports a partition that the poison breaker holds. It is a warning, since the next record decides whether
// the partition goes on.
func (c *checking) checkPoison(partition int32, m *pipeline.Meta) {
	limit := c.cfg.Input.PoisonBreaker
	if share := float64(m.Poison.Count) / pipeline.PoisonWindow; limit > 0 && limit < 1 && share >= limit {
		c.warn(
			"input",
			"see what it is: ebb dlq list, ebb dlq show; to go on once it is mended: ebb run --accept-poison",
			"partition %d: %d of the last %s records before offset %d cannot be used; the next such record stops it "+
				"(input.poison_breaker %g)",
			partition,
			m.Poison.Count,
			advice.Grouped(pipeline.PoisonWindow),
			m.Next,
			limit,
		)
	}
}

// standing is what a takeover of the partition would find. Nothing is claimed: an owner may be at work.
func (c *checking) standing(
	ctx context.Context,
	redis *redisstore.Client,
	input *kafkawire.Topic,
	partition int32,
) (*pipeline.Standing, pipeline.Position, error) {
	k := &c.cfg.Kafka
	var pos pipeline.Position
	committed, err := connect.Committed(ctx, c.client, c.cfg, partition, c.opts.Waiting)
	if err != nil {
		return nil, pos, err
	}
	held, err := redis.Peek(ctx, k.Group, int(partition))
	if err != nil {
		return nil, pos, err
	}
	pos = pipeline.Position{Committed: committed.Exists, Offset: committed.Offset, Metadata: committed.Metadata}
	if pos.LogStart, pos.End, err = c.client.Bounds(ctx, k.Input, partition); err != nil {
		return nil, pos, err
	}
	id := pipeline.Identity{
		Group: k.Group, Input: k.Input, Partition: int(partition), Partitions: int(input.Partitions),
		Cluster: input.Cluster, Topic: input.ID, Pack: c.pack.Hash, Latest: k.Start == "latest",
	}
	s, err := pipeline.Reconcile(id, pos, held)
	if n := len(held.Meta.Packs); err == nil && n > 0 {
		err = id.Accepts(held.Meta.Packs[n-1], pipeline.RefOf(c.pack))
	}
	return s, pos, err
}
