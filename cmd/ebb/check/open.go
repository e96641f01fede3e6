package check

import (
	"context"
	"fmt"
	"slices"
	"time"

	"ebb/cmd/ebb/connect"
	"ebb/pipeline/kafkawire"
)

// How long a transaction may be open until it is reported: those of a working producer are shorter.
const (
	openFor   = 3 * time.Second
	openEvery = 500 * time.Millisecond
)

// openAt is a partition whose committed readers are held up.
type openAt struct {
	check, topic string
	partition    int32
	from         int64 // where the oldest open transaction begins
	held         int64 // records behind it, its own among them
}

// checkOpen looks for transactions that stay open in the topics that ebb reads and writes: whoever reads committed
// records waits at them.
func (c *checking) checkOpen(ctx context.Context) {
	var open []openAt
	for _, t := range c.readTopics() {
		topic, ok := c.topics[t.topic]
		if !ok {
			continue
		}
		for n := range min(topic.Partitions, sampledPartitions) {
			if at, ok := c.openIn(ctx, openAt{check: t.check, topic: t.topic, partition: n}); ok {
				open = append(open, at)
			}
		}
	}
	for began := time.Now(); len(open) > 0 && time.Since(began) < openFor && ctx.Err() == nil; {
		select {
		case <-time.After(openEvery):
		case <-ctx.Done():
			return
		}
		open = slices.DeleteFunc(open, func(o openAt) bool {
			now, still := c.openIn(ctx, o)
			return !still || now.from != o.from
		})
		if len(open) > 0 && c.opts.Waiting != nil {
			c.opts.Waiting(fmt.Sprintf("a transaction is open in %s/%d from offset %d on; looking whether it ends",
				open[0].topic, open[0].partition, open[0].from))
		}
	}
	for i := range open {
		c.reportOpen(ctx, &open[i])
	}
}

// readTopics are the topics whose committed records ebb or its commands read, by the name of their check.
func (c *checking) readTopics() (all []openAt) {
	k := &c.cfg.Kafka
	names := append([]string{k.Input, k.Alerts, k.DLQ(), k.Packs, k.Decisions}, k.AllControl()...)
	for _, name := range append(names, c.cfg.HoldoutTopics()...) {
		check := map[string]string{
			k.Input: "input topic", k.Alerts: "alert topic", k.DLQ(): "dlq topic", k.Packs: "packs topic",
			k.Decisions: "decisions topic", k.Holdout: "holdout topic", k.Audience: "audience topic",
		}[name]
		if check == "" {
			check = "control topic"
		}
		all = append(all, openAt{check: check, topic: name})
	}
	return all
}

// openIn is where the oldest open transaction of a partition begins; false: there is none, or nobody tells.
func (c *checking) openIn(ctx context.Context, o openAt) (openAt, bool) {
	stable, err := c.client.StableEnd(ctx, o.topic, o.partition)
	if err != nil {
		return o, false
	}
	_, end, err := c.client.Bounds(ctx, o.topic, o.partition)
	o.from, o.held = stable, end-stable
	return o, err == nil && stable < end
}

// reportOpen says whose a transaction is and how it ends, as far as the brokers tell.
func (c *checking) reportOpen(ctx context.Context, o *openAt) {
	who, lasts, hangs := "a producer", "", false
	if found, err := c.client.OpenTransactions(ctx, o.topic, o.partition); err == nil {
		for i := range found {
			t := &found[i]
			if t.From != o.from {
				continue
			}
			hangs, lasts = t.ID == "" && !t.Unsure, connect.Lasts(t)
			if t.ID != "" {
				who = "a producer with the transactional id " + t.ID
			}
		}
	}
	found := fmt.Sprintf(
		"%s/%d: %s has a transaction open from offset %d on%s; whoever reads committed records waits there",
		o.topic,
		o.partition,
		who,
		o.from,
		lasts,
	)
	do := kafkawire.EndTransaction(c.brokers(), o.topic, o.partition, o.from)
	if hangs {
		c.problem(o.check, do, "%s; no coordinator knows of it, so that it does not end by itself (%s)", found,
			kafkawire.CodeTransactionOpen)
		return
	}
	c.warn(o.check, do, "%s (%s)", found, kafkawire.CodeTransactionOpen)
}
