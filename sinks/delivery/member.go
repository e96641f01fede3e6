package delivery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"ebb/pipeline"
	"ebb/pipeline/kafkabatch"
	"ebb/pipeline/kafkasource"
	"ebb/pipeline/kafkawire"
	"ebb/sinks"
)

// MemberConfig is the setting of a member. Client, Group, Topic, Instance, DeadLetters, Destination and Metrics are
// required; for Session, Heartbeat and Rebalance see kafkasource.MemberConfig, for Latest and MaxPause LaneConfig.
type MemberConfig struct {
	Client      *kafkawire.Client
	Group       string
	Topic       string // of alerts
	Instance    string
	DeadLetters string // topic
	Destination Destination
	Match       Match // which alerts

	Session   time.Duration
	Heartbeat time.Duration
	Rebalance time.Duration // longer than an attempt may take

	TransactionTimeout time.Duration          // of a commit
	Compression        kafkabatch.Compression // of dead letters
	Latest             bool
	MaxPause           time.Duration

	// LookEvery is how often the topic is looked at for added partitions. Default 30 s.
	LookEvery time.Duration

	Metrics *Metrics
	Logger  zerolog.Logger
}

// Member is one process of a group that delivers: it has a lane for each partition that the group gives it.
type Member struct {
	cfg MemberConfig

	mu         sync.Mutex
	group      *kafkasource.Member // the present membership
	generation int32               // 0: it is no member
	lanes      map[int32]*Lane     // of the present generation
	draining   bool
}

// NewMember makes a member.
func NewMember(cfg MemberConfig) (*Member, error) {
	if cfg.DeadLetters == "" || cfg.Destination == nil || cfg.Metrics == nil {
		return nil, errors.New("new delivering member: dead letters, destination and metrics are required")
	}
	if cfg.LookEvery == 0 {
		cfg.LookEvery = 30 * time.Second
	}
	m := &Member{cfg: cfg, lanes: map[int32]*Lane{}}
	return m, m.enrol()
}

// enrol makes a membership to run.
func (m *Member) enrol() error {
	group, err := kafkasource.NewMember(kafkasource.MemberConfig{
		Client: m.cfg.Client, Group: m.cfg.Group, Topic: m.cfg.Topic, Instance: m.cfg.Instance,
		Session: m.cfg.Session, Heartbeat: m.cfg.Heartbeat, Rebalance: m.cfg.Rebalance, Logger: m.cfg.Logger,
	})
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.group = group
	if m.draining {
		group.Drain()
	}
	return nil
}

// Run delivers until Drain was called (nil) or ctx ends. Errors: as kafkasource.Member's; *pipeline.HardStop where all
// partitions have stopped.
func (m *Member) Run(ctx context.Context) error {
	for {
		added := false
		watched := m.watchPartitions(ctx, &added)
		err := m.group.Run(ctx, m.own)
		watched()
		if err != nil || !added || m.drains() {
			return err
		}
		if err := m.Leave(ctx); err != nil {
			m.cfg.Logger.Warn().Err(err).Msg("could not leave the group; it will notice when the session ends")
		}
		if err := m.enrol(); err != nil {
			return err
		}
	}
}

// Drain finishes the attempts under way and commits; then Run returns. The member stays in the group until its session
// ends, so that a restart takes its partitions up again at once.
func (m *Member) Drain() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.draining = true
	m.group.Drain()
}

func (m *Member) drains() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.draining
}

// Leave takes the member out of the group, once Run has returned.
func (m *Member) Leave(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := m.group.Leave(ctx); !errors.Is(err, pipeline.ErrFenced) { // or the generation has already ended
		return err
	}
	return nil
}

// watchPartitions ends the membership, and sets added, where the group's members have fewer partitions than the topic:
// nobody else tells the group to deal out those that were added. It ends with the function that it returns.
func (m *Member) watchPartitions(ctx context.Context, added *bool) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(m.cfg.LookEvery)
		defer tick.Stop()
		for before := 0; ; {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			now := m.unowned(ctx)
			if before > 0 && now > 0 { // not just while the group forms
				m.cfg.Logger.Info().Int("partitions", now).
					Msg("the group does not have all partitions of the alert topic, joining it anew")
				*added = true
				m.group.Drain()
				return
			}
			before = now
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

// unowned is how many partitions of the topic no member of the group has; 0 where that is not known.
func (m *Member) unowned(ctx context.Context) int {
	topic, err := m.cfg.Client.Topic(ctx, m.cfg.Topic)
	if err != nil {
		return 0
	}
	group, err := m.cfg.Client.DescribeGroup(ctx, m.cfg.Group)
	if err != nil || group.State != kafkasource.Stable {
		return 0
	}
	return max(0, int(topic.Partitions)-kafkasource.Dealt(&group, m.cfg.Topic))
}

// own delivers the partitions of one generation until they are revoked. A stopped partition stays stopped, and the
// others go on; when all have stopped there is nothing left to run.
func (m *Member) own(ctx context.Context, g *kafkasource.Generation) error {
	m.mu.Lock()
	m.generation = g.Generation
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.generation = 0
		clear(m.lanes)
	}()
	errs := make(chan error, len(g.Partitions))
	for _, n := range g.Partitions {
		go func() { errs <- m.work(ctx, g, n) }()
	}
	var stops []error
	for range g.Partitions {
		err := <-errs
		if err == nil || ctx.Err() != nil || errors.Is(err, pipeline.ErrFenced) {
			continue
		}
		line := m.cfg.Logger.Error().Err(err)
		if stop, ok := errors.AsType[*pipeline.HardStop](err); ok {
			line = m.cfg.Logger.Error().EmbedObject(stop)
		}
		line.Msg("partition stopped")
		stops = append(stops, err)
	}
	if len(stops) > 0 && len(stops) == len(g.Partitions) {
		return errors.Join(stops...)
	}
	select {
	case <-g.Revoked:
	case <-ctx.Done():
	}
	return nil
}

// fetchBytes is how much of a partition is read at a time: some 500 alerts, delivered one after the other.
const fetchBytes = 256 << 10

// work delivers one partition for one generation.
func (m *Member) work(ctx context.Context, g *kafkasource.Generation, n int32) error {
	source, err := kafkasource.NewPartition(kafkasource.PartitionConfig{
		Client: m.cfg.Client, Group: g.Group, Topic: m.cfg.Topic, Partition: n, Confirm: g.Confirm, MaxBytes: fetchBytes,
	})
	if err != nil {
		return err
	}
	defer source.Close()
	sink, err := sinks.NewKafka(sinks.KafkaConfig{
		Client: m.cfg.Client, Membership: g.Membership, Topic: m.cfg.Topic, Partition: n, Confirm: g.Confirm,
		Timeout: m.cfg.TransactionTimeout, Compression: m.cfg.Compression,
	})
	if err != nil {
		return err
	}
	lane := NewLane(LaneConfig{
		Log: struct {
			*kafkasource.Partition
			*sinks.Kafka
		}{source, sink},
		Destination: m.cfg.Destination, Group: g.Group, Topic: m.cfg.Topic, Partition: n, DeadLetters: m.cfg.DeadLetters,
		Match: m.cfg.Match, Latest: m.cfg.Latest, MaxPause: m.cfg.MaxPause, Metrics: m.cfg.Metrics,
		Logger: m.cfg.Logger.With().Str("group", g.Group).Str("topic", m.cfg.Topic).Int32("partition", n).
			Int32("generation", g.Generation).Logger(),
	})
	m.mu.Lock()
	m.lanes[n] = lane
	m.mu.Unlock()
	return lane.Run(ctx, g.Revoked)
}

// MemberStatus is the state of a member for people.
type MemberStatus struct {
	Generation int32  // 0: it is no member
	Waits      string // what keeps it from joining; "": nothing that is known
	Draining   bool
	Lanes      map[int32]Status // by partition
}

// Status is the member's present state. Any goroutine may call it.
func (m *Member) Status() MemberStatus {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := MemberStatus{Generation: m.generation, Waits: m.group.Waits(), Draining: m.draining, Lanes: map[int32]Status{}}
	for n, lane := range m.lanes {
		s.Lanes[n] = lane.Status()
	}
	return s
}

// Hung reports a lane whose attempt has been under way for longer than most; nil: none.
func (m *Member) Hung(most time.Duration) error {
	m.mu.Lock()
	lanes := maps.Clone(m.lanes)
	m.mu.Unlock()
	for n, lane := range lanes {
		if since := lane.hung(time.Now()); since > most {
			return fmt.Errorf("the lane of partition %d has been sending for %v", n, since.Round(time.Second))
		}
	}
	return nil
}
