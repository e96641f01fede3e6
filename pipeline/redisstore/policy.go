package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"ebb/pipeline"
)

// Policy is a server's own account of how it keeps data. Strings are in Redis's spelling.
type Policy struct {
	Address   string // of the server
	Version   string // "7.0.15"; empty: not reported
	Eviction  string // maxmemory-policy; empty: not reported
	MaxMemory int64  // bytes; 0: no limit, or not reported
	Used      int64  // bytes in use
	Role      string // "master", as it should be; "slave"; empty: not reported
	Replicas  int    // attached replicas
	AOF       bool   // append-only file on
	Unknown   error  // why something above is missing, such as an ACL without INFO and CONFIG
}

// Policies reads the policy of every primary. Errors: pipeline.ErrUnavailable, *pipeline.HardStop (access denied).
func (c *Client) Policies(ctx context.Context) ([]Policy, error) {
	var all []Policy
	err := c.eachPrimary(ctx, func(primary *redis.Client) error {
		p, err := policyOf(ctx, primary)
		if c.master != "" {
			p.Address = c.master
		}
		all = append(all, p)
		return err
	})
	if err != nil {
		return nil, classify("read Redis settings", err)
	}
	return all, nil
}

// Evicts reports whether the server may drop keys of ebb's when its memory is full. What the server does not say it
// does not do.
func (p *Policy) Evicts() bool {
	return p.Eviction != "" && p.Eviction != "noeviction" && !p.EvictsVolatile()
}

// EvictsVolatile reports whether the server may drop keys that have a time to live, and no others. No key of ebb's has
// one, so its state is safe, as long as nobody gives them one.
func (p *Policy) EvictsVolatile() bool { return strings.HasPrefix(p.Eviction, "volatile-") }

// Keeps returns a *pipeline.HardStop if the server may drop keys. What the server does not say passes: it is for the
// caller to report Unknown.
func (p *Policy) Keeps() error {
	if !p.Evicts() {
		return nil
	}
	return &pipeline.HardStop{
		Code:   "redis_evicts",
		Detail: fmt.Sprintf("Redis at %s has maxmemory-policy %s and may drop customers' state", p.Address, p.Eviction),
		Do:     "set maxmemory-policy noeviction (CONFIG SET, and in redis.conf or your provider's parameter group)",
	}
}

// Check returns a *pipeline.HardStop if the server may drop keys or cannot be written to. It is for a start: in a failover
// a server that was the primary is a replica until another one is found.
func (p *Policy) Check() error {
	if err := p.Keeps(); err != nil {
		return err
	}
	if p.Role != "" && p.Role != "master" {
		return &pipeline.HardStop{
			Code:   "redis_replica",
			Detail: fmt.Sprintf("Redis at %s is a replica and takes no writes", p.Address),
			Do:     "set redis.addresses to the primary, or to an address that follows it",
		}
	}
	return nil
}

func policyOf(ctx context.Context, server *redis.Client) (p Policy, err error) {
	p.Address = server.Options().Addr
	info, err := server.Info(ctx).Result()
	if err != nil && !refusedOnly(err) {
		return p, err
	}
	p.Unknown = err
	fields := parseInfo(info)
	p.Version, p.Eviction, p.Role = fields["redis_version"], fields["maxmemory_policy"], fields["role"]
	p.MaxMemory, p.Used = number(fields["maxmemory"]), number(fields["used_memory"])
	p.Replicas, p.AOF = int(number(fields["connected_slaves"])), fields["aof_enabled"] == "1"
	if p.Eviction != "" {
		return p, nil
	}
	config, err := server.ConfigGet(ctx, "maxmemory-policy").Result()
	if err != nil && !refusedOnly(err) {
		return p, err
	}
	p.Eviction = config["maxmemory-policy"]
	if p.Eviction == "" {
		p.Unknown = errors.Join(p.Unknown, err, errors.New("neither INFO nor CONFIG GET tells maxmemory-policy"))
	}
	return p, nil
}

// refusedOnly reports that the server answered, but refused the request.
func refusedOnly(err error) bool {
	var refused redis.Error
	return errors.As(err, &refused) && !redis.IsLoadingError(err) && !refusesLogin(refused)
}

func parseInfo(info string) map[string]string {
	fields := map[string]string{}
	for line := range strings.Lines(info) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[name] = value
		}
	}
	return fields
}

func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0 // not reported
	}
	return n
}
