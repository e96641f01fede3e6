package replay

import (
	"bytes"
	"context"

	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/connect"
	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
)

// copies writes the replay's alerts to a topic, each customer's in their order.
type copies struct {
	lanes []lane
	err   error // the first one
}

// lane is one partition of the topic.
type lane struct {
	appender *kafkawire.Appender
	waiting  []pipeline.Outgoing
	size     int
}

// laneBytes are collected for one request.
const laneBytes = 512 << 10

func openCopies(ctx context.Context, client *kafkawire.Client, cfg *config.Config, name string) (*copies, error) {
	topic, err := connect.FindTopic(ctx, client, cfg, name, kafkawire.Write)
	if err != nil {
		return nil, err
	}
	c := &copies{}
	for n := range topic.Partitions {
		a, err := client.NewAppender(ctx, kafkawire.AppenderConfig{Topic: name, Partition: n})
		if err != nil {
			return nil, err
		}
		c.lanes = append(c.lanes, lane{appender: a})
	}
	return c, nil
}

// add takes one alert, whose memory is the caller's. An error is kept for flush.
func (c *copies) add(ctx context.Context, out *pipeline.Outgoing) {
	copied := *out
	copied.Key, copied.Value, copied.Headers = bytes.Clone(out.Key), bytes.Clone(out.Value), bytes.Clone(out.Headers)
	l := &c.lanes[kafkawire.Partition(out.Key, int32(len(c.lanes)))]
	l.waiting, l.size = append(l.waiting, copied), l.size+len(out.Value)+len(out.Headers)
	if l.size >= laneBytes {
		c.send(ctx, l)
	}
}

func (c *copies) send(ctx context.Context, l *lane) {
	if c.err == nil {
		_, c.err = l.appender.Append(ctx, l.waiting)
	}
	l.waiting, l.size = l.waiting[:0], 0
}

// flush writes what is left, and returns the first error of all.
func (c *copies) flush(ctx context.Context) error {
	for i := range c.lanes {
		c.send(ctx, &c.lanes[i])
	}
	return c.err
}
