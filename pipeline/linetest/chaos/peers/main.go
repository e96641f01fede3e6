// Command peers is two processors that ebb is compared with, written as the clients' READMEs suggest. They count each
// customer's events in Redis, and publish an alert for every tenth. The kill schedule of command chaos shows what they
// lose, double and miscount, and thereby that the checker can fail. "task chaos:peers" runs it.
//
//	kafka-go   Reader in a consumer group, HINCRBY, Writer, offsets committed every second
//	franz-go   GroupTransactSession: alerts and offsets in one transaction, HINCRBY outside of it
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// peer is what both have in common.
type peer struct {
	kafka, group, input, alerts string
	session                     time.Duration
	redis                       *redis.Client
}

// counts is the hash of each customer's events; every is how many of them make an alert.
const (
	counts = "peer:counts"
	every  = 10
)

func main() {
	var p peer
	var address string
	flag.StringVar(&p.kafka, "kafka", "127.0.0.1:9092", "address of the broker")
	flag.StringVar(&address, "redis", "127.0.0.1:6379", "address of Redis")
	flag.StringVar(&p.group, "group", "peer", "consumer group")
	flag.StringVar(&p.input, "input", "events", "topic of events")
	flag.StringVar(&p.alerts, "alerts", "alerts", "topic of alerts")
	flag.DurationVar(&p.session, "session", 6*time.Second, "how long the group waits for a silent member")
	flag.Parse()
	p.redis = redis.NewClient(&redis.Options{Addr: address})
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	run, known := map[string]func(context.Context) error{"kafka-go": p.kafkaGo, "franz-go": p.franzGo}[flag.Arg(0)]
	if !known {
		fmt.Fprintln(os.Stderr, "peers: kafka-go or franz-go, not", flag.Arg(0))
		os.Exit(2)
	}
	err := run(ctx)
	ended := ctx.Err() != nil
	stop()
	if err != nil && !ended {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// customer is the record's customer; empty where the record cannot be used.
func customer(value []byte) string {
	var e struct {
		Customer string `json:"customer"`
	}
	if err := json.Unmarshal(value, &e); err != nil {
		return ""
	}
	return e.Customer
}

// alert is what the n-th event of a customer publishes; nil for all but every tenth.
func alert(customer string, n int64) (id string, value []byte) {
	if n%every != 0 {
		return "", nil
	}
	id = fmt.Sprintf("%s:%d", customer, n)
	value, err := json.Marshal(
		map[string]any{"id": id, "customer": customer, "transition": "tenth", "episode": n / every, "sequence": 1},
	)
	if err != nil {
		panic("BUG: numbers and names: " + err.Error())
	}
	return id, value
}

// count counts one event for each of customers, and returns the new counts.
func (p *peer) count(ctx context.Context, customers []string) ([]int64, error) {
	answers := make([]*redis.IntCmd, len(customers))
	_, err := p.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for i, c := range customers {
			answers[i] = pipe.HIncrBy(ctx, counts, c, 1)
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("count: %w", err)
	}
	numbers := make([]int64, len(customers))
	for i, a := range answers {
		numbers[i] = a.Val()
	}
	return numbers, nil
}
