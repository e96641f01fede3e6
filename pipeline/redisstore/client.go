package redisstore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"ebb/pipeline"
	"ebb/pipeline/secure"
)

// Config is where Redis is. The zero value of a setting other than Addresses is its default.
type Config struct {
	Addresses []string // host:port of the server, of some nodes of a cluster, or of Sentinels

	// Credentials are the certificates and the password of new connections. Nil: plain text, no password.
	Credentials *secure.Credentials

	// Master is the primary's name among the Sentinels; empty: no Sentinel. Sentinel is the login at the Sentinels, if
	// they need one; its password is read once.
	Master   string
	Sentinel *secure.Credentials

	// DialTimeout bounds the making of a connection, TLS and login included; default 5 s. ReadTimeout and WriteTimeout
	// bound the receiving of all answers to a commit or a load, and its sending; default 5 s each. After a timeout the
	// caller gets pipeline.ErrUnavailable and takes the partition over again, so they should stay below the group's
	// session timeout.
	DialTimeout, ReadTimeout, WriteTimeout time.Duration
}

const (
	defaultTimeout = 5 * time.Second

	// maxConns bounds nothing in practice: each partition owned takes one connection for its commits and borrows one for
	// loads. The library's default, ten per processor, would make commits of many partitions wait for each other.
	maxConns = 1 << 14
)

// Validate reports everything that is wrong with c.
func (c *Config) Validate() error {
	var errs []error
	if len(c.Addresses) == 0 {
		errs = append(errs, errors.New("addresses: none given"))
	}
	for i, a := range c.Addresses {
		host, port, err := net.SplitHostPort(a)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("addresses[%d]: %w", i, err))
		case host == "" || port == "":
			errs = append(errs, fmt.Errorf("addresses[%d]: %q is not host:port", i, a))
		}
	}
	for name, d := range map[string]time.Duration{
		"dial timeout": c.DialTimeout, "read timeout": c.ReadTimeout, "write timeout": c.WriteTimeout,
	} {
		if d < 0 {
			errs = append(errs, fmt.Errorf("%s: %s is negative", name, d))
		}
	}
	return errors.Join(errs...)
}

// Client is a connection pool to one Redis server or cluster, shared by all partitions. It is safe for concurrent use.
type Client struct {
	redis  redis.UniversalClient
	master string // the primary's name among the Sentinels; empty: none
}

// Keys are the configuration's keys for the connections' credentials.
func Keys() secure.Keys {
	return secure.Keys{TLS: "redis.tls.", Login: "redis.", Addresses: "redis.addresses"}
}

// Open connects to Redis, and finds out whether the server is part of a cluster. Errors: those of Validate,
// pipeline.ErrUnavailable, a *pipeline.Denied among them.
func Open(ctx context.Context, c Config) (*Client, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	logging.Disable() // the library would print to stderr the errors that it also returns
	if c.Credentials == nil {
		c.Credentials, _ = secure.Open(secure.Source{Server: "Redis", Keys: Keys()})
	}
	a := newAccess(c.Credentials)
	if c.Master != "" {
		return c.openFailover(ctx, a)
	}
	first := redis.NewClient(c.options(a).Simple())
	first.AddHook(a)
	info, err := first.Info(ctx, "cluster").Result()
	if !answered(err) {
		return nil, errors.Join(classify("connect to "+c.Addresses[0], err), first.Close())
	}
	if len(c.Addresses) == 1 && !strings.Contains(info, "cluster_enabled:1") {
		return &Client{redis: first}, nil
	}
	if err := first.Close(); err != nil {
		return nil, fmt.Errorf("close connection: %w", err)
	}
	options := c.options(a).Cluster()
	options.NewClient = func(o *redis.Options) *redis.Client {
		node := redis.NewClient(o)
		node.AddHook(a)
		return node
	}
	return &Client{redis: redis.NewClusterClient(options)}, nil
}

// openFailover connects to the primary that the Sentinels name, and follows it when they move it.
func (c *Config) openFailover(ctx context.Context, a *access) (*Client, error) {
	options := c.options(a).Failover()
	options.MasterName = c.Master
	if c.Sentinel != nil {
		options.SentinelUsername, options.SentinelPassword = c.Sentinel.Login()
	}
	primary := redis.NewFailoverClient(options)
	primary.AddHook(a)
	switch err := primary.Info(ctx, "server").Err(); {
	case errors.Is(err, redis.Nil):
		return nil, errors.Join(&pipeline.HardStop{
			Code:   "redis_unknown_master",
			Detail: fmt.Sprintf("the Sentinels at %s have no primary called %s", strings.Join(c.Addresses, ", "), c.Master),
			Do:     "set redis.sentinel.master to the name in their sentinel monitor line",
		}, primary.Close())
	case !answered(err):
		return nil, errors.Join(classify("connect to primary "+c.Master, err), primary.Close())
	}
	return &Client{redis: primary, master: c.Master}, nil
}

// answered reports whether the server accepted the login and answered, even if it refused the one command.
func answered(err error) bool {
	var refused redis.Error
	return err == nil || errors.As(err, &refused) && !refusesLogin(refused)
}

func (c *Config) options(a *access) *redis.UniversalOptions {
	orDefault := func(d time.Duration) time.Duration {
		if d == 0 {
			return defaultTimeout
		}
		return d
	}
	return &redis.UniversalOptions{
		Addrs:                      c.Addresses,
		Dialer:                     a.dialer.Dial,
		OnConnect:                  a.admitted,
		CredentialsProviderContext: a.login,

		DialTimeout:           orDefault(c.DialTimeout),
		ReadTimeout:           orDefault(c.ReadTimeout),
		WriteTimeout:          orDefault(c.WriteTimeout),
		ContextTimeoutEnabled: true,

		ClientName:      "ebb",
		DisableIdentity: true, // saves a permission
		Protocol:        2,    // nothing arrives without a request
		MaxRetries:      -1,   // a repeated commit would be a second one
		// A connection that the library moves to another server would lose its WATCH.
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		DialerRetries:            1,
		PoolSize:                 maxConns,
		PipelinePoolSize:         -1,
	}
}

// Close closes all connections, those of partitions included.
func (c *Client) Close() error { return c.redis.Close() }

// Partition returns access to partition of group. It does not contact Redis; Claim does.
func (c *Client) Partition(group string, partition int) *Partition {
	return &Partition{client: c, keys: keysOf(group, partition), down: errUnclaimed}
}

// primary is the server that holds key.
func (c *Client) primary(ctx context.Context, key string) (*redis.Client, error) {
	switch r := c.redis.(type) {
	case *redis.Client:
		return r, nil
	case *redis.ClusterClient:
		node, err := r.MasterForKey(ctx, key)
		return node, classify("find the cluster node", err)
	}
	panic("BUG: unknown kind of Redis client")
}

// moved makes a cluster client look up the slots' servers again.
func (c *Client) moved(ctx context.Context) {
	if r, ok := c.redis.(*redis.ClusterClient); ok {
		r.ReloadState(ctx)
	}
}

// eachPrimary calls f for every primary, one after another.
func (c *Client) eachPrimary(ctx context.Context, f func(*redis.Client) error) error {
	switch r := c.redis.(type) {
	case *redis.Client:
		return f(r)
	case *redis.ClusterClient:
		turn := make(chan struct{}, 1)
		return r.ForEachMaster(ctx, func(_ context.Context, node *redis.Client) error {
			turn <- struct{}{}
			defer func() { <-turn }()
			return f(node)
		})
	}
	panic("BUG: unknown kind of Redis client")
}
