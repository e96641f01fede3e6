package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/rs/zerolog"

	"ebb/pipeline"
	"ebb/pipeline/kafkasource"
	"ebb/pipeline/kafkawire"
	"ebb/pipeline/line"
	"ebb/pipeline/redisstore"
	"ebb/pipeline/worker"
	"ebb/scoring"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/sinks"
)

// processorOptions is what differs between the commands that process.
type processorOptions struct {
	untilEnd     bool                       // stop at the end offsets found at the start
	acceptPoison bool                       // what lies below the end offsets found at the start passes the poison breaker
	leave        bool                       // leave the group at the end
	embedded     bool                       // the services are this process's own: their policy is known
	trace        func(pipeline.Step, int64) // optional; see pipeline.Config
	newest       int                        // version of the state that the program knows; 0: the real one
	hangups      bool                       // SIGHUP has the pack's file be looked at
	shadow       *shadowRole                // nil: it is the main one
}

// processor is one member of the group at work: clients, membership, and a worker per owned partition.
type processor struct {
	cfg     *Config
	opts    processorOptions
	log     zerolog.Logger
	pack    *pack.Pack                // that it was started with
	newest  atomic.Pointer[pack.Pack] // that was loaded since
	met     atomic.Pointer[pack.Pack] // the newest that a partition has asked for
	kafka   *kafkawire.Client
	redis   *redisstore.Client
	topic   kafkawire.Topic
	slot    *kafkasource.Slot // nil where the instance id is configured
	member  *kafkasource.Member
	metrics *worker.Metrics
	metered *prometheus.Registry // what /metrics shows; nil of a shadow, which is shown by the main one
	http    *httpServer          // nil: none
	ends    []int64              // by partition, where opts.untilEnd or opts.acceptPoison
	draws   chan []byte          // keys of customers met; see tellStrays
	said    string               // what kind of failure to start was logged last

	unfollow  context.CancelFunc
	following sync.WaitGroup // goroutines that look at files

	mu           sync.Mutex
	generation   int32
	awaited      string                   // why it could not start, the last time it tried
	workers      map[int32]*worker.Worker // of the present generation
	draining     bool
	shadows      *shadows // beside it; nil: none
	tally        line.Tally
	began, ended time.Time
}

// newProcessor connects to everything. What cannot work is said here; what only is not there yet is waited for.
func newProcessor(ctx context.Context, cfg *Config, log zerolog.Logger, opts processorOptions) (_ *processor, err error) {
	p := &processor{cfg: cfg, opts: opts, log: log, workers: map[int32]*worker.Worker{}, draws: make(chan []byte, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	if p.pack, err = loadPack(cfg); err != nil {
		return nil, err
	}
	p.newest.Store(p.pack)
	p.met.Store(p.pack)
	files := p.followFiles(ctx)
	log.Info().Str("digest", cfg.Digest()).Object("config", cfg.Masked()).Str("pack", p.pack.Name).Str("pack_hash", p.pack.Hash).Msg("starting")
	if p.kafka, err = openKafka(cfg, p.topics()...); err != nil {
		return nil, err
	}
	if err := p.serveHTTP(ctx); err != nil {
		return nil, err
	}
	p.followPack(files)
	if err := p.connectPatiently(ctx); err != nil {
		return nil, err
	}
	return p, p.joinAs()
}

// connectPatiently tries again while Kafka or Redis does not answer, as a running processor would: a supervisor need not
// start the process again and again. With --until-end there is somebody who waits for the end, and is told at once.
func (p *processor) connectPatiently(ctx context.Context) error {
	wait := backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(100*time.Millisecond), backoff.WithMaxInterval(5*time.Second), backoff.WithMaxElapsedTime(0))
	for {
		err := p.connect(ctx)
		if err == nil || p.opts.untilEnd || p.opts.embedded || !errors.Is(err, pipeline.ErrUnavailable) {
			return err
		}
		if ctx.Err() != nil {
			return stopCause(ctx)
		}
		p.await(err)
		select {
		case <-time.After(wait.NextBackOff()):
		case <-ctx.Done():
			return stopCause(ctx)
		}
	}
}

// connect sees, in the order in which one needs the other, that everything is there and fit. It may be repeated.
func (p *processor) connect(ctx context.Context) (err error) {
	if p.redis == nil {
		if p.redis, err = openRedis(ctx, p.cfg); err != nil {
			return noRedis(err, p.cfg)
		}
	}
	if !p.opts.embedded {
		if err := p.checkRedis(ctx); err != nil {
			return err
		}
	}
	control, err := p.checkTopics(ctx)
	if err != nil {
		return err
	}
	if err := p.checkPartitions(ctx); err != nil {
		return err
	}
	if control < p.topic.Partitions {
		return advise(fmt.Errorf("topic %s has %s, the input has %d", p.cfg.Kafka.Control, plural(int(control), "partition"), p.topic.Partitions), "ebb check says how to add the rest")
	}
	return nil
}

// checkRedis refuses a Redis that may drop state.
func (p *processor) checkRedis(ctx context.Context) error {
	policies, err := p.redis.Policies(ctx)
	if err != nil {
		return fmt.Errorf("ask Redis for its policy: %w", err)
	}
	for i := range policies {
		if err := policies[i].Check(); err != nil {
			return err
		}
		if policies[i].Unknown != nil {
			p.log.Warn().Str("redis", policies[i].Address).Err(policies[i].Unknown).Msg("Redis does not say whether it may evict state; it must not")
		}
	}
	return nil
}

// checkTopics finds the input's identity and sees that everything that is written to exists. It returns how many partitions
// the topic of control records has.
func (p *processor) checkTopics(ctx context.Context) (control int32, err error) {
	for _, name := range p.topics() {
		p.topic, err = p.kafka.Topic(ctx, name)
		switch {
		case errors.Is(err, kafkawire.UnknownTopicOrPartition):
			return 0, advise(fmt.Errorf("topic %s does not exist", name), "create what is missing: ebb check --create")
		case isSilent(err) && !errors.As(err, new(kafkawire.Error)):
			return 0, noKafka(err, p.cfg, "")
		case err == nil && name == p.cfg.Kafka.Control:
			control = p.topic.Partitions
		case err != nil:
			return 0, fmt.Errorf("look up topic %s at %s: %w", name, p.kafka.Brokers(), err)
		}
	}
	if !p.opts.untilEnd && !p.opts.acceptPoison {
		return control, nil
	}
	p.ends = make([]int64, p.topic.Partitions)
	if s := p.opts.shadow; s != nil {
		copy(p.ends, s.ends)
		return control, nil
	}
	for i := range p.ends {
		if _, p.ends[i], err = p.kafka.Bounds(ctx, p.cfg.Kafka.Input, int32(i)); err != nil {
			return 0, fmt.Errorf("find the end of %s/%d: %w", p.cfg.Kafka.Input, i, err)
		}
	}
	return control, nil
}

// checkPartitions refuses to start where any partition's state was built with another number of them.
func (p *processor) checkPartitions(ctx context.Context) error {
	for n := range p.topic.Partitions {
		found, err := p.redis.Inspect(ctx, p.cfg.Kafka.Group, int(n), nil)
		if err != nil {
			return fmt.Errorf("read the state of partition %d: %w", n, err)
		}
		if found.Exists && found.Meta.Partitions != int(p.topic.Partitions) {
			return p.refuse(n, p.identity(n).PartitionsChanged(found.Meta.Partitions))
		}
	}
	return nil
}

// refuse logs why a partition is not begun with, as a worker does that stops.
func (p *processor) refuse(n int32, stop *pipeline.HardStop) error {
	p.log.Error().Int32("partition", n).EmbedObject(stop).Msg("partition stopped")
	return stop
}

// joinAs settles under which instance id this process joins the group.
func (p *processor) joinAs() (err error) {
	instance := p.cfg.Kafka.InstanceID
	if instance == "" {
		host, err := os.Hostname()
		if err != nil {
			return advise(fmt.Errorf("find the host's name: %w", err), "set kafka.instance_id")
		}
		if p.slot, err = kafkasource.TakeSlot(filepath.Join(os.TempDir(), fmt.Sprintf("ebb-instances-%d", os.Getuid())), host, p.cfg.Kafka.Group); err != nil {
			return advise(err, "set kafka.instance_id")
		}
		instance = p.slot.Instance()
	}
	p.member, err = kafkasource.NewMember(kafkasource.MemberConfig{
		Client: p.kafka, Group: p.cfg.Kafka.Group, Topic: p.cfg.Kafka.Input, Instance: instance,
		Session: p.cfg.Kafka.SessionTimeout, Heartbeat: p.cfg.Kafka.Heartbeat,
		Rebalance: max(30*time.Second, p.cfg.Kafka.SessionTimeout), Formats: formats(p.opts.newest), Logger: p.log,
	})
	return err
}

// formats are the versions of the state that a program reads and writes that knows newest, that one first.
func formats(newest int) (all []int) {
	for f := cmp.Or(newest, profile.NewestVersion); f >= profile.OldestVersion; f-- {
		all = append(all, f)
	}
	return all
}

func (p *processor) serveHTTP(ctx context.Context) (err error) {
	if s := p.opts.shadow; s != nil {
		p.metrics = worker.NewShadowMetrics(s.metered, s.name)
		return nil
	}
	p.metered = prometheus.NewRegistry()
	p.metered.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	p.metrics = worker.NewMetrics(p.metered)
	if p.cfg.HTTP.Listen == "" {
		return nil
	}
	p.http, err = startHTTP(ctx, httpConfig{
		Listen: p.cfg.HTTP.Listen, Registry: p.metered, Ready: p.ready,
		Live: p.live,
	})
	if err == nil {
		p.log.Info().Str("listen", p.http.Addr()).Msg("serving health and metrics")
	}
	return err
}

// run works as a member of the group until ctx ends, which drains within the shutdown timeout, or the end is reached.
func (p *processor) run(ctx context.Context) error {
	work, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	stop := context.AfterFunc(ctx, func() {
		p.log.Info().Dur("within", p.cfg.ShutdownTimeout).Msg("draining")
		p.mu.Lock()
		p.draining = true
		p.mu.Unlock()
		p.member.Drain()
		time.AfterFunc(p.cfg.ShutdownTimeout, func() { cancel(errDrainTimeout) })
	})
	defer stop()
	told, drawn := p.tellUnnamed(work), func() {}
	if p.opts.shadow == nil {
		drawn = p.tellStrays(work)
	}
	err := p.member.Run(work, p.own)
	told()
	drawn()
	switch {
	case errors.Is(context.Cause(work), errDrainTimeout):
		return errDrainTimeout
	case err != nil:
		return err
	case ctx.Err() != nil && p.opts.untilEnd:
		return stopCause(ctx) // before the end
	}
	return nil
}

var errDrainTimeout = errors.New("shutdown_timeout passed before everything was committed and published; the rest is taken up at the next start")

// own works on the partitions of one generation until they are revoked or, with --until-end, at their end.
func (p *processor) own(ctx context.Context, g *kafkasource.Generation) error {
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
				p.log.Error().Str("code", hard.Code).Str("do", shadowAdvice(s.name, hard)).Msg("a partition of the shadow stopped; ebb rebuild is for the main group alone")
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

// afterwards says how it goes on when no worker of the generation is left. Stopped partitions stay stopped, and this
// member theirs, until a rebalance; when all have stopped there is nothing left to run.
func (p *processor) afterwards(ctx context.Context, g *kafkasource.Generation, stops []error) error {
	if len(stops) > 0 && (p.opts.untilEnd || len(stops) == len(g.Partitions)) {
		return errors.Join(stops...)
	}
	if p.opts.untilEnd {
		return nil
	}
	select {
	case <-g.Revoked:
	case <-ctx.Done():
	}
	return nil
}

// work owns one partition for one generation.
func (p *processor) work(ctx context.Context, g *kafkasource.Generation, n int32) error {
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
		Client: p.kafka, Membership: g.Membership, Topic: p.cfg.Kafka.Input, Partition: n, Confirm: g.Confirm, Timeout: p.cfg.Kafka.TransactionTimeout,
		Compression: compressions()[p.cfg.Kafka.Compression],
	})
	if err != nil {
		return err
	}
	store := p.redis.Partition(g.Group, int(n))
	defer func() { _ = store.Close() }() // nothing of what was committed hangs on it
	render := sinks.Renderer{
		Alerts: p.cfg.Kafka.Alerts, DLQ: p.dlq(), Control: p.cfg.Kafka.Control, Packs: p.cfg.Kafka.Packs,
		Group: g.Group, Input: p.cfg.Kafka.Input, InputID: p.topic.ID, Partition: n, Source: sinks.Source(g.Group, p.cfg.Kafka.Input),
	}
	w := worker.New(worker.Config{
		Line: line.Config{
			Identity: p.identity(n), Lateness: p.cfg.Time.Lateness, Retention: p.cfg.State.Retention, Profiles: g.Format,
			CacheCustomers: p.cfg.State.Cache / max(len(g.Partitions), 1),
			PoisonBreaker:  p.cfg.Input.PoisonBreaker, AcceptPoison: p.acceptedPoison(n),
		},
		Log: struct {
			*kafkasource.Partition
			*sinks.Kafka
		}{source, sink},
		Ledger: &kafkasource.Ledger{Client: p.kafka, Control: p.cfg.Kafka.Control, PackTopic: p.cfg.Kafka.Packs, PacksPartition: sinks.PacksPartition},
		Store:  store, Pack: p.pack, Configured: p.configured, Render: render.Render,
		MaxRecordBytes: int(p.cfg.Input.MaxRecordBytes), Mapping: p.cfg.Input.Mapping.compiled,
		PublishEvery: time.Second, End: p.end(n), Metrics: p.metrics, Trace: p.opts.trace, Draw: p.drawn,
		Logger: p.log.With().Str("group", g.Group).Str("topic", p.cfg.Kafka.Input).Int32("partition", n).Int32("generation", g.Generation).Logger(),
	})
	p.mu.Lock()
	p.workers[n] = w
	p.mu.Unlock()
	err = w.Run(ctx, g.Revoked)
	p.mu.Lock()
	p.tally.Add(w.Tally())
	p.mu.Unlock()
	if hard := (*pipeline.HardStop)(nil); !errors.As(err, &hard) {
		p.metrics.Forget(int(n))
	}
	return err
}

func (p *processor) identity(n int32) pipeline.Identity {
	return pipeline.Identity{
		Group: p.cfg.Kafka.Group, Input: p.cfg.Kafka.Input, Partition: int(n), Partitions: int(p.topic.Partitions),
		Cluster: p.topic.Cluster, Topic: p.topic.ID, Pack: p.pack.Hash, Latest: p.cfg.Kafka.Start == "latest",
	}
}

func (p *processor) end(n int32) int64 {
	if !p.opts.untilEnd {
		return -1
	}
	return p.ends[n]
}

// acceptedPoison is the offset below which the partition's records pass the poison breaker.
func (p *processor) acceptedPoison(n int32) int64 {
	if !p.opts.acceptPoison {
		return 0
	}
	return p.ends[n]
}

// loopTimeout is how long a partition's loop may take for one turn: several times what the requests in it may.
const loopTimeout = time.Minute

// live is what /livez asks: that the loops turn, whatever they wait for.
func (p *processor) live() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for n, w := range p.workers {
		if s := w.Status(); s.Phase != worker.Running && s.Phase != worker.Stalled {
			continue
		}
		if since := time.Since(w.Progress().At); since > loopTimeout {
			return fmt.Errorf("the loop of partition %d has not turned for %v", n, since.Round(time.Second))
		}
	}
	return nil
}

// ready is what /readyz shows: a member of a generation, all of whose partitions run.
func (p *processor) ready() readiness {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := readiness{Ready: p.generation > 0 && !p.draining, Group: p.cfg.Kafka.Group, Generation: p.generation}
	if p.generation == 0 {
		r.Reason = "not a member of the group"
		if p.awaited != "" {
			r.Reason = p.awaited
		}
	}
	if p.draining {
		r.Reason = "draining"
	}
	for n, w := range p.workers {
		s := w.Status()
		if s.Phase != worker.Running {
			r.Ready = false
		}
		at := w.Progress()
		r.Partitions = append(r.Partitions, partitionState{Partition: n, State: s.Phase.String(), Reason: s.Reason, Next: at.Next, Lag: at.Lag()})
	}
	sortPartitions(r.Partitions)
	if p.shadows != nil {
		r.Shadows = p.shadows.states()
	}
	return r
}

// close gives everything back, the latest taken first.
func (p *processor) close() error {
	var errs []error
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if p.http != nil {
		errs = append(errs, p.http.Close(ctx))
	}
	if p.member != nil && p.opts.leave {
		if err := p.member.Leave(ctx); err != nil && !errors.Is(err, pipeline.ErrFenced) { // it was let go already
			p.log.Warn().Err(err).Msg("could not leave the group; it will notice when the session ends")
		}
	}
	if p.slot != nil {
		errs = append(errs, p.slot.Release())
	}
	if p.unfollow != nil {
		p.unfollow()
		p.following.Wait()
	}
	if p.kafka != nil {
		p.kafka.Close()
	}
	if p.redis != nil {
		errs = append(errs, p.redis.Close())
	}
	return errors.Join(errs...)
}

// killSelf ends the process as kill -9 does.
func killSelf() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

func sortPartitions(s []partitionState) {
	slices.SortFunc(s, func(a, b partitionState) int { return cmp.Compare(a.Partition, b.Partition) })
}

func transitionName(i int) string { return scoring.Transition(i).String() }

// lookup finds a variable of the environment.
func lookup(environ []string, name string) (string, bool) {
	for _, v := range environ {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value, true
		}
	}
	return "", false
}
