package kafkawire

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/pipeline"
	"ebb/pipeline/kafkabatch"
)

// Appender writes records to one partition, outside any transaction: in order and, as long as it lives, each once,
// whatever answers are lost (the brokers know its sequence numbers). One goroutine may use it at a time.
type Appender struct {
	client     *Client
	to         target
	maxRequest int
	patience   time.Duration
	id         kafkabatch.ProducerID
	sequence   int32
	batch      kafkabatch.Builder
	compressor kafkabatch.Compressor
	broken     error
}

// AppenderConfig says where an Appender writes.
type AppenderConfig struct {
	Topic     string
	Partition int32

	// MaxRequest is how many bytes of records one batch carries at most, not above the topic's max.message.bytes. A
	// record above it goes alone. Default 900,000.
	MaxRequest int

	// Patience is how long one batch is tried again while brokers do not answer. Default 1 min.
	Patience time.Duration
}

// NewAppender asks the brokers for a producer id. Errors: pipeline.ErrUnavailable.
func (c *Client) NewAppender(ctx context.Context, cfg AppenderConfig) (*Appender, error) {
	if cfg.Topic == "" || cfg.MaxRequest < 0 || cfg.Patience < 0 {
		return nil, fmt.Errorf(
			"new appender: topic %q, requests of %d bytes, patience %v",
			cfg.Topic,
			cfg.MaxRequest,
			cfg.Patience,
		)
	}
	if cfg.MaxRequest == 0 {
		cfg.MaxRequest = 900_000
	}
	if cfg.Patience == 0 {
		cfg.Patience = time.Minute
	}
	req := kmsg.NewPtrInitProducerIDRequest()
	req.ProducerID, req.ProducerEpoch = -1, -1
	answer, err := c.askSafe(ctx, ToAny(), req, func(r kmsg.Response) int16 {
		return r.(*kmsg.InitProducerIDResponse).ErrorCode
	})
	if err != nil {
		return nil, fmt.Errorf("start appender: %w", err)
	}
	got := answer.(*kmsg.InitProducerIDResponse)
	return &Appender{
		client: c, to: target{cfg.Topic, cfg.Partition}, maxRequest: cfg.MaxRequest, patience: cfg.Patience,
		id: kafkabatch.ProducerID{ID: got.ProducerID, Epoch: got.ProducerEpoch},
	}, nil
}

// Append writes records in order and returns how many of them, from the front, are acknowledged by all replicas in
// sync. Topic and Partition of the records are not looked at. After an error the Appender cannot be used again. Errors:
// pipeline.ErrUnavailable (the batch behind the acknowledged records may or may not have been written),
// *pipeline.HardStop for a record that the topic does not take, an Error otherwise.
func (a *Appender) Append(ctx context.Context, records []pipeline.Outgoing) (acknowledged int, err error) {
	if a.broken != nil {
		return 0, fmt.Errorf("append after a failure: %w", a.broken)
	}
	for acknowledged < len(records) {
		n := a.fill(records[acknowledged:])
		if a.broken = a.send(ctx); a.broken != nil {
			return acknowledged, fmt.Errorf("append to %s/%d: %w", a.to.topic, a.to.partition, a.broken)
		}
		acknowledged += n
	}
	return acknowledged, nil
}

// fill puts as many records into the batch as it may carry.
func (a *Appender) fill(records []pipeline.Outgoing) int {
	a.batch.Reset()
	for i := range records {
		r := &records[i]
		if i > 0 && a.batch.Size()+kafkabatch.RecordBound(r.Key, r.Value, r.Headers) > a.maxRequest {
			return i
		}
		a.batch.Add(r.Key, r.Value, r.Headers, r.Timestamp)
	}
	return len(records)
}

// send brings the batch to the partition's leader, again and again under the same sequence number until it is known to
// be there.
func (a *Appender) send(ctx context.Context) error {
	if _, err := a.compressor.Compress(&a.batch, a.maxRequest); err != nil {
		return err
	}
	bytes := a.batch.Seal(a.id, a.sequence)
	_, err := repeat(ctx, a.client, a.patience, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, a.client.deliver(ctx, 0, nil, []sealed{{a.to, bytes}})
	}, mayRepeat)
	if err == nil {
		a.sequence = kafkabatch.NextSequence(a.sequence, a.batch.Records())
	}
	if large, ok := errors.AsType[*oversize](err); ok {
		return large.stop()
	}
	return err
}

// mayRepeat says that a batch is worth sending again: what refuses it passes, or it is not known what became of it.
func mayRepeat(err error) bool {
	const notEnoughReplicasAfterAppend = Error(20)
	var stop *pipeline.HardStop
	return !errors.As(err, &stop) &&
		(refusedOrLost(err) || errors.Is(err, RequestTimedOut) || errors.Is(err, notEnoughReplicasAfterAppend))
}
