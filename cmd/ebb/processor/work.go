package processor

import (
	"context"
	"errors"
	"time"

	"ebb/cmd/ebb/config"
	"ebb/pipeline"
	"ebb/pipeline/kafkasource"
	"ebb/pipeline/line"
	"ebb/pipeline/worker"
	"ebb/sinks"
	"ebb/sinks/format"
)

// refuse logs why a partition is not started, in the way of a worker that stops.
func (p *Processor) refuse(n int32, stop *pipeline.HardStop) error {
	p.log.Error().Int32("partition", n).EmbedObject(stop).Msg("partition stopped")
	return stop
}

// own works on the partitions of one generation until they are revoked or, with --until-end, at their end.
func (p *Processor) own(ctx context.Context, g *kafkasource.Generation) error {
	p.mu.Lock()
	p.generation, p.awaited = g.Generation, ""
	if p.began.IsZero() {
		p.began = time.Now()
	}
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		p.generation = 0
		p.mu.Unlock()
	}()
	select {
	case stop := <-p.taken:
		p.log.Debug().EmbedObject(stop).Msg("the group was taken in an earlier generation")
	default:
	}
	errs := make(chan error, len(g.Partitions))
	for _, n := range g.Partitions {
		go func() { errs <- p.work(ctx, g, n) }()
	}
	var stops []error
	for range g.Partitions {
		err := <-errs
		if hard, ok := errors.AsType[*pipeline.HardStop](err); ok {
			stops = append(stops, hard)
			if s := p.opts.shadow; s != nil {
				p.log.Error().
					Str("code", hard.Code).
					Str("do", shadowAdvice(s.name, hard)).
					Msg("a partition of the shadow stopped; ebb rebuild is for the main group alone")
			}
		} else if err != nil && ctx.Err() == nil && !errors.Is(err, pipeline.ErrFenced) {
			p.log.Error().Err(err).Msg("partition not worked on")
			stops = append(stops, err)
		}
	}
	p.mu.Lock()
	p.ended = time.Now()
	clear(p.workers)
	p.mu.Unlock()
	return p.afterwards(ctx, g, stops)
}

// afterwards decides how to go on when no worker of the generation is left. Stopped partitions stay stopped, and this
// member keeps them until a rebalance. When all have stopped there is nothing left to run, nor where another program
// uses the group.
func (p *Processor) afterwards(ctx context.Context, g *kafkasource.Generation, stops []error) error {
	if len(stops) > 0 && (p.opts.UntilEnd || len(stops) == len(g.Partitions)) {
		return errors.Join(stops...)
	}
	if p.opts.UntilEnd {
		return nil
	}
	select {
	case <-g.Revoked:
	case <-ctx.Done():
	case stop := <-p.taken:
		p.log.Error().EmbedObject(stop).Msg("stopped, without a partition")
		return stop
	}
	return nil
}

// work owns one partition for one generation.
func (p *Processor) work(ctx context.Context, g *kafkasource.Generation, n int32) error {
	if n >= p.topic.Partitions { // added while this process runs
		return p.refuse(n, p.identity(n).PartitionsChanged(int(p.topic.Partitions)))
	}
	source, err := kafkasource.NewPartition(kafkasource.PartitionConfig{
		Client: p.kafka, Group: g.Group, Topic: p.cfg.Kafka.Input, Partition: n, Confirm: g.Confirm,
		MaxBytes: int32(p.cfg.Batch.MaxBytes), Linger: p.cfg.Batch.Linger,
	})
	if err != nil {
		return err
	}
	defer source.Close()
	sink, err := sinks.NewKafka(sinks.KafkaConfig{
		Client:      p.kafka,
		Membership:  g.Membership,
		Topic:       p.cfg.Kafka.Input,
		Partition:   n,
		Confirm:     g.Confirm,
		Timeout:     p.cfg.Kafka.TransactionTimeout,
		Compression: p.cfg.Kafka.Codec(),
	})
	if err != nil {
		return err
	}
	store := p.redis.Partition(g.Group, int(n))
	defer func() { _ = store.Close() }() // everything is committed already
	render := format.Renderer{
		Alerts:    p.cfg.Kafka.Alerts,
		DLQ:       p.dlq(),
		Control:   p.control.Topic,
		Packs:     p.cfg.Kafka.Packs,
		Decisions: p.decisions(),
		Holdout:   p.cfg.Kafka.Holdout,
		Audience:  p.cfg.Kafka.Audience,
		Group:     g.Group,
		Input:     p.cfg.Kafka.Input,
		InputID:   p.topic.ID,
		Partition: n,
		Source:    format.Source(g.Group, p.cfg.Kafka.Input),
	}
	w := worker.New(worker.Config{
		Line: line.Config{
			Identity: p.identity(n), Settings: p.cfg.Decides(), Format: g.Format,
			CacheCustomers: p.cfg.State.Cache / max(len(g.Partitions), 1),
			PoisonBreaker:  p.cfg.Input.PoisonBreaker, AcceptPoison: p.acceptedPoison(n),
		},
		Log: struct {
			*kafkasource.Partition
			*sinks.Kafka
		}{source, sink},
		Ledger:       p.control.Ledger(p.kafka, p.cfg),
		Store:        store,
		Pack:         p.pack,
		Configured:   p.configured,
		Render:       render.Render,
		PublishEvery: time.Second,
		End:          p.end(n),
		Idle:         p.cfg.Time.Idle,
		AdvanceTo:    p.advanceTo(),
		Wall:         p.wall,
		Metrics:      p.metrics,
		Trace:        p.opts.Trace,
		Draw:         p.drawn,

		InitialPerHour: p.cfg.Start.InitialPerHour,
		Asked: func(ctx context.Context, each func(string, []byte)) error {
			return p.redis.Asked(ctx, g.Group, int(n), each)
		},
		Share: func(ctx context.Context, put map[string][]byte, want string) (map[string][]byte, error) {
			return p.redis.Share(ctx, g.Group, p.topic.ID, put, want)
		},
		Verify: p.verify(n),
		Logger: p.log.With().
			Str("group", g.Group).
			Str("topic", p.cfg.Kafka.Input).
			Int32("partition", n).
			Int32("generation", g.Generation).
			Logger(),
	})
	p.mu.Lock()
	p.workers[n] = w
	p.mu.Unlock()
	err = w.Run(ctx, g.Revoked)
	p.mu.Lock()
	p.tally.Add(w.Tally())
	p.held[n] = 0
	for _, raises := range w.Progress().Held {
		p.held[n] += raises
	}
	p.mu.Unlock()
	if hard := (*pipeline.HardStop)(nil); !errors.As(err, &hard) {
		p.metrics.Forget(int(n))
	}
	return err
}

func (p *Processor) identity(n int32) pipeline.Identity {
	return pipeline.Identity{
		Group: p.cfg.Kafka.Group, Input: p.cfg.Kafka.Input, Partition: int(n), Partitions: int(p.topic.Partitions),
		Cluster: p.topic.Cluster, Topic: p.topic.ID, Pack: p.pack.Hash, Latest: p.cfg.Kafka.Start == "latest",
		History: p.cfg.Start.History == config.HistoryFirstStart,
	}
}

func (p *Processor) end(n int32) int64 {
	if !p.opts.UntilEnd {
		return -1
	}
	return p.ends[n]
}

// advanceTo is the minute that the command line names, since the epoch; 0: none.
func (p *Processor) advanceTo() int64 {
	if p.opts.AdvanceTo.IsZero() {
		return 0
	}
	return pipeline.FloorDiv(p.opts.AdvanceTo.UnixMilli(), pipeline.MinuteMillis)
}

// acceptedPoison is the offset below which the partition's records pass the poison breaker.
func (p *Processor) acceptedPoison(n int32) int64 {
	if !p.opts.AcceptPoison {
		return 0
	}
	return p.ends[n]
}
