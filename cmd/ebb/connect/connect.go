package connect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
	"ebb/pipeline/redisstore"
)

// Clients are the connections of a command that looks at a group from outside. The zero value has none.
type Clients struct {
	Kafka *kafkawire.Client
	Redis *redisstore.Client
}

func (c *Clients) Close() {
	if c.Kafka != nil {
		c.Kafka.Close()
	}
	if c.Redis != nil {
		_ = c.Redis.Close() // everything was answered
	}
}

// Kafka makes a client for the brokers of the configuration, for the given topics. It does not dial.
func Kafka(c *config.Config, topics ...string) (*kafkawire.Client, error) {
	return KafkaWithin(c, 0, topics...)
}

// KafkaWithin is Kafka with a limit for one request and its repeats; 0: the default.
func KafkaWithin(c *config.Config, timeout time.Duration, topics ...string) (*kafkawire.Client, error) {
	return kafkawire.Open(kafkawire.Config{
		Brokers:        c.Kafka.Brokers,
		ClientID:       "ebb",
		Topics:         topics,
		SASL:           c.Kafka.SASL.Mechanism,
		Credentials:    c.Kafka.Credentials,
		RequestTimeout: timeout,
	})
}

// DialTimeout bounds the test whether anything listens at an address.
const DialTimeout = 5 * time.Second

// Dialable reports why none of the addresses can be dialled; nil: at least one can. It reports this at once and in
// plain words, while a client would repeat its attempts for a while.
func Dialable(ctx context.Context, addresses []string) error {
	ctx, cancel := context.WithTimeout(ctx, DialTimeout)
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

// Redis connects to the Redis of the configuration.
func Redis(ctx context.Context, c *config.Config) (*redisstore.Client, error) {
	return redisstore.Open(ctx, redisstore.Config{
		Addresses: c.Redis.Addresses, Credentials: c.Redis.Credentials,
		Master: c.Redis.Sentinel.Master, Sentinel: c.Redis.Sentinel.Credentials,
	})
}

// Silent reports whether err is a server that does not answer, as opposed to one that refuses.
func Silent(err error) bool {
	_, _, _, refused := pipeline.Refused(err)
	return !refused && errors.Is(err, pipeline.ErrUnavailable)
}

// silence is an error for people about a server that does not answer.
type silence string

func (s silence) Error() string { return string(s) }

// Is reports whether target is the class of a silence.
func (s silence) Is(target error) bool { return target == pipeline.ErrUnavailable }

// NoKafka words the failure to reach any broker, and keeps its class. flag is the command's flag for brokers, if it has
// one.
func NoKafka(err error, c *config.Config, flag string) error {
	return advice.Add(
		silence(fmt.Sprintf("no answer from Kafka at %s: %s", strings.Join(c.Kafka.Brokers, ", "), advice.Cause(err))),
		"start it, or name another with %sEBB_KAFKA_BROKERS or kafka.brokers; a secured one needs kafka.tls and kafka.sasl",
		flag,
	)
}

// NoRedis words the failure to reach Redis, and keeps its class.
func NoRedis(err error, c *config.Config) error {
	at := strings.Join(c.Redis.Addresses, ", ")
	if Silent(err) {
		return advice.Add(
			silence(fmt.Sprintf("no answer from Redis at %s: %s", at, advice.Cause(err))),
			"start it, or name another with EBB_REDIS_ADDRESSES or redis.addresses; a secured one needs redis.tls, "+
				"redis.username and a password",
		)
	}
	return fmt.Errorf("connect to Redis at %s: %w", at, err)
}
