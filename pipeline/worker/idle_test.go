package worker_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"ebb/pipeline"
	"ebb/pipeline/line"
	"ebb/pipeline/storetest"
	"ebb/pipeline/worker"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// quietShop is a partition whose records come when they happen, by a clock that runs with the bubble's. Customers visit
// every hour, then stay away, one after the other, and then nothing comes any more.
type quietShop struct {
	mu      sync.Mutex
	t       *testing.T
	kafka   *cluster
	epoch   int
	pack    *pack.Pack
	store   *storetest.Memory
	ahead   atomic.Int64 // of the clock, before the bubble's
	fault   func(f *pipeline.Fetched) error
	refuses bool                 // whatever is to be published
	alerts  map[string]time.Time // by customer and event time: when they were published
	ledger  trial
	log     lines
	metrics *prometheus.Registry
	wall    *worker.Wall
}

const (
	shopLateness = time.Minute
	shopIdle     = 30 * time.Second
	shopVisitors = 8
)

// lastVisit is when the last event happens: the shop's clock begins an hour before.
var lastVisit = time.Date(2026, 11, 30, 12, 0, 30, 0, time.UTC)

func newQuietShop(t *testing.T) *quietShop {
	t.Helper()
	k, err := pack.Load("any", nil, pack.Overrides{Horizon: 10 * 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	s := &quietShop{
		t: t, pack: k, store: storetest.NewMemory(), alerts: map[string]time.Time{}, metrics: prometheus.NewRegistry(),
	}
	s.ahead.Store(int64(time.Until(lastVisit.Add(-time.Hour))))
	s.wall = worker.NewWall(s.now)
	var records []pipeline.Record
	const day = 24 * time.Hour
	for n := 30 * shopVisitors; n >= 0; n-- {
		at, customer := lastVisit.Add(-time.Duration(n)*day/shopVisitors), n%shopVisitors
		if left := time.Duration(customer) * day / 2; at.After(lastVisit.Add(-left)) {
			continue
		}
		v := fmt.Sprintf(
			`{"id":"e%d","customer":"c%d","type":"visit","time":%q}`,
			len(records),
			customer,
			at.Format(time.RFC3339),
		)
		records = append(records, pipeline.Record{Offset: int64(len(records)), Timestamp: at.UnixMilli(), Value: []byte(v)})
	}
	s.ledger.input = &input{pack: k}
	s.kafka = &cluster{records: records, second: true, publish: s.published}
	return s
}

// now is the shop's clock.
func (s *quietShop) now() time.Time {
	return time.Unix(0, time.Now().Add(time.Duration(s.ahead.Load())).UnixNano())
}

func (s *quietShop) published(r pipeline.Outgoing) error {
	if r.Topic == "control" || r.Topic == "packs" {
		s.ledger.ledger = append(s.ledger.ledger, r)
	}
	if r.Topic == "alerts" {
		key := string(r.Key)
		if _, twice := s.alerts[key]; twice {
			s.t.Errorf("%s is published twice", key)
		}
		s.alerts[key] = s.now()
	}
	return nil
}

func (s *quietShop) Init(context.Context) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch, err = s.kafka.initProducer()
	return err
}

func (s *quietShop) Position(context.Context) (pipeline.Position, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.come()
	return s.kafka.position()
}

// come makes the records of the past visible.
func (s *quietShop) come() {
	now, k := s.now().UnixMilli(), s.kafka
	for k.visible < int64(len(k.records)) && k.records[k.visible].Timestamp <= now {
		k.visible++
	}
}

func (s *quietShop) Fetch(ctx context.Context, offset int64, f *pipeline.Fetched) error {
	s.mu.Lock()
	s.come()
	s.kafka.fetch(offset, 400, f)
	fault := s.fault
	s.mu.Unlock()
	if fault != nil {
		if err := fault(f); err != nil {
			select {
			case <-time.After(10 * time.Second):
			case <-ctx.Done():
			}
			return err
		}
	}
	if f.Next > offset {
		return nil
	}
	select {
	case <-time.After(2 * time.Second):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *quietShop) Publish(_ context.Context, p *pipeline.Publication) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuses {
		return fmt.Errorf("%w: refused", pipeline.ErrUnavailable)
	}
	err := s.kafka.commitOffset(0, s.epoch, p.Offset, p.Metadata)
	if err == nil {
		err = s.kafka.produce(s.epoch, rendered(p))
	}
	if err == nil {
		s.epoch, err = s.kafka.end(s.epoch, true)
	}
	if err == nil {
		err = s.kafka.settle()
	}
	return err
}

// begin lets a process own the partition. The returned function ends it in order.
func (s *quietShop) begin(change func(*worker.Config)) (end func()) {
	cfg := worker.Config{
		Ledger: &s.ledger,
		Line: line.Config{
			Identity: s.ledger.input.identity(), Settings: settings(shopLateness), CacheCustomers: 100, Format: profile.Format,
		},
		Log: s, Store: s.store.Partition(0), Pack: s.pack, PublishEvery: 8 * time.Second, End: -1,
		Logger: zerolog.New(&s.log).Level(zerolog.DebugLevel), Metrics: worker.NewMetrics(prometheus.NewRegistry()),
		Render: s.render, Idle: shopIdle, Wall: s.wall,
	}
	if change != nil {
		change(&cfg)
	}
	revoked, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- worker.New(cfg).Run(s.t.Context(), revoked) }()
	return func() {
		s.t.Helper()
		if cfg.End < 0 {
			close(revoked)
		}
		if err := <-ended; err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *quietShop) render(b []byte, e *pipeline.Entry, r *pipeline.Record) (pipeline.Outgoing, []byte) {
	out, b := s.ledger.input.render(b, e, r)
	if e.Kind == pipeline.EntryAlert { // its timestamp is the bubble's clock
		out.Key = fmt.Appendf(
			nil,
			"%s %s %s",
			time.UnixMilli(e.Alert.At).UTC().Format("02 15:04"),
			e.Alert.Customer,
			e.Alert.Transition,
		)
	}
	return out, b
}

// all is what is published, by customer and event time.
func (s *quietShop) all() []string { return slices.Sorted(maps.Keys(s.alerts)) }

// times are the time records that are published.
func (s *quietShop) times() (all []pipeline.Control) {
	controls, err := s.ledger.Controls(context.Background(), s.ledger.input.identity())
	if err != nil {
		s.t.Fatal(err)
	}
	return slices.DeleteFunc(controls, func(c pipeline.Control) bool { return c.Kind != pipeline.ControlTime })
}

// toldBy is every alert whose time has come, by a run that ends with the log and is told what time it is.
func toldBy(t *testing.T, now time.Time) (all []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newQuietShop(t)
		<-time.After(2 * time.Hour)
		s.begin(func(c *worker.Config) {
			c.End, c.AdvanceTo = int64(len(s.kafka.records)), now.Add(-shopLateness).Unix()/60
		})()
		all = s.all()
		if n := len(s.times()); n != 1 {
			t.Fatalf("%d time records", n)
		}
	})
	return all
}

// wait lets so much time pass.
func (s *quietShop) wait(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// until lets time pass up to so long after the last event.
func (s *quietShop) until(d time.Duration) { s.wait(lastVisit.Add(d).Sub(s.now())) }

// expect compares what is published with what is due by now, or by another time.
func (s *quietShop) expect(want []string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if diff := cmp.Diff(want, s.all()); diff != "" {
		s.t.Errorf("%v after the last event (-want +got):\n%s\n%s", s.now().Sub(lastVisit), diff, s.log.String())
	}
}

// TestIdlePartition: where nothing comes any more, each deadline fires within the minute in which the clock reaches it,
// and a time record is written only where something is due.
func TestIdlePartition(t *testing.T) {
	const after = 24 * time.Hour
	want := toldBy(t, lastVisit.Add(after))
	synctest.Test(t, func(t *testing.T) {
		s := newQuietShop(t)
		end := s.begin(nil)
		s.until(after)
		end()
		s.expect(want)
		for alert, delay := range s.delays() {
			if delay < shopLateness || delay > shopLateness+time.Minute {
				t.Errorf("%s: published %v after its deadline", alert, delay)
			}
		}
		times := s.times()
		if n := len(times); n < 4 || n > 60 {
			t.Errorf("%d time records within %v", n, after)
		}
		for i := range times {
			if i > 0 && times[i].Minute <= times[i-1].Minute || times[i].Offset != int64(len(s.kafka.records)) {
				t.Errorf("time records %+v", times)
			}
		}
	})
}

// delays are, by alert, how long after a deadline it was published, where that lies after the last event.
func (s *quietShop) delays() map[string]time.Duration {
	s.t.Helper()
	delays := map[string]time.Duration{}
	for alert, at := range s.alerts {
		month := map[bool]string{true: "2026-12-", false: "2026-11-"}[alert[0] == '0']
		due, err := time.Parse("2006-01-02 15:04", month+alert[:8])
		if err != nil {
			s.t.Fatal(err)
		}
		if due.After(lastVisit) {
			delays[alert] = at.Sub(due)
		}
	}
	return delays
}

// trickle lets events of one more customer come, every twenty seconds for so long after the last visit, each so long after it
// happened.
func (s *quietShop) trickle(long, behind time.Duration) {
	for d := 20 * time.Second; d <= long; d += 20 * time.Second {
		came, n := lastVisit.Add(d), int64(len(s.kafka.records))
		v := fmt.Sprintf(
			`{"id":"e%d","customer":"regular","type":"visit","time":%q}`, n, came.Add(-behind).Format(time.RFC3339),
		)
		s.kafka.records = append(s.kafka.records, pipeline.Record{Offset: n, Timestamp: came.UnixMilli(), Value: []byte(v)})
	}
}

// TestOneOfThreeIsIdle: where one of a process's three partitions is idle, it alone fires by the clock and writes time
// records. The others, whose events come late, fire by these.
func TestOneOfThreeIsIdle(t *testing.T) {
	const after, behind = 24 * time.Hour, 7 * time.Minute
	synctest.Test(t, func(t *testing.T) {
		var shops []*quietShop
		for n := range 3 {
			s := newQuietShop(t)
			if n > 0 {
				s.trickle(after, behind)
				s.wall = shops[0].wall
			}
			shops = append(shops, s)
			defer s.begin(nil)()
		}
		shops[0].until(after)
		for n, s := range shops {
			s.change(func() {
				least, times := shopLateness+behind, 0
				if n == 0 {
					least, times = shopLateness, 2
				}
				if got := len(s.times()); got < times || times == 0 && got > 0 {
					t.Errorf("partition %d: %d time records", n, got)
				}
				delays := s.delays()
				for alert, delay := range delays {
					if delay < least || delay > least+time.Minute {
						t.Errorf("partition %d: %s published %v after its deadline", n, alert, delay)
					}
				}
				if len(delays) < 2 {
					t.Errorf("partition %d: alerts %q", n, s.all())
				}
			})
		}
	})
}

// TestSilenceThatIsNone: what looks like silence and is none fires nothing, for however long, and everything afterwards.
func TestSilenceThatIsNone(t *testing.T) {
	const long, after = 20 * time.Hour, 24 * time.Hour
	before, want := toldBy(t, lastVisit.Add(shopLateness)), toldBy(t, lastVisit.Add(after))
	away := fmt.Errorf("%w: away", pipeline.ErrUnavailable)
	for name, c := range map[string]struct {
		fault func(*pipeline.Fetched) error // of fetches
		other func(*quietShop)              // what else is wrong
		mend  func(*quietShop)
	}{
		"a transaction hangs":     {fault: func(f *pipeline.Fetched) error { f.End++; return nil }},
		"records are held back":   {fault: func(f *pipeline.Fetched) error { f.End += 5; f.Stable += 5; return nil }},
		"a quota":                 {fault: func(f *pipeline.Fetched) error { f.Throttled = true; return nil }},
		"an answer without end":   {fault: func(f *pipeline.Fetched) error { f.End = -1; return nil }},
		"the broker is away":      {fault: func(*pipeline.Fetched) error { return away }},
		"the broker is very slow": {fault: func(*pipeline.Fetched) error { <-time.After(9 * time.Second); return nil }},
		"nothing can be published": {
			other: func(s *quietShop) { s.refuses = true }, mend: func(s *quietShop) { s.refuses = false },
		},
		"the clock was set back": {
			other: func(s *quietShop) { s.ahead.Add(-int64(long)) }, mend: func(s *quietShop) { s.ahead.Add(int64(long)) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newQuietShop(t)
				end := s.begin(nil)
				s.until(time.Second)
				s.change(func() {
					if s.fault = c.fault; c.other != nil {
						c.other(s)
					}
				})
				s.wait(long - time.Minute)
				s.expect(before)
				if times := s.times(); len(times) > 0 {
					t.Errorf("time records %+v", times)
				}
				s.change(func() {
					if s.fault = nil; c.mend != nil {
						c.mend(s)
					}
				})
				s.until(after)
				end()
				s.expect(want)
			})
		})
	}
}

// TestNotIdle: without the setting, and in a log of the past, no time passes.
func TestNotIdle(t *testing.T) {
	before := toldBy(t, lastVisit.Add(shopLateness))
	for name, c := range map[string]struct {
		ahead  time.Duration
		change func(*worker.Config)
	}{
		"switched off":      {0, func(c *worker.Config) { c.Idle = 0 }},
		"a log of the past": {300 * 24 * time.Hour, nil},
		"half an hour old":  {90 * time.Minute, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newQuietShop(t)
				s.ahead.Add(int64(c.ahead))
				end := s.begin(c.change)
				s.wait(24 * time.Hour)
				end()
				s.expect(before)
			})
		})
	}
}

// TestClockJumps: a clock that jumps ahead fires nothing before its time, until events confirm it, or ebb starts again.
func TestClockJumps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newQuietShop(t)
		end := s.begin(nil)
		s.until(time.Hour)
		before := s.all()
		s.change(func() { s.ahead.Add(int64(40 * time.Hour)) })
		s.wait(2 * time.Hour)
		s.expect(before)
		s.change(func() { s.ahead.Add(-int64(40 * time.Hour)) })
		s.wait(time.Minute)
		s.change(func() { s.ahead.Add(int64(40 * time.Hour)) })
		s.wait(time.Minute)
		end()
		if strings.Count(s.log.String(), "the clock has jumped ahead") != 2 {
			t.Error(s.log.String())
		}
	})
}

// TestOffForADay: what fell due meanwhile is raised once at the return, after time.idle, with its deadline as its time.
func TestOffForADay(t *testing.T) {
	const after = 48 * time.Hour
	want := toldBy(t, lastVisit.Add(after))
	synctest.Test(t, func(t *testing.T) {
		s := newQuietShop(t)
		end := s.begin(nil)
		s.until(time.Hour)
		end()
		before := s.all()
		s.until(after - time.Minute)
		end = s.begin(nil)
		s.wait(shopIdle - 2*time.Second)
		s.expect(before)
		s.until(after)
		s.expect(want)
		if n := len(s.times()); n != 1 {
			t.Errorf("%d time records", n)
		}
		s.until(after + time.Hour)
		end()
	})
}

// TestIdleRolledBack: a live run with idle times and restarts, whose store is replaced by an earlier copy, or emptied to be
// rebuilt: the alerts are the same, and none is published twice.
func TestIdleRolledBack(t *testing.T) {
	const after = 48 * time.Hour
	want := toldBy(t, lastVisit.Add(after))
	for copied := time.Duration(-30) * time.Minute; copied < 24*time.Hour; copied += 4*time.Hour + 37*time.Minute {
		t.Run(copied.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newQuietShop(t)
				end := s.begin(nil)
				s.until(copied)
				restore := s.store.Copy(0)
				s.until(12 * time.Hour)
				end()
				s.until(15 * time.Hour)
				end = s.begin(nil)
				s.until(30 * time.Hour)
				if copied%2 == 0 {
					end()
					restore()
					end = s.begin(nil)
				} else {
					restore()
				}
				s.until(after)
				end()
				s.expect(want)
			})
		})
	}
}

// slowLedger takes long to read control records, of which there are very many.
type slowLedger struct{ *trial }

func (l slowLedger) Controls(ctx context.Context, id pipeline.Identity) ([]pipeline.Control, error) {
	select {
	case <-time.After(time.Minute):
		return l.trial.Controls(ctx, id)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// TestManyControlRecords: a takeover from an older store waits for all control records, for as long as it takes to read
// them.
func TestManyControlRecords(t *testing.T) {
	want := toldBy(t, lastVisit.Add(24*time.Hour))
	synctest.Test(t, func(t *testing.T) {
		s := newQuietShop(t)
		end := s.begin(nil)
		s.until(0)
		restore := s.store.Copy(0)
		s.until(12 * time.Hour)
		end()
		restore()
		end = s.begin(func(c *worker.Config) { c.Ledger = slowLedger{&s.ledger} })
		s.until(24 * time.Hour)
		end()
		s.expect(want)
	})
}

// change makes a change while nobody reads.
func (s *quietShop) change(what func()) {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	what()
}
