package kafkasource

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
)

// PartitionConfig is what a Partition reads. Client, Group, Topic and Confirm are required; for the rest see
// kafkawire.FetchConfig.
type PartitionConfig struct {
	Client    *kafkawire.Client
	Group     string
	Topic     string
	Partition int32
	Confirm   func(context.Context) error // checks that the member still owns it; see Generation.Confirm
	MaxBytes  int32
	MaxWait   time.Duration
	Linger    time.Duration
}

// Validate reports what is missing.
func (c *PartitionConfig) Validate() error {
	if c.Client == nil || c.Group == "" || c.Topic == "" || c.Partition < 0 || c.Confirm == nil {
		return errors.New("client, group, topic, a partition from 0 on, and confirm are required")
	}
	return nil
}

// Partition reads one partition of the input: the half of pipeline.Log that writes nothing.
type Partition struct {
	cfg     PartitionConfig
	fetcher *kafkawire.Fetcher
}

// NewPartition makes a Partition. The caller closes it.
func NewPartition(cfg PartitionConfig) (*Partition, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("new partition: %w", err)
	}
	f, err := cfg.Client.NewFetcher(kafkawire.FetchConfig{
		Topic: cfg.Topic, Partition: cfg.Partition, MaxBytes: cfg.MaxBytes, MaxWait: cfg.MaxWait, Linger: cfg.Linger,
	})
	if err != nil {
		return nil, fmt.Errorf("new partition: %w", err)
	}
	return &Partition{cfg: cfg, fetcher: f}, nil
}

// Fetch implements pipeline.Log.
func (p *Partition) Fetch(ctx context.Context, offset int64, f *pipeline.Fetched) error {
	err := p.fetcher.Fetch(ctx, offset, f)
	if errors.Is(err, kafkawire.UnknownTopicOrPartition) {
		return &pipeline.Unready{
			Code: kafkawire.CodeTopicMissing, Detail: err.Error(),
			Do: "the input is gone, and the group's offsets with it: create it again, and start under a new kafka.group",
		}
	}
	if f.Throttled = err == nil && f.End < 0; f.Throttled {
		if _, end, err := p.cfg.Client.Bounds(ctx, p.cfg.Topic, p.cfg.Partition); err == nil {
			f.End = end // how far behind the partition is shows all the same
		}
	}
	return err
}

// Position implements pipeline.Log. It confirms the generation last, so that what it has read is not older than the
// confirmation.
func (p *Partition) Position(ctx context.Context) (pipeline.Position, error) {
	at, err := p.cfg.Client.Committed(ctx, p.cfg.Group, p.cfg.Topic, p.cfg.Partition)
	if err != nil {
		return pipeline.Position{}, err
	}
	start, end, err := p.cfg.Client.Bounds(ctx, p.cfg.Topic, p.cfg.Partition)
	if err != nil {
		return pipeline.Position{}, err
	}
	if err := p.cfg.Confirm(ctx); err != nil {
		return pipeline.Position{}, err
	}
	return pipeline.Position{
		Committed: at.Exists,
		Offset:    at.Offset,
		Metadata:  at.Metadata,
		LogStart:  start,
		End:       end,
	}, nil
}

// Close frees memory. No Fetch may be in progress.
func (p *Partition) Close() { p.fetcher.Close() }
