package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
	"ebb/pipeline/redisstore"
	"ebb/scoring/pack"
)

// clients are what a command asks that looks at a group from outside. The zero value has none yet.
type clients struct {
	kafka *kafkawire.Client
	redis *redisstore.Client
}

func (c *clients) close() {
	if c.kafka != nil {
		c.kafka.Close()
	}
	if c.redis != nil {
		_ = c.redis.Close() // everything was answered
	}
}

// openKafka makes a client for the brokers of the configuration; topics are those that it reads or writes. It does not dial.
func openKafka(c *Config, topics ...string) (*kafkawire.Client, error) {
	return openKafkaWithin(c, 0, topics...)
}

// openKafkaWithin is openKafka with a bound for one request and its repeats; 0: the default.
func openKafkaWithin(c *Config, timeout time.Duration, topics ...string) (*kafkawire.Client, error) {
	return kafkawire.Open(kafkawire.Config{
		Brokers: c.Kafka.Brokers, ClientID: "ebb", Topics: topics, SASL: c.Kafka.SASL.Mechanism, Credentials: c.Kafka.credentials,
		RequestTimeout: timeout,
	})
}

// dialTimeout bounds finding out whether anything listens at an address.
const dialTimeout = 5 * time.Second

// dialable reports why none of the addresses can be dialled; nil: at least one can. It says so at once and in plain words,
// where a client would try again for a while.
func dialable(ctx context.Context, addresses []string) error {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	failures := make(chan error, len(addresses))
	for _, a := range addresses {
		go func() {
			conn, err := new(net.Dialer).DialContext(ctx, "tcp", a)
			if err == nil {
				_ = conn.Close() // nothing was sent
			}
			failures <- err
		}()
	}
	var first error
	for range addresses {
		err := <-failures
		if err == nil {
			return nil
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// openRedis connects to the Redis of the configuration.
func openRedis(ctx context.Context, c *Config) (*redisstore.Client, error) {
	return redisstore.Open(ctx, redisstore.Config{
		Addresses: c.Redis.Addresses, Credentials: c.Redis.credentials,
		Master: c.Redis.Sentinel.Master, Sentinel: c.Redis.Sentinel.credentials,
	})
}

// loadPack reads the pack of the configuration with its overrides.
func loadPack(c *Config) (*pack.Pack, error) { return loadPackFrom(c, readFile) }

// loadPackFrom is loadPack with another way to read its file.
func loadPackFrom(c *Config, read func(string) ([]byte, error)) (*pack.Pack, error) {
	o := pack.Overrides{Horizon: c.Pack.Horizon}
	if len(c.Pack.Activity) > 0 {
		o.Activity = c.Pack.Activity
	}
	if len(c.Pack.Friction) > 0 {
		o.Friction = c.Pack.Friction
	}
	k, err := pack.Load(c.Pack.Name, read, o)
	if err == nil && len(k.Canonical()) > maxPackRecord {
		return nil, fmt.Errorf("load pack %s: %d KiB in its canonical form, at most %d fit into a record", c.Pack.Name, len(k.Canonical())>>10, maxPackRecord>>10)
	}
	return k, err
}

// isSilent reports whether err is a server that does not answer, and not one that refuses.
func isSilent(err error) bool {
	_, denied := errors.AsType[*pipeline.Denied](err)
	return !denied && errors.Is(err, pipeline.ErrUnavailable)
}

// silence is a server that does not answer, in words for people.
type silence string

func (s silence) Error() string { return string(s) }

// Is reports whether target is the class of a silence.
func (s silence) Is(target error) bool { return target == pipeline.ErrUnavailable }

// noKafka puts the failure to reach any broker into words, and leaves it in its class. flag is how a command that has one
// takes brokers.
func noKafka(err error, c *Config, flag string) error {
	return advise(silence(fmt.Sprintf("no answer from Kafka at %s: %s", strings.Join(c.Kafka.Brokers, ", "), rootCause(err))),
		"start it, or name another with %sEBB_KAFKA_BROKERS or kafka.brokers; a secured one needs kafka.tls and kafka.sasl", flag)
}

// noRedis puts the failure to reach Redis into words, and leaves it in its class.
func noRedis(err error, c *Config) error {
	at := strings.Join(c.Redis.Addresses, ", ")
	if isSilent(err) {
		return advise(silence(fmt.Sprintf("no answer from Redis at %s: %s", at, rootCause(err))),
			"start it, or name another with EBB_REDIS_ADDRESSES or redis.addresses; a secured one needs redis.tls, redis.username and a password")
	}
	return fmt.Errorf("connect to Redis at %s: %w", at, err)
}
