package main

import (
	"context"
	"net"
	"time"

	"ebb/pipeline/kafkawire"
	"ebb/pipeline/redisstore"
	"ebb/scoring"
)

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
func loadPack(c *Config) (*scoring.Pack, error) {
	o := scoring.Overrides{Horizon: c.Pack.Horizon}
	if len(c.Pack.Activity) > 0 {
		o.Activity = c.Pack.Activity
	}
	if len(c.Pack.Friction) > 0 {
		o.Friction = c.Pack.Friction
	}
	return scoring.Load(c.Pack.Name, readFile, o)
}
