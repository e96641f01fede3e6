package processor

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/connect"
	"ebb/cmd/ebb/probes"
	"ebb/pipeline"
	"ebb/pipeline/kafkasource"
	"ebb/pipeline/kafkawire"
	"ebb/pipeline/line"
	"ebb/pipeline/redisstore"
	"ebb/pipeline/worker"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// Options is what differs between the commands that process.
type Options struct {
	UntilEnd     bool                       // stop at the end offsets found at the start
	AdvanceTo    time.Time                  // with UntilEnd: at the end, fire deadlines up to then; zero: up to the watermark
	AcceptPoison bool                       // records below the end offsets found at the start pass the poison breaker
	Leave        bool                       // leave the group at the end
	Embedded     bool                       // the services run in this process, so their policy is known
	Trace        func(pipeline.Step, int64) // optional; see pipeline.Config
	Newest       int                        // newest version of the state that the program can read; 0: the real one
	Hangups      bool                       // on SIGHUP the pack's file is checked
	CreateLine   string                     // the command that creates missing topics
	shadow       *shadowRole                // nil: this is the main processor
}

// Processor is one member of the group at work: clients, membership, and a worker per owned partition.
type Processor struct {
	cfg     *config.Config
	opts    Options
	log     zerolog.Logger
	pack    *pack.Pack                // loaded at the start
	newest  atomic.Pointer[pack.Pack] // loaded since the start
	met     atomic.Pointer[pack.Pack] // the newest that a partition has requested
	kafka   *kafkawire.Client
	redis   *redisstore.Client
	topic   kafkawire.Topic
	control connect.Control
	input   inputFacts
	// topics of packs and control records, as found at the start
	ownTopics []kafkawire.Topic
	slowed    atomic.Int64      // when the log last told of a quota, ms since the epoch
	slot      *kafkasource.Slot // nil where the instance id is configured
	member    *kafkasource.Member
	metrics   *worker.Metrics
	wall      *worker.Wall
	metered   *prometheus.Registry // what /metrics serves; nil for a shadow, whose metrics the main processor serves
	http      *probes.Server       // nil: none
	ends      []int64              // by partition, where opts.UntilEnd or opts.AcceptPoison
	draws     chan []byte          // keys of customers with events; see watchStrays
	// that another program uses the group, for a generation in which no worker is left to stop for it
	taken chan *pipeline.HardStop

	unfollow  context.CancelFunc
	following sync.WaitGroup // goroutines that follow files

	mu           sync.Mutex
	generation   int32
	awaited      string                   // why the last attempt to start failed
	workers      map[int32]*worker.Worker // of the present generation
	draining     bool
	shadows      *Shadows // beside it; nil: none
	tally        line.Tally
	held         map[int32]int // raises that were held when a partition was last given up
	began, ended time.Time
}

// New connects to everything. It returns an error for what cannot work, and waits for what does not exist yet.
func New(ctx context.Context, cfg *config.Config, log zerolog.Logger, opts Options) (_ *Processor, err error) {
	p := &Processor{
		cfg: cfg, opts: opts, log: log, workers: map[int32]*worker.Worker{}, held: map[int32]int{},
		draws: make(chan []byte, 1), taken: make(chan *pipeline.HardStop, 1), wall: worker.NewWall(time.Now),
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	if p.pack, err = connect.LoadPack(cfg); err != nil {
		return nil, err
	}
	p.newest.Store(p.pack)
	p.met.Store(p.pack)
	files := p.followFiles(ctx)
	log.Info().
		Str("digest", cfg.Digest()).
		Object("config", cfg.Masked()).
		Str("pack", p.pack.Name).
		Str("pack_hash", p.pack.Hash).
		Msg("starting")
	if p.kafka, err = connect.Kafka(cfg, append(p.topics(), cfg.Kafka.AllControl()...)...); err != nil {
		return nil, err
	}
	if err := p.serveHTTP(ctx); err != nil {
		return nil, err
	}
	p.kafka.OnThrottle(p.throttled)
	p.input.latest = map[int32]inputLook{}
	p.input.look = func(ctx context.Context, broker int32) (kafkawire.Topic, error) {
		return p.kafka.TopicFacts(ctx, cfg.Kafka.Input, broker)
	}
	p.followPack(files)
	if err := p.connectPatiently(ctx); err != nil {
		return nil, err
	}
	return p, p.joinAs()
}

// joinAs decides under which instance id this process joins the group.
func (p *Processor) joinAs() (err error) {
	var instance string
	if instance, p.slot, err = connect.Instance(p.cfg, p.cfg.Kafka.Group); err != nil {
		return err
	}
	member, err := kafkasource.NewMember(kafkasource.MemberConfig{
		Client: p.kafka, Group: p.cfg.Kafka.Group, Topic: p.cfg.Kafka.Input, Instance: instance,
		Session: p.cfg.Kafka.SessionTimeout, Heartbeat: p.cfg.Kafka.Heartbeat,
		Rebalance: max(30*time.Second, p.cfg.Kafka.SessionTimeout), Formats: formats(p.opts.Newest), Logger: p.log,
	})
	p.mu.Lock()
	p.member = member
	p.mu.Unlock()
	return err
}

// formats are the versions of the state that a program whose newest version is newest reads and writes, newest first.
func formats(newest int) (all []int) {
	for f := cmp.Or(newest, profile.Format); f >= profile.OldestFormat; f-- {
		all = append(all, f)
	}
	return all
}

// Run works as a member of the group until ctx ends or the end is reached. When ctx ends, Run drains within the
// shutdown timeout.
func (p *Processor) Run(ctx context.Context) error {
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
	watched := p.watchFacts(work)
	told, subjectsTold, drawn := p.tellUnnamed(work), p.tellSubjects(work), func() {}
	if p.opts.shadow == nil {
		drawn = p.watchStrays(work)
	}
	err := p.member.Run(work, p.own)
	watched()
	told()
	subjectsTold()
	drawn()
	switch {
	case errors.Is(context.Cause(work), errDrainTimeout):
		return errDrainTimeout
	case err != nil:
		return err
	case ctx.Err() != nil && p.opts.UntilEnd:
		return context.Cause(ctx) // before the end
	}
	return nil
}

var errDrainTimeout = errors.New(
	"shutdown_timeout passed before everything was committed and published; the rest is taken up at the next start",
)

// Close releases everything, in reverse order.
func (p *Processor) Close() error {
	var errs []error
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if p.http != nil {
		errs = append(errs, p.http.Close(ctx))
	}
	if p.member != nil && p.opts.Leave {
		if err := p.member.Leave(ctx); err != nil && !errors.Is(err, pipeline.ErrFenced) { // the generation has already ended
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

// Client is its client of Kafka.
func (p *Processor) Client() *kafkawire.Client { return p.kafka }

// Partitions is how many the input has.
func (p *Processor) Partitions() int32 { return p.topic.Partitions }

// Pack is the pack loaded at the start.
func (p *Processor) Pack() *pack.Pack { return p.pack }

// Alerts is how many alerts it has decided. It may be called once the processor has ended.
func (p *Processor) Alerts() uint64 { return p.tally.AllAlerts() }
