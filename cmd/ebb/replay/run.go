package replay

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"ebb/pipeline"
	"ebb/pipeline/kafkasource"
	"ebb/pipeline/line"
	"ebb/pipeline/worker"
	"ebb/scoring/alert"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/sinks/format"
)

// source is the partition's log as of the group's committed offset. It publishes nothing: what lies below that offset a
// worker never publishes again, and what lies beyond is none of the replay's.
type source struct {
	*kafkasource.Partition
	at pipeline.Position
}

func (s *source) Init(context.Context) error                           { return nil }
func (s *source) Position(context.Context) (pipeline.Position, error)  { return s.at, nil }
func (s *source) Publish(context.Context, *pipeline.Publication) error { return nil }
func confirmed(context.Context) error                                  { return nil }

// run replays one partition as a processor does whose state was emptied. before is how many records were replayed in
// earlier partitions.
func (r *replay) run(ctx context.Context, p *Partition, before int64) error {
	k, id := &r.cfg.Kafka, r.identity(p.Partition)
	log, err := kafkasource.NewPartition(kafkasource.PartitionConfig{
		Client: r.Kafka, Group: k.Group, Topic: k.Input, Partition: p.Partition, Confirm: confirmed,
		MaxBytes: int32(r.cfg.Batch.MaxBytes), Linger: r.cfg.Batch.Linger,
	})
	if err != nil {
		return err
	}
	defer log.Close()
	store := r.Redis.Partition(k.Group, int(p.Partition))
	defer func() { _ = store.Close() }() // it is forgotten
	if err := store.Seed(ctx, id.NewMeta(p.From)); err != nil {
		return err
	}
	at := &r.marks[p.Partition]
	w := worker.New(worker.Config{
		Line: line.Config{
			Identity: id, Settings: r.cfg.Decides(), Format: profile.Format, CacheCustomers: r.cfg.State.Cache,
			PoisonBreaker: r.cfg.Input.PoisonBreaker, Repeated: r.compare(ctx, p.Partition),
		},
		Log: &source{log, pipeline.Position{
			Committed: true, Offset: at.Offset, Metadata: at.Metadata, LogStart: p.From, End: at.Offset,
		}},
		Ledger:       r.control.Ledger(r.Kafka, r.cfg),
		Store:        store,
		Pack:         r.pack,
		Render:       nothing,
		PublishEvery: time.Second,
		End:          at.Offset,
		Logger:       zerolog.Nop(),
		Metrics:      worker.NewMetrics(prometheus.NewRegistry()),
	})
	var telling sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	telling.Go(func() { r.tell(ctx, w, p, before) })
	err = w.Run(ctx, nil)
	cancel()
	telling.Wait()
	return err
}

// nothing is published.
func nothing(scratch []byte, _ *pipeline.Entry, _ *pipeline.Record) (pipeline.Outgoing, []byte) {
	return pipeline.Outgoing{}, scratch
}

// tell reports how far the replay is, until ctx ends.
func (r *replay) tell(ctx context.Context, w *worker.Worker, p *Partition, before int64) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			done := max(w.Progress().Next-p.From, 0)
			r.opts.Progress("replaying", before+done, r.report.Records)
		case <-ctx.Done():
			return
		}
	}
}

// erasedAfter reports whether the customer of a decision was erased after it: nobody is to get it once more.
func (r *replay) erasedAfter(partition int32, e *pipeline.Entry) bool {
	all := r.erased[partition]
	if len(all) == 0 || e.Kind == pipeline.EntryErased {
		return false
	}
	id := r.identity(partition)
	hash := id.ErasedHash(e.Key)
	return slices.ContainsFunc(all, func(c pipeline.Control) bool {
		return c.Erased.Customer == hash && e.Begins() <= c.Offset
	})
}

// compare takes the decisions that the worker makes a second time, renders each as it was published, and compares.
func (r *replay) compare(ctx context.Context, partition int32) func(*pipeline.Entry, *pack.Pack) {
	render := format.Renderer{
		Alerts: r.cfg.Kafka.Alerts, Partition: partition, Source: format.Source(r.cfg.Kafka.Group, r.cfg.Kafka.Input),
	}
	renderers := map[*pack.Pack]*alert.Renderer{}
	var scratch, encoded []byte
	return func(e *pipeline.Entry, k *pack.Pack) {
		if renderers[k] == nil {
			renderers[k] = alert.NewRenderer(k)
		}
		encoded = pipeline.AppendEntry(encoded[:0], e)
		read := pipeline.MustReadEntry(encoded)
		read.By = renderers[k]
		var out pipeline.Outgoing
		out, scratch = render.Render(scratch[:0], &read, nil)
		r.found.decided(read.ID(), out.Value)
		if r.copies != nil && !r.erasedAfter(partition, e) {
			r.copies.add(ctx, &out)
		}
	}
}
