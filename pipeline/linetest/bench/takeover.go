package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// outageOptions are the flags that belong to -takeover.
type outageOptions struct {
	takeover           bool
	rate               float64
	kills              int
	ways               string
	session, heartbeat time.Duration
}

func (o *outageOptions) define() {
	flag.BoolVar(&o.takeover, "takeover", false, "measure how long partitions stand still when their member goes")
	flag.Float64Var(&o.rate, "rate", 50_000, "with -takeover: live events per second")
	flag.IntVar(
		&o.kills,
		"kills",
		0,
		"with -takeover: how often a member goes in each of the ways; 0: as often as fits into about ten minutes",
	)
	flag.StringVar(&o.ways, "ways", strings.Join(wayNames(), ","), "with -takeover: which of them, in this order")
	flag.DurationVar(&o.session, "session", 0, "with -takeover: kafka.session_timeout; 0: the program's default")
	flag.DurationVar(&o.heartbeat, "heartbeat", 0, "with -takeover: kafka.heartbeat; 0: the program's default")
}

// takeover is a measurement of takeovers in progress: one group with state of all customers, and a stream of events.
type takeover struct {
	*group
	report  *takeoverReport
	admin   *kadm.Client
	moves   *moves
	members []*member // alive; a member that has gone and not come back is missing
}

// measureTakeover measures every way, and stops what it started whatever happens.
func measureTakeover(ctx context.Context, o *options, say io.Writer) (*takeoverReport, error) {
	ways, err := waysNamed(o.outage.ways)
	if err != nil {
		return nil, err
	}
	if o.Partitions < 3 || o.outage.rate <= 0 || o.outage.kills < 0 {
		return nil, errors.New(
			"-takeover: -partitions at least three, so that each of three members has one; -rate above 0; -kills not negative",
		)
	}
	r := &takeoverReport{Commit: commit(ctx), Machine: machine(), Load: *o, Offered: o.outage.rate}
	err = filled(ctx, o, say, func(b *bench) error {
		g, err := b.newGroup(ctx, 0)
		if err != nil {
			return err
		}
		fmt.Fprintf(say, "folding %d events of %d customers\n", b.Events, b.Customers)
		if _, err := g.run(ctx); err != nil {
			return fmt.Errorf("fold the load: %w", err)
		}
		return g.takeovers(ctx, r, ways)
	})
	if err != nil && len(r.Ways) > 0 {
		fmt.Fprintln(say, "what was measured until it ended:")
		err = errors.Join(err, r.write(say, false))
	}
	return r, err
}

// takeovers sends live events and goes through the ways.
func (g *group) takeovers(ctx context.Context, r *takeoverReport, ways []way) (err error) {
	s, err := g.liveEvents(ctx)
	if err != nil {
		return fmt.Errorf("prepare live events: %w", err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(g.kafka))
	if err != nil {
		return err
	}
	defer client.Close()
	t := &takeover{group: g, report: r, admin: kadm.NewClient(client), moves: newMoves()}
	ctx, cancel := context.WithCancelCause(ctx)
	watched, produced := make(chan struct{}), make(chan struct{})
	defer func() {
		t.killAll()
		cancel(nil)
		<-watched
		<-produced
	}()
	go func() { defer close(watched); t.moves.watch(ctx, t.admin, g.name) }()
	go func() {
		defer close(produced)
		if err := s.produce(ctx, g.kafka); ctx.Err() == nil {
			cancel(fmt.Errorf("produce live events: %w", err))
		}
	}()
	err = t.through(ctx, ways)
	return cmp.Or(context.Cause(ctx), err) // the reason why the events stopped is more precise
}

// through goes through the ways, once an event of every customer has been sent. All events are folded before each kill.
func (t *takeover) through(ctx context.Context, ways []way) error {
	if err := t.staff(ctx, true, "a", "b"); err != nil {
		return err
	}
	var events, alerts int64
	count := func() (err error) {
		if events, err = t.end(ctx, input); err == nil {
			alerts, err = t.end(ctx, t.alerts)
		}
		return err
	}
	for events < int64(t.Events+t.Customers) {
		if err := errors.Join(count(), pause(ctx, 100*time.Millisecond)); err != nil {
			return err
		}
	}
	began, first, firstAlerts := time.Now(), events, alerts
	for _, w := range ways {
		if err := w.measure(ctx, t, w, cmp.Or(t.outage.kills, w.kills)); err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		if err := count(); err != nil {
			return err
		}
		t.report.Produced = float64(events-first) / time.Since(began).Seconds()
		t.report.AlertsPerEvent = float64(alerts-firstAlerts) / float64(events-first)
	}
	var err error
	if t.report.Memory, err = t.memory(ctx, t.name); err != nil {
		return fmt.Errorf("measure Redis: %w", err)
	}
	return nil
}

// rhythm is how often a customer has live events, in event time. It is often enough that few are silent for the pack's
// horizon, and seldom enough that there is always an alert to publish.
const rhythm = 3 * 24 * time.Hour

// kept bounds each partition of both topics: records read long ago are of no use, and they would fill the disk.
const kept = 512 << 20

// liveEvents continues the load for as long as needed.
func (g *group) liveEvents(ctx context.Context) (*stretch, error) {
	newest, err := g.prepare(ctx)
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(g.kafka))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	size, segment := strconv.Itoa(kept), strconv.Itoa(kept/8)
	altered, err := kadm.NewClient(client).AlterTopicConfigs(ctx,
		[]kadm.AlterConfig{
			{Name: "retention.bytes", Value: &size},
			{Name: "segment.bytes", Value: &segment},
		}, input, g.alerts)
	for _, a := range altered {
		err = errors.Join(err, a.Err)
	}
	if err != nil {
		return nil, err
	}
	s := &stretch{
		rate: g.outage.rate, events: 1 << 40, every: minDistance, start: newest + 1,
		spacing: float64(rhythm.Milliseconds()) / float64(g.Customers), roll: true, codec: kgo.Lz4Compression(),
	}
	for i := range g.Customers {
		s.calm = append(s.calm, fmt.Sprintf("c-%08d", i))
	}
	return s, nil
}

// end is the sum of the topic's end offsets.
func (t *takeover) end(ctx context.Context, topic string) (sum int64, err error) {
	ends, err := t.admin.ListEndOffsets(ctx, topic)
	ends.Each(func(o kadm.ListedOffset) { sum += o.Offset })
	return sum, errors.Join(err, ends.Error())
}

// behind is how many records of the input the group has not yet published.
func (t *takeover) behind(ctx context.Context) (int64, error) {
	end, err := t.end(ctx, input)
	for _, m := range t.moves.latest() {
		end -= m.offset
	}
	return end, err
}

// staff makes the group consist of exactly these members, with --leave or without.
func (t *takeover) staff(ctx context.Context, leave bool, names ...string) error {
	if len(names) == len(t.members) && !slices.ContainsFunc(t.members, func(m *member) bool { return m.leaves != leave }) {
		return nil
	}
	for _, m := range slices.Clone(t.members) {
		if err := t.dismiss(m); err != nil {
			return err
		}
	}
	for _, name := range names {
		if _, err := t.hire(ctx, name, leave); err != nil {
			return err
		}
	}
	return nil
}

// hire starts a member.
func (t *takeover) hire(ctx context.Context, name string, leave bool) (*member, error) {
	m, err := t.startMember(ctx, name, leave)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	t.members = append(t.members, m)
	return m, nil
}

// dismiss ends a member by SIGTERM and waits for it.
func (t *takeover) dismiss(m *member) error {
	t.members = slices.DeleteFunc(t.members, func(other *member) bool { return other == m })
	return m.stop()
}

// killAll leaves no process behind.
func (t *takeover) killAll() {
	for _, m := range t.members {
		m.kill()
	}
	t.members = nil
}
