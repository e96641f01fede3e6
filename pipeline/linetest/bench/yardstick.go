package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// yardstick reads the whole topic with franz-go and does nothing with it, and returns events per second. Machines
// differ, and one machine differs from hour to hour. The line's rate as a share of this one, taken just before, can be
// compared.
func (b *bench) yardstick(ctx context.Context) (float64, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(b.kafka), kgo.ConsumeTopics(input),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxBytes(50<<20), kgo.FetchMaxPartitionBytes(8<<20))
	if err != nil {
		return 0, fmt.Errorf("read the topic: %w", err)
	}
	defer client.Close()
	start := time.Now()
	for n := 0; n < b.Events; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return 0, fmt.Errorf("read the topic: %w", err)
		}
		n += fetches.NumRecords()
	}
	return float64(b.Events) / time.Since(start).Seconds(), nil
}
