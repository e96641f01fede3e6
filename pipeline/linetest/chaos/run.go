package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"ebb/pipeline/linetest/chaos/breakable"
)

const (
	members = 3               // besides the guest
	session = 6 * time.Second // the least that a broker allows by default
)

// run is a schedule in progress.
type run struct {
	*options
	dir     string // of all files that it writes
	tried   target
	report  *report
	network *breakable.Network
	kafka   *breakable.Broker
	redis   *breakable.RedisPair
	topics  *topics
	members []*member // the last one is the guest
	reader  *reader
	feed    *feed
	inject  *injector
	stops   atomic.Pointer[stop] // that is expected of the members; nil: none
	say     *status

	mu     sync.Mutex     // guards the report's findings and counts while members run
	beside sync.WaitGroup // feed and reader
	stop   context.CancelCauseFunc
}

// carryOut does everything and stops what it started, whatever happens. If the verdict is bad it keeps the folder of
// the logs, and the report names it.
func carryOut(ctx context.Context, o *options, say *status) (_ *report, err error) {
	dir, err := os.MkdirTemp("", "ebb-chaos-")
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := &run{options: o, dir: dir, say: say, stop: stop, reader: newReader()}
	r.tried = r.newTarget()
	r.report = &report{Target: o.target, Seed: o.seed, Minutes: o.minutes, Began: time.Now().UTC()}
	defer func() {
		err = errors.Join(err, r.close(context.WithoutCancel(ctx)))
		switch interrupted := errors.Is(err, context.Canceled); {
		case (interrupted || err == nil && r.report.passed()) && !o.keep:
			err = errors.Join(err, os.RemoveAll(dir))
		case err != nil:
			err = fmt.Errorf("%w (logs: %s)", err, dir)
		default:
			r.report.Logs = dir
		}
	}()
	return r.report, r.all(ctx)
}

// all runs everything from the start to the verdict.
func (r *run) all(ctx context.Context) error {
	if err := r.begin(ctx); err != nil {
		return r.cause(ctx, err)
	}
	if err := r.disturbed(ctx); err != nil {
		return r.cause(ctx, err)
	}
	r.say.phase("judging")
	v, err := r.tried.judge(ctx)
	if err != nil {
		return r.cause(ctx, fmt.Errorf("judge: %w", err))
	}
	r.report.verdict = *v
	if r.target != ebb || !r.report.passed() {
		return nil
	}
	return r.cause(ctx, r.lastFault(ctx))
}

// cause is why the run ended early, where that is not err.
func (r *run) cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// close ends everything that runs.
func (r *run) close(ctx context.Context) (err error) {
	r.stop(nil)
	for _, m := range r.members {
		m.stayDown()
		m.kill()
		err = errors.Join(err, m.log.file.Close())
	}
	r.beside.Wait()
	if r.topics != nil {
		r.topics.close()
	}
	if r.network != nil {
		r.network.Close()
	}
	if r.redis != nil {
		err = errors.Join(err, r.redis.Stop())
	}
	if r.kafka != nil {
		err = errors.Join(err, r.kafka.Stop(ctx))
	}
	return err
}

// fail voids the run where err is an error of the machinery, and not of the system under test.
func (r *run) fail(err error) {
	if err != nil {
		r.stop(err)
	}
}

func (r *run) found(f finding) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Findings = append(r.report.Findings, f)
	r.say.line("FINDING: %s: %s", f.Who, f.What)
}

// heard counts the takeovers in a member's log.
func (r *run) heard(line []byte) {
	if !bytes.Contains(line, []byte(`"partition taken over"`)) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Takeovers++
	if bytes.Contains(line, []byte(`"rewinding":true`)) {
		r.report.Rewinds++
	}
	if !bytes.Contains(line, []byte(`"outbox":0`)) {
		r.report.Resumed++
	}
}

// begin starts the services, and the members with their links.
func (r *run) begin(ctx context.Context) (err error) {
	r.say.phase("starting Kafka and Redis")
	r.network = breakable.NewNetwork()
	// The broker's script installs both servers where they are missing, so the broker comes first.
	if r.kafka, err = breakable.NewBroker(ctx, r.shared, filepath.Join(r.dir, "kafka"), members+1); err != nil {
		return fmt.Errorf("start Kafka: %w", err)
	}
	if r.redis, err = breakable.NewRedisPair(ctx, r.network, r.dir); err != nil {
		return fmt.Errorf("start Redis: %w", err)
	}
	var proxies []string
	for i := range members + 1 {
		m, err := r.newMember(ctx, i)
		if err != nil {
			return err
		}
		r.members = append(r.members, m)
		proxies = append(proxies, m.kafka.Address)
	}
	if err := r.kafka.Open(proxies); err != nil {
		return err
	}
	if err := r.kafka.Start(ctx); err != nil {
		return fmt.Errorf("start Kafka: %w", err)
	}
	if r.topics, err = newTopics(r.kafka.Address); err != nil {
		return err
	}
	r.inject = &injector{
		members: r.members,
		kafka:   r.kafka,
		redis:   r.redis,
		topics:  r.topics,
		found:   r.found,
		failed:  r.fail,
		counts:  map[kind]int{},
		now:     map[kind]int{},

		expected: &r.stops,
	}
	return r.topics.create(ctx)
}

// newMember opens a member's links.
func (r *run) newMember(ctx context.Context, i int) (m *member, err error) {
	name := fmt.Sprintf("member-%d", i)
	kafka, err := r.network.Link(ctx, name+" to Kafka", r.kafka.Doors[i])
	if err != nil {
		return nil, err
	}
	redis, err := r.network.Link(ctx, name+" to Redis", r.redis.Address())
	if err != nil {
		return nil, err
	}
	r.redis.Links = append(r.redis.Links, redis)
	command, err := r.tried.command(i, name, kafka.Address, redis.Address)
	if err != nil {
		return nil, err
	}
	if m, err = newMember(name, r.dir, command, r.found); err != nil {
		return nil, err
	}
	m.kafka, m.redis, m.heard, m.expected = kafka, redis, r.heard, &r.stops
	m.faults.Store(true)
	return m, nil
}

// disturbed lets the members work under the plan's faults, then without faults until they have caught up, and ends
// them.
func (r *run) disturbed(ctx context.Context) error {
	r.beside.Go(func() { r.fail(r.reader.run(ctx, r.kafka.Address)) })
	r.feed = newFeed(r.options, r.kafka.Address)
	enough, fed := make(chan struct{}), make(chan struct{})
	r.beside.Go(func() { defer close(fed); r.fail(r.feed.run(ctx, enough)) })
	defer r.say.watch(ctx, r)()
	r.say.phase("starting members")
	for _, m := range r.members[:members] {
		if err := m.start(ctx); err != nil {
			return err
		}
	}
	if err := breakable.Until(ctx, 2*time.Minute, "every partition has state", r.tried.begun); err != nil {
		return err
	}
	r.say.phase("faults")
	length := time.Duration(r.minutes * float64(time.Minute))
	schedule, over := context.WithTimeout(ctx, length)
	defer over()
	r.inject.run(schedule, newPlan(r.seed, length, r.every, r.only))
	rest(schedule, length)
	close(enough)
	r.report.Faults, r.report.Missed = r.inject.counts, r.inject.missed
	began := time.Now()
	select {
	case <-fed:
	case <-ctx.Done():
		return ctx.Err()
	}
	r.report.Aborted = r.feed.aborted.Load()

	r.say.phase("catching up")
	if err := r.catchUp(ctx); err != nil {
		if ctx.Err() != nil {
			return err
		}
		r.found(finding{time.Now(), "the group", "has not caught up", err.Error()})
	}
	r.report.CatchUp = time.Since(began).Milliseconds()
	r.say.phase("ending members")
	for _, m := range r.members {
		m.faults.Store(false)
		m.stayDown()
		m.terminate()
		r.report.RefusedStarts += m.refusedStarts.Load()
	}
	return ctx.Err()
}

// catchUp waits until everything is processed. Kafka 4.1.0 sometimes loses its group coordinator for good after a kill
// ("out of sync with the underlying log", then NOT_COORDINATOR for every request). Half-way the broker is restarted
// once, as a person would do, and the report records it.
func (r *run) catchUp(ctx context.Context) error {
	const what = "everything is processed"
	err := breakable.Until(ctx, r.patience/2, what, r.tried.caughtUp)
	if err == nil || ctx.Err() != nil {
		return err
	}
	r.say.phase("restarting Kafka")
	r.report.Restarted = true
	if err := errors.Join(r.kafka.Kill(ctx), r.kafka.Start(ctx)); err != nil {
		return err
	}
	return breakable.Until(ctx, r.patience/2, what, r.tried.caughtUp)
}
