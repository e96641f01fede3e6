package kafkasource

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/rs/zerolog"

	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
)

// MemberConfig is the setting of a Member. Client, Group, Topic and Instance are required.
type MemberConfig struct {
	Client   *kafkawire.Client
	Group    string
	Topic    string
	Instance string // id that stays the same after a restart and that no other process of the group has; see TakeSlot

	// Session is how long the group waits for a silent member before it gives its partitions to others. A member that
	// returns within it under its Instance goes on without a rebalance. Default 10 s.
	Session time.Duration

	// Heartbeat is how often the member sends heartbeats; at most a third of Session. The answer to a heartbeat announces
	// a rebalance, so this time is part of every takeover. Default 250 ms.
	Heartbeat time.Duration

	// Rebalance is how long a member has to finish its work once a rebalance has begun. Default 30 s.
	Rebalance time.Duration

	// Formats are the versions in which this process can read and write the state, the newest first. A generation writes
	// the newest version that all of its members support, so that in a rolling upgrade the old ones can read what the new
	// ones write. Kafka determines it: each version is a protocol of the group, and a change of the versions that all
	// support causes a rebalance (KIP-345). Default 1.
	Formats []int

	Logger zerolog.Logger
}

// Validate fills in defaults and reports what is wrong.
func (c *MemberConfig) Validate() error {
	setDefault(&c.Session, 10*time.Second)
	setDefault(&c.Heartbeat, 250*time.Millisecond)
	setDefault(&c.Rebalance, 30*time.Second)
	if len(c.Formats) == 0 {
		c.Formats = []int{1}
	}
	var errs []error
	if c.Client == nil || c.Group == "" || c.Topic == "" || c.Instance == "" {
		errs = append(errs, errors.New("client, group, topic and instance id are required"))
	}
	if c.Heartbeat < 0 || 3*c.Heartbeat > c.Session {
		errs = append(
			errs,
			fmt.Errorf(
				"a heartbeat every %v is too seldom for a session of %v: at least three must fit",
				c.Heartbeat,
				c.Session,
			),
		)
	}
	if c.Rebalance < c.Session {
		errs = append(errs, fmt.Errorf("rebalance time %v is below the session of %v", c.Rebalance, c.Session))
	}
	return errors.Join(errs...)
}

func setDefault(d *time.Duration, v time.Duration) {
	if *d == 0 {
		*d = v
	}
}

// Member is this process's place in the consumer group: a static member of the classic group protocol, in which every
// rebalance takes all partitions back and assigns them again.
type Member struct {
	cfg   MemberConfig
	join  kafkawire.Join // Member: its id in the group, empty if it has none
	place place
	drain chan struct{}
	once  sync.Once
	said  string // the kind of refusal logged last; empty: none
	waits atomic.Pointer[string]
}

// Waits is what keeps the member from joining; empty: nothing, or it has joined.
func (m *Member) Waits() string {
	if why := m.waits.Load(); why != nil {
		return *why
	}
	return ""
}

// NewMember makes a Member.
func NewMember(cfg MemberConfig) (*Member, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("new group member: %w", err)
	}
	return &Member{
		cfg: cfg, place: place{ids: map[string]bool{}},
		join: kafkawire.Join{
			Membership: kafkawire.Membership{Group: cfg.Group, Instance: cfg.Instance},
			Protocols: protocols(
				cfg.Formats,
			),
			Metadata:  subscription(cfg.Topic),
			Session:   cfg.Session,
			Rebalance: cfg.Rebalance,
		},
		drain: make(chan struct{}),
	}, nil
}

// Own works on the partitions of a generation. It returns nil when Revoked was closed and everything is finished,
// committed and published, or when there is nothing left to do for good, which ends Run. When ctx ends the generation
// is lost: Own stops at once and commits nothing more, and its result is ignored. Without partitions it waits for
// either.
type Own func(ctx context.Context, g *Generation) error

// Run joins the group and calls own for each generation, one after the other, until ctx ends, Drain is called (nil), or
// own ends the work. While brokers do not answer it keeps trying. Errors: own's; *pipeline.HardStop where the
// settings do not fit the group or its brokers. While another process has its instance id, it waits for that to leave.
func (m *Member) Run(ctx context.Context, own Own) error {
	for {
		g, err := m.enter(ctx)
		if err != nil {
			if m.draining() {
				return nil
			}
			return err
		}
		again, err := m.serve(ctx, g, own)
		if !again || m.draining() {
			return err
		}
	}
}

// Drain revokes the present generation. Run then returns, once own has, instead of joining again. The member stays in
// the group until its session ends, so that a restart finds its place; see Leave.
func (m *Member) Drain() { m.once.Do(func() { close(m.drain) }) }

func (m *Member) draining() bool {
	select {
	case <-m.drain:
		return true
	default:
		return false
	}
}

// Leave takes the member out of the group, so that the others take its partitions over at once. It may be called when
// Run has returned. Errors: pipeline.ErrUnavailable, pipeline.ErrFenced where it was no member.
func (m *Member) Leave(ctx context.Context) error {
	if m.join.Member == "" {
		return nil
	}
	return m.cfg.Client.Leave(ctx, m.join.Membership)
}

// enter joins until the group has admitted the member.
func (m *Member) enter(ctx context.Context) (*Generation, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-m.drain:
			cancel()
		case <-ctx.Done():
		}
	}()
	wait := backoff.NewExponentialBackOff(backoff.WithInitialInterval(20*time.Millisecond),
		backoff.WithMaxInterval(2*time.Second), backoff.WithMaxElapsedTime(0))
	for {
		if err := m.awaitPlace(ctx); err != nil {
			return nil, err
		}
		g, err := m.attempt(ctx)
		if err == nil {
			m.say(nil)
			return g, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if stop := m.fatal(err); stop != nil {
			return nil, stop
		}
		m.refused(err)
		select {
		case <-time.After(wait.NextBackOff()):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// attempt joins and syncs once.
func (m *Member) attempt(ctx context.Context) (*Generation, error) {
	c := m.cfg.Client
	joined, err := c.Join(ctx, m.join)
	m.place.ids[joined.Member] = true
	if errors.Is(err, kafkawire.MemberIDRequired) {
		m.join.Member = joined.Member
		joined, err = c.Join(ctx, m.join)
	}
	if err != nil {
		return nil, err
	}
	m.join.Membership = joined.Membership
	m.place.ids[joined.Member] = true
	var dealt map[string][]byte
	if joined.Leader && !joined.Settled {
		n, err := c.Partitions(ctx, m.cfg.Topic)
		if err != nil {
			return nil, err
		}
		if dealt, err = deal(m.cfg.Topic, n, joined.Members); err != nil {
			return nil, err
		}
	}
	part, err := c.Sync(ctx, m.join, joined, dealt)
	if err != nil {
		return nil, err
	}
	partitions, err := decodeAssignment(m.cfg.Topic, part)
	if err != nil {
		return nil, err
	}
	if m.place.admitted.IsZero() {
		m.place.admitted = time.Now()
	}
	return newGeneration(m, joined.Membership, formatOf(joined.Protocol), partitions), nil
}

// refused decides what follows from a failed attempt to join, or from a generation that was lost.
func (m *Member) refused(err error) {
	switch {
	case errors.Is(err, kafkawire.FencedInstance):
		m.place.fenced, m.join.Member = true, ""
	case errors.Is(err, kafkawire.UnknownMember):
		m.join.Member = ""
	case errors.Is(err, pipeline.ErrFenced): // the group has moved on; join its new generation
	default:
		m.say(err)
	}
}

// fatal reports whether another attempt is useless.
func (m *Member) fatal(err error) error {
	if stop, ok := errors.AsType[*pipeline.HardStop](err); ok {
		return stop
	}
	hard := &pipeline.HardStop{Detail: fmt.Sprintf("group %s, instance id %s: %v", m.cfg.Group, m.cfg.Instance, err)}
	switch {
	case errors.Is(err, kafkawire.InconsistentProtocol):
		hard.Code, hard.Do = "group_taken", "another program uses this group, or a version of ebb that shares no state "+
			"with this one: give it a kafka.group of its own, or stop the others first"
	case errors.Is(err, kafkawire.InvalidSessionTimeout):
		hard.Code, hard.Do = "session_timeout_refused", "set kafka.session_timeout within the brokers' "+
			"group.min.session.timeout.ms and group.max.session.timeout.ms"
	case errors.Is(err, kafkawire.UnsupportedVersion):
		hard.Code, hard.Do = "brokers_too_old", "use Kafka 2.8 or later"
	default:
		return nil
	}
	return hard
}

// say logs why the group cannot be joined or kept, and when it can again: once per change, not for every attempt.
func (m *Member) say(err error) {
	kind := ""
	var code kafkawire.Error
	refusal, _, _, refused := pipeline.Refused(err)
	switch {
	case refused:
		kind = refusal
	case errors.As(err, &code):
		kind = code.Error()
	case err != nil:
		kind = "no answer"
	}
	m.wait(err)
	if kind == m.said {
		return
	}
	m.said = kind
	if err == nil {
		m.cfg.Logger.Info().Str("group", m.cfg.Group).Msg("group coordinator answers again")
		return
	}
	m.cfg.Logger.Warn().
		Str("group", m.cfg.Group).
		Err(err).
		EmbedObject(pipeline.Refusal{Err: err}).
		Msg("group coordinator does not answer, or refuses this member; trying again")
}
