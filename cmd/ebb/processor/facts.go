package processor

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
	"ebb/pipeline/worker"
)

// How often what a processor was started on is looked at again, and for how long at most.
const (
	factsEvery   = 10 * time.Second
	factsTimeout = 8 * time.Second
)

// inputFacts are what the input was when the processor started, compared with what it is: after each fetch, before its
// records are applied. The broker that served the fetch is asked, since others may lag behind it.
type inputFacts struct {
	look func(ctx context.Context, broker int32) (kafkawire.Topic, error)

	flights singleflight.Group
	mu      sync.Mutex
	latest  map[int32]inputLook // by broker
}

// inputLook is the input as a broker described it.
type inputLook struct {
	found kafkawire.Topic
	began time.Time
}

// since is the input as a broker described it after an instant. Partitions that ask at the same time share an answer.
func (f *inputFacts) since(ctx context.Context, broker int32, instant time.Time) (kafkawire.Topic, error) {
	for {
		f.mu.Lock()
		last := f.latest[broker]
		f.mu.Unlock()
		if !last.began.Before(instant) {
			return last.found, nil
		}
		flight := f.flights.DoChan(strconv.Itoa(int(broker)), func() (any, error) {
			now := time.Now()
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), factsTimeout)
			defer cancel()
			found, err := f.look(ctx, broker)
			if err == nil {
				f.mu.Lock()
				f.latest[broker] = inputLook{found, now}
				f.mu.Unlock()
			}
			return nil, err
		})
		select {
		case answer := <-flight:
			if answer.Err != nil {
				return kafkawire.Topic{}, answer.Err
			}
		case <-ctx.Done():
			return kafkawire.Topic{}, ctx.Err()
		}
	}
}

// verify is worker.Config's, for partition n.
func (p *Processor) verify(n int32) func(context.Context, time.Time) error {
	id := p.identity(n)
	return func(ctx context.Context, since time.Time) error {
		broker, err := p.kafka.Leader(ctx, p.cfg.Kafka.Input, n)
		if err != nil {
			return err
		}
		t, err := p.input.since(ctx, broker, since)
		if err != nil {
			return err
		}
		return id.Still(t.Cluster, t.ID, int(t.Partitions))
	}
}

// watchFacts looks now and then at what the workers' own requests do not show: the input while nothing comes, Redis'
// policy, keys that somebody else removed, the topics of control records and packs, and strangers in the group. What has changed stops the partitions concerned.
// It ends with the function that it returns.
func (p *Processor) watchFacts(ctx context.Context) (stop func()) {
	return beside(ctx, factsEvery, func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, factsTimeout)
		defer cancel()
		var all sync.WaitGroup // a server that does not answer hides nothing of the other
		for _, look := range []func(context.Context){
			p.watchInput, p.watchTopics, p.watchPolicy, p.watchState, p.watchGroup,
		} {
			all.Go(func() { look(ctx) })
		}
		all.Wait()
	})
}

func (p *Processor) watchInput(ctx context.Context) {
	now := time.Now()
	p.each(func(n int32, w *worker.Worker) { halt(w, p.verify(n)(ctx, now)) })
}

// watchTopics looks for an input that loses events by being compacted, and for topics of control records and packs that
// are others than those found at the start: a replay would miss what the earlier ones held.
func (p *Processor) watchTopics(ctx context.Context) {
	set, err := p.kafka.TopicConfig(ctx, p.cfg.Kafka.Input)
	if err == nil && strings.Contains(set.CleanupPolicy, "compact") {
		p.each(func(n int32, w *worker.Worker) {
			halt(w, p.identity(n).Compacted(strings.Join(p.cfg.Kafka.Brokers, ",")))
		})
	}
	for _, own := range p.ownTopics {
		found, err := p.kafka.Topic(ctx, own.Name)
		gone := errors.Is(err, kafkawire.UnknownTopicOrPartition)
		if gone || err == nil && found.ID != own.ID {
			p.each(func(n int32, w *worker.Worker) { halt(w, p.identity(n).ControlLost(own.Name, gone)) })
		}
	}
}

func (p *Processor) watchPolicy(ctx context.Context) {
	if p.opts.Embedded {
		return
	}
	policies, err := p.redis.Policies(ctx)
	if err != nil {
		return // whoever needs Redis finds it away
	}
	for i := range policies {
		if err := policies[i].Keeps(); err != nil {
			p.each(func(_ int32, w *worker.Worker) { halt(w, err) })
		}
	}
}

func (p *Processor) watchState(ctx context.Context) {
	p.each(func(n int32, w *worker.Worker) {
		at, id := w.Progress(), p.identity(n)
		held, err := p.redis.Held(ctx, p.cfg.Kafka.Group, int(n))
		switch {
		case err != nil:
		case held.Exists:
			err = id.Lacks(&held.Meta, held.Holds, held.Missing)
		case at.Committed:
			err = id.StateLost(at.Published)
		}
		halt(w, err)
	})
}

func (p *Processor) watchGroup(ctx context.Context) {
	err := p.member.Strangers(ctx)
	p.each(func(_ int32, w *worker.Worker) { halt(w, err) })
	if stop, ok := errors.AsType[*pipeline.HardStop](err); ok {
		select {
		case p.taken <- stop:
		default:
		}
	}
}

// each calls do with each worker of the present generation.
func (p *Processor) each(do func(n int32, w *worker.Worker)) {
	p.mu.Lock()
	workers := maps.Clone(p.workers)
	p.mu.Unlock()
	for n, w := range workers {
		do(n, w)
	}
}

// halt stops a worker for what a person has to decide on. What else went wrong shows elsewhere.
func halt(w *worker.Worker, err error) {
	if stop, ok := errors.AsType[*pipeline.HardStop](err); ok {
		w.Halt(stop)
	}
}
