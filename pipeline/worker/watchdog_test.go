package worker_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"ebb/pipeline"
	"ebb/pipeline/line"
	"ebb/pipeline/storetest"
	"ebb/pipeline/worker"
	"ebb/scoring/profile"
)

// lines keeps the log.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// heldLog is a log in which, while held is set, a producer's transaction is open from the middle on.
type heldLog struct {
	mu    sync.Mutex // guards kafka
	kafka *cluster
	end   int64
	epoch int
	held  atomic.Bool
}

func (l *heldLog) Init(context.Context) (err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.epoch, err = l.kafka.initProducer()
	return err
}

func (l *heldLog) Position(context.Context) (pipeline.Position, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.kafka.position()
}

func (l *heldLog) Fetch(ctx context.Context, offset int64, f *pipeline.Fetched) error {
	l.mu.Lock()
	l.kafka.visible = l.end
	if l.held.Load() {
		l.kafka.visible = l.end / 2
	}
	l.kafka.fetch(offset, 40, f)
	f.End = l.end
	l.mu.Unlock()
	if f.Next > offset {
		return nil
	}
	select {
	case <-time.After(250 * time.Millisecond):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *heldLog) Publish(_ context.Context, p *pipeline.Publication) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.kafka.commitOffset(0, l.epoch, p.Offset, p.Metadata)
	if err == nil {
		err = l.kafka.produce(l.epoch, rendered(p))
	}
	if err == nil {
		l.epoch, err = l.kafka.end(l.epoch, true)
	}
	return err
}

// TestStall: the log reports a stalled partition once, and once that it goes on. It reports nothing for a partition
// without work.
func TestStall(t *testing.T) {
	in := newInput(t, 1, 200)
	synctest.Test(t, func(t *testing.T) {
		log := &heldLog{
			end:   in.end,
			kafka: &cluster{records: in.records, second: true, publish: func(pipeline.Outgoing) error { return nil }},
		}
		log.held.Store(true)
		var lines lines
		w := worker.New(worker.Config{
			Ledger: elsewhere{},
			Line:   line.Config{Identity: in.identity(), Settings: settings(0), CacheCustomers: 8, Format: profile.Format},
			Log:    log, Store: storetest.NewMemory().Partition(0), Pack: in.pack,
			PublishEvery: time.Second, End: -1, Logger: zerolog.New(&lines).Level(zerolog.InfoLevel),
			Metrics: worker.NewMetrics(prometheus.NewRegistry()),
			Render: func(b []byte, e *pipeline.Entry, _ *pipeline.Record) (pipeline.Outgoing, []byte) {
				return pipeline.Outgoing{Topic: "out", Key: e.Key}, b
			},
		})
		revoked, ended := make(chan struct{}), make(chan error)
		go func() { ended <- w.Run(t.Context(), revoked) }()
		expect := func(after time.Duration, phase worker.Phase, stalls, moves int) {
			t.Helper()
			<-time.After(after)
			synctest.Wait()
			s := w.Status()
			text := lines.String()
			if s.Phase != phase || strings.Count(text, "partition stalled") != stalls ||
				strings.Count(text, "moves again") != moves {
				t.Errorf("%v: %s; said:\n%s", s.Phase, s.Reason, text)
			}
		}
		expect(20*time.Second, worker.Running, 0, 0)
		expect(20*time.Second, worker.Stalled, 1, 0)
		if s := w.Status(); !strings.Contains(s.Reason, "open transaction") {
			t.Errorf("stalled: %s", s.Reason)
		}
		expect(10*time.Minute, worker.Stalled, 1, 0)
		log.held.Store(false)
		expect(20*time.Second, worker.Running, 1, 1)
		expect(10*time.Minute, worker.Running, 1, 1) // idle
		if lag := w.Progress(); lag.Lag() != 0 || time.Since(lag.At) > time.Second {
			t.Errorf("progress %+v", lag)
		}
		close(revoked)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// awayLog is a log that can be away, or lose the answers to publications that it carries out.
type awayLog struct {
	*heldLog
	away, loses atomic.Bool
}

func (l *awayLog) Init(ctx context.Context) error {
	if l.away.Load() {
		return pipeline.ErrUnavailable
	}
	return l.heldLog.Init(ctx)
}

func (l *awayLog) Publish(ctx context.Context, p *pipeline.Publication) error {
	if l.away.Load() {
		return pipeline.ErrUnavailable
	}
	err := l.heldLog.Publish(ctx, p)
	if err == nil && l.loses.Load() {
		l.mu.Lock()
		defer l.mu.Unlock()
		return errors.Join(pipeline.ErrUnavailable, l.kafka.settle())
	}
	return err
}

// withAwayLog runs do beside a worker that has half of the input to begin with.
func withAwayLog(t *testing.T, do func(w *worker.Worker, log *awayLog)) {
	t.Helper()
	in := newInput(t, 1, 200)
	synctest.Test(t, func(t *testing.T) {
		log := &awayLog{heldLog: &heldLog{
			end:   in.end,
			kafka: &cluster{records: in.records, second: true, publish: func(pipeline.Outgoing) error { return nil }},
		}}
		log.held.Store(true)
		w := worker.New(worker.Config{
			Ledger: elsewhere{},
			Line:   line.Config{Identity: in.identity(), Settings: settings(0), CacheCustomers: 8, Format: profile.Format},
			Log:    log, Store: storetest.NewMemory().Partition(0), Pack: in.pack, PublishEvery: time.Second, End: -1,
			Logger: zerolog.Nop(), Metrics: worker.NewMetrics(prometheus.NewRegistry()), Render: in.render,
		})
		revoked, ended := make(chan struct{}), make(chan error)
		go func() { ended <- w.Run(t.Context(), revoked) }()
		<-time.After(10 * time.Second)
		do(w, log)
		close(revoked)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestAwayIsNotHung: while brokers are away, which a publication was the first to find, no loop turns, and none has to.
// A process that was started anew for it would find them away, too.
func TestAwayIsNotHung(t *testing.T) {
	withAwayLog(t, func(w *worker.Worker, log *awayLog) {
		log.away.Store(true)
		log.held.Store(false)
		<-time.After(5 * time.Minute)
		if s, since := w.Status(), time.Since(w.Progress().At); s.Phase != worker.Stalled || since < time.Minute {
			t.Errorf("after five minutes: %v: %s, last turn %v ago", s.Phase, s.Reason, since)
		}
		if since := w.Hung(time.Now()); since != 0 {
			t.Errorf("hung for %v", since)
		}
		log.away.Store(false)
		<-time.After(time.Minute)
		if s := w.Status(); s.Phase != worker.Running || w.Hung(time.Now()) > time.Second {
			t.Errorf("when they are back: %v: %s, hung for %v", s.Phase, s.Reason, w.Hung(time.Now()))
		}
	})
}

// TestLostAnswerIsNoStall: a takeover that finds published what seemed to have failed leaves nothing to be published,
// and nothing that could show that publishing works.
func TestLostAnswerIsNoStall(t *testing.T) {
	withAwayLog(t, func(w *worker.Worker, log *awayLog) {
		log.loses.Store(true)
		log.held.Store(false)
		<-time.After(10 * time.Minute)
		if s, at := w.Status(), w.Progress(); s.Phase != worker.Running || at.Lag() != 0 || at.Published != at.End {
			t.Errorf("an idle partition: %v: %s", s.Phase, s.Reason)
		}
	})
}

// slowLog is a log whose publications take long.
type slowLog struct {
	*heldLog
	takes time.Duration
}

func (l *slowLog) Publish(ctx context.Context, p *pipeline.Publication) error {
	<-time.After(l.takes)
	return l.heldLog.Publish(ctx, p)
}

// slowly are the phases of a worker of slow publications, second by second for as long as it has entries to publish, and
// how long one of these has waited at most.
func slowly(t *testing.T, takes time.Duration, most int) (seen []worker.Phase, waited time.Duration) {
	t.Helper()
	in := newInput(t, 1, 200)
	synctest.Test(t, func(t *testing.T) {
		log := &slowLog{takes: takes, heldLog: &heldLog{
			end:   in.end,
			kafka: &cluster{records: in.records, second: true, publish: func(pipeline.Outgoing) error { return nil }},
		}}
		w := worker.New(worker.Config{
			Ledger: elsewhere{},
			Line:   line.Config{Identity: in.identity(), Settings: settings(0), CacheCustomers: 8, Format: profile.Format},
			Log:    log, Store: storetest.NewMemory().Partition(0), Pack: in.pack, PublishEvery: time.Second, End: -1,
			Logger: zerolog.Nop(), Metrics: worker.NewMetrics(prometheus.NewRegistry()), Render: in.render,
			MaxUnpublished: pipeline.Volume{Entries: most, Bytes: 1 << 20},
		})
		revoked, ended := make(chan struct{}), make(chan error)
		go func() { ended <- w.Run(t.Context(), revoked) }()
		<-time.After(3*takes + time.Second/2)
		for w.Progress().Unpublished > 0 {
			seen, waited = append(seen, w.Status().Phase), max(waited, w.Progress().Waiting)
			<-time.After(time.Second)
		}
		close(revoked)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return seen, waited
}

// TestSlowPublicationsStayStalled: a partition whose publications all take long is stalled in each of them from its
// beginning, not only once that has taken long, too. Where one leaves the outbox empty it is well for a while.
func TestSlowPublicationsStayStalled(t *testing.T) {
	seen, _ := slowly(t, 9*time.Second, 3)
	changes := 0
	for i := range seen[1:] {
		if seen[i+1] != seen[i] {
			changes++
		}
	}
	if minutes := len(seen) / 60; changes > minutes || !slices.Contains(seen, worker.Stalled) {
		t.Errorf("%d changes in %d minutes: %v", changes, minutes, seen)
	}
}

// TestOutboxOfBusyPartition: the entries of an outbox that is never seen empty are no older than two publications.
func TestOutboxOfBusyPartition(t *testing.T) {
	const takes = 900 * time.Millisecond
	seen, waited := slowly(t, takes, 10)
	if len(seen) < 10 || waited > 2*takes+250*time.Millisecond {
		t.Errorf("an entry has waited for %v, in %d s", waited, len(seen))
	}
}

// TestTakeoverOfAnotherInput: a topic that was made anew while the partition was taken over is called that, and no log
// that was cut short.
func TestTakeoverOfAnotherInput(t *testing.T) {
	in := newInput(t, 1, 200)
	synctest.Test(t, func(t *testing.T) {
		kafka := &cluster{records: in.records, second: true, publish: func(pipeline.Outgoing) error { return nil }}
		store := storetest.NewMemory()
		run := func(end int64, verify func(context.Context, time.Time) error) error {
			return worker.New(worker.Config{
				Ledger: elsewhere{},
				Line:   line.Config{Identity: in.identity(), Settings: settings(0), CacheCustomers: 8, Format: profile.Format},
				Log:    &heldLog{end: end, kafka: kafka}, Store: store.Partition(0), Pack: in.pack, Verify: verify,
				PublishEvery: time.Second, End: in.end, Logger: zerolog.Nop(),
				Metrics: worker.NewMetrics(prometheus.NewRegistry()), Render: in.render,
			}).Run(t.Context(), nil)
		}
		if err := run(in.end, nil); err != nil {
			t.Fatal(err)
		}
		kafka.records, kafka.visible = nil, 0
		wantStop(t, run(0, nil), "log_truncated")
		asked := 0
		wantStop(t, run(0, func(context.Context, time.Time) error {
			asked++
			return &pipeline.HardStop{Code: "topic_changed"}
		}), "topic_changed")
		if asked != 1 {
			t.Errorf("asked %d times", asked)
		}
	})
}
