package processor

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/cespare/xxhash/v2"
)

// How often a customer is drawn, and how often at most the log reports strays.
const (
	strayEvery   = time.Second
	strayTimeout = 5 * time.Second
	straysTold   = time.Hour
)

// drawn takes a customer from a worker, unless one waits already. Any worker may call it.
func (p *Processor) drawn(key []byte) {
	if len(p.draws) == cap(p.draws) {
		return
	}
	select {
	case p.draws <- bytes.Clone(key):
	default:
	}
}

// watchStrays draws a customer now and then, and looks in Redis for it in other partitions. Each such partition would
// hold a part of its history, and nothing else would show that. The returned function ends it.
func (p *Processor) watchStrays(ctx context.Context) (stop func()) {
	var said time.Time
	return beside(ctx, strayEvery, func(ctx context.Context) {
		select {
		case key := <-p.draws:
			if p.stray(ctx, key, time.Since(said) > straysTold) {
				said = time.Now()
			}
		default:
		}
	})
}

// stray looks at one customer, and reports whether it has logged it. Where Redis does not answer, others log that.
func (p *Processor) stray(ctx context.Context, key []byte, tell bool) bool {
	ctx, cancel := context.WithTimeout(ctx, strayTimeout)
	defer cancel()
	partitions, err := p.redis.Holders(ctx, p.cfg.Kafka.Group, int(p.topic.Partitions), key)
	if err != nil {
		return false
	}
	p.metrics.Drawn(len(partitions) > 1)
	if len(partitions) < 2 || !tell {
		return false
	}
	p.log.Warn().Str("customer_hash", fmt.Sprintf("%016x", xxhash.Sum64(key))).Ints("partitions", partitions).
		Str("do", "have producers key each record by its customer; ebb check shows how many are concerned").
		Msg("a customer's events come in several partitions, and each scores a part of its history")
	return true
}
