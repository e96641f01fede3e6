package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"pgregory.net/rapid"

	"ebb/pipeline"
	"ebb/pipeline/kafkabatch"
	"ebb/sinks/delivery"
)

// scripted is a partition in memory: a log, the group's offset, and what was published.
type scripted struct {
	mu        sync.Mutex
	start     int64
	records   []pipeline.Record // from start on
	committed int64             // -1: none
	letters   []pipeline.Outgoing
	fail      func(request string) error // nil: all succeed; the effect of a publication that fails is lost or not, see lost
	lost      bool                       // a failed publication took effect, and its answer was lost
}

func (s *scripted) ask(request string) error {
	if s.fail == nil {
		return nil
	}
	return s.fail(request)
}

func (s *scripted) Init(ctx context.Context) error { return errors.Join(ctx.Err(), s.ask("init")) }

func (s *scripted) end() int64 { return s.start + int64(len(s.records)) }

func (s *scripted) Position(context.Context) (pipeline.Position, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := pipeline.Position{Committed: s.committed >= 0, Offset: max(0, s.committed), LogStart: s.start, End: s.end()}
	return p, s.ask("position")
}

func (s *scripted) Fetch(ctx context.Context, offset int64, f *pipeline.Fetched) error {
	if err := s.ask("fetch"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	*f = pipeline.Fetched{Next: offset, End: s.end(), Stable: s.end()}
	if offset < s.start || offset > s.end() {
		return pipeline.ErrOutOfRange
	}
	if f.Records = slices.Clone(s.records[offset-s.start:]); len(f.Records) > 3 {
		f.Records = f.Records[:3]
	}
	f.Next += int64(len(f.Records))
	if len(f.Records) > 0 {
		return nil
	}
	s.mu.Unlock()
	defer s.mu.Lock()
	select {
	case <-time.After(250 * time.Millisecond):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *scripted) Publish(_ context.Context, p *pipeline.Publication) error {
	err := s.ask("publish")
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil && !s.lost {
		return err
	}
	s.committed = p.Offset
	if p.Records != nil {
		s.letters = append(s.letters, slices.Collect(p.Records)...)
	}
	return err
}

// add puts an alert at the end of the log; expires zero: it has no expires_at.
func (s *scripted) add(id string, expires time.Time) {
	body := fmt.Sprintf(`{"id":%q}`, id)
	if !expires.IsZero() {
		body = fmt.Sprintf(`{"id":%q,"expires_at":%q}`, id, expires.UTC().Format(time.RFC3339))
	}
	s.put([]byte(body))
}

func (s *scripted) put(value []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records = append(s.records, pipeline.Record{Offset: s.end(), Key: []byte("c"), Value: value, Timestamp: 1000})
}

func (s *scripted) offset() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.committed
}

// dead lists the dead letters: id or value, reason and attempts.
func (s *scripted) dead() (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.letters {
		said := map[string]string{}
		for key, value := range kafkabatch.Headers(r.Headers) {
			said[string(key)] = string(value)
		}
		all = append(all, fmt.Sprintf("%s %s@%s %s after %s", r.Topic, said["__streams.errors.partition"],
			said["__streams.errors.offset"], said["ebb.error.code"], said["ebb.deliver.attempts"]))
	}
	return all
}

// taker is a destination that is scripted.
type taker struct {
	mu   sync.Mutex
	took []string // ids, each attempt that it did not refuse
	tell func(attempt int, id string) error
	n    int
}

func (d *taker) Send(_ context.Context, a *delivery.Alert) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.n++
	if d.tell != nil {
		if err := d.tell(d.n, a.ID); err != nil {
			return err
		}
	}
	d.took = append(d.took, a.ID)
	return nil
}

func (d *taker) ids() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.took)
}

func (d *taker) attempts() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.n
}

// refuse is a failure that asks to be left alone for a while.
func refuse(after time.Duration) error {
	return &delivery.Failure{Class: "status_5xx", After: after, Err: errors.New("503")}
}

// running is a lane at work.
type running struct {
	*delivery.Lane
	lose   context.CancelFunc // the partition is lost
	revoke func()
	ended  chan error
	log    *strings.Builder
}

func run(t *testing.T, log pipeline.Log, to delivery.Destination, change ...func(*delivery.LaneConfig)) *running {
	t.Helper()
	said := new(strings.Builder)
	cfg := delivery.LaneConfig{
		Log: log, Destination: to, Group: "g", Topic: "alerts", Partition: 3, DeadLetters: "alerts.dlq",
		Metrics: delivery.NewMetrics(prometheus.NewRegistry(), nil), Logger: zerolog.New(said),
	}
	for _, c := range change {
		c(&cfg)
	}
	ctx, cancel := context.WithCancel(t.Context())
	revoked := make(chan struct{})
	r := &running{
		Lane: delivery.NewLane(cfg), lose: cancel, revoke: sync.OnceFunc(func() { close(revoked) }),
		ended: make(chan error, 1), log: said,
	}
	go func() { r.ended <- r.Run(ctx, revoked) }()
	return r
}

// stop gives the partition up and waits for the lane.
func (r *running) stop(t *testing.T) {
	t.Helper()
	r.revoke()
	if err := <-r.ended; err != nil {
		t.Errorf("the lane ended with %v", err)
	}
}

// TestLaneDeliversInOrder: everything is delivered once, tombstones are passed over, the offset follows.
func TestLaneDeliversInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, to := &scripted{start: 7, committed: -1}, &taker{}
		for _, id := range []string{"a", "b", "c", "d"} {
			log.add(id, time.Time{})
		}
		log.put(nil)
		log.add("e", time.Now().Add(time.Hour))
		r := run(t, log, to)
		<-time.After(time.Second)
		if diff := cmp.Diff([]string{"a", "b", "c", "d", "e"}, to.ids()); diff != "" || log.offset() != 13 {
			t.Errorf("offset %d\n%s", log.offset(), diff)
		}
		if s := r.Status(); s.Phase != delivery.Running || s.Behind != 0 || !s.Known {
			t.Errorf("status %+v", s)
		}
		r.stop(t)
	})
}

// TestLanePassesOver: an alert that is not matched is counted and is as good as delivered, also where it is the last.
func TestLanePassesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, to := &scripted{committed: -1}, &taker{}
		for id, tier := range []string{"critical", "watch", "critical", "watch"} {
			log.put(fmt.Appendf(nil, `{"id":"%d","kind":"lapse","tier":%q,"expires_at":"2199-01-01T00:00:00Z"}`, id, tier))
		}
		registry := prometheus.NewRegistry()
		r := run(t, log, to, func(c *delivery.LaneConfig) {
			c.Match, c.Metrics = delivery.Match{Tier: []string{"critical"}}, delivery.NewMetrics(registry, nil)
		})
		<-time.After(time.Second)
		if diff := cmp.Diff([]string{"0", "2"}, to.ids()); diff != "" || log.offset() != 4 || len(log.dead()) > 0 {
			t.Errorf("offset %d, dead letters %v\n%s", log.offset(), log.dead(), diff)
		}
		r.stop(t)
		all, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range all {
			if m.GetName() == "ebb_deliver_passed_over_total" && m.GetMetric()[0].GetCounter().GetValue() != 2 {
				t.Errorf("counted %v", m.GetMetric())
			}
		}
	})
}

// TestLaneStallsAndGoesOn: a failing destination stalls what is behind, is asked ever more seldom and for ever, and the
// log has a line for each change.
func TestLaneStallsAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, to := &scripted{committed: -1}, &taker{}
		log.add("a", time.Time{})
		log.add("b", time.Time{})
		log.add("c", time.Time{})
		until := time.Now().Add(3 * 24 * time.Hour)
		var at []time.Time
		to.tell = func(_ int, id string) error {
			if id != "b" || time.Now().After(until) {
				return nil
			}
			at = append(at, time.Now())
			return refuse(0)
		}
		r := run(t, log, to)
		<-time.After(time.Minute)
		if got := to.ids(); len(got) != 1 || log.offset() != 1 {
			t.Errorf("%v taken, offset %d", got, log.offset())
		}
		if s := r.Status(); s.Phase != delivery.Stalled || s.Reason == "" {
			t.Errorf("status %+v", s)
		}
		<-time.After(4 * 24 * time.Hour)
		if got := to.ids(); !slices.Equal(got, []string{"a", "b", "c"}) || log.offset() != 3 {
			t.Errorf("%v taken, offset %d", got, log.offset())
		}
		if first := at[1].Sub(at[0]); first < 200*time.Millisecond || first > time.Second {
			t.Errorf("the first pause is %v", first)
		}
		for i := 20; i < len(at); i++ {
			if pause := at[i].Sub(at[i-1]); pause < 2*time.Minute || pause > 8*time.Minute {
				t.Errorf("pause %d is %v", i, pause)
			}
		}
		if len(log.letters) > 0 {
			t.Errorf("given up: %v", log.dead())
		}
		until = time.Now().Add(400 * time.Millisecond) // a short trouble after a long one has short pauses again
		to.mu.Lock()
		to.tell = func(int, string) error {
			if time.Now().After(until) {
				return nil
			}
			return refuse(0)
		}
		to.mu.Unlock()
		log.add("d", time.Time{})
		<-time.After(2 * time.Second)
		if log.offset() != 4 {
			t.Errorf("offset %d", log.offset())
		}
		r.stop(t)
		if n := strings.Count(r.log.String(), "deliveries stall"); n != 1 {
			t.Errorf("%d lines say that deliveries stall:\n%s", n, r.log)
		}
		if n := strings.Count(r.log.String(), "deliveries go on"); n != 1 {
			t.Errorf("%d lines say that they go on:\n%s", n, r.log)
		}
	})
}

// TestLaneHonoursRetryAfter, up to an hour.
func TestLaneHonoursRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, to := &scripted{committed: -1}, &taker{}
		log.add("a", time.Time{})
		to.tell = func(attempt int, _ string) error {
			return map[int]error{1: refuse(20 * time.Minute), 2: refuse(365 * 24 * time.Hour)}[attempt]
		}
		r := run(t, log, to)
		for _, c := range []struct {
			after    time.Duration
			attempts int
		}{{19 * time.Minute, 1}, {2 * time.Minute, 2}, {58 * time.Minute, 2}, {3 * time.Minute, 3}} {
			<-time.After(c.after)
			if to.attempts() != c.attempts {
				t.Errorf("%d attempts, want %d", to.attempts(), c.attempts)
			}
		}
		r.stop(t)
	})
}

// TestLaneGivesUpWhatHasExpired: not before, and at that moment; what ends an episode never. What is no alert goes to the
// dead letters too.
func TestLaneGivesUpWhatHasExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, to := &scripted{committed: -1}, &taker{}
		to.tell = func(int, string) error { return refuse(0) }
		log.put([]byte(`{"id":7}`))
		log.put([]byte(`{"id":"a b"}`))
		log.put([]byte(`no JSON`))
		log.add("past", time.Now().Add(-time.Minute))
		log.add("raised", time.Now().Add(time.Hour+time.Second))
		log.add("recovered", time.Time{})
		r := run(t, log, to)
		<-time.After(time.Hour - time.Second)
		before := []string{
			"alerts.dlq 3@0 unreadable after 0", "alerts.dlq 3@1 unreadable after 0", "alerts.dlq 3@2 unreadable after 0",
			"alerts.dlq 3@3 expired after 0",
		}
		if diff := cmp.Diff(before, log.dead()); diff != "" || log.offset() != 4 {
			t.Errorf("offset %d\n%s", log.offset(), diff)
		}
		attempts := to.attempts()
		<-time.After(3 * time.Second)
		if got := log.dead(); len(got) != 5 || got[4] != fmt.Sprintf("alerts.dlq 3@4 expired after %d", attempts) {
			t.Errorf("dead letters %v, after %d attempts", got, attempts)
		}
		<-time.After(1000 * 24 * time.Hour)
		if got := log.dead(); len(got) != 5 || log.offset() != 5 {
			t.Errorf("dead letters %v, offset %d", got, log.offset())
		}
		to.mu.Lock()
		to.tell = nil
		to.mu.Unlock()
		<-time.After(10 * time.Minute)
		if got := to.ids(); !slices.Equal(got, []string{"recovered"}) || log.offset() != 6 {
			t.Errorf("%v taken, offset %d", got, log.offset())
		}
		r.stop(t)
	})
}

// TestLaneBuriesOnce, whether or not a commit whose answer is lost took effect.
func TestLaneBuriesOnce(t *testing.T) {
	for _, lost := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			log, to := &scripted{committed: 0, lost: lost}, &taker{}
			log.add("a", time.Now().Add(-time.Minute))
			log.add("b", time.Now().Add(-time.Minute))
			failures := 0
			log.fail = func(request string) error {
				if request != "publish" || failures > 2 {
					return nil
				}
				failures++
				return pipeline.ErrUnavailable
			}
			r := run(t, log, to)
			<-time.After(time.Minute)
			want := []string{"alerts.dlq 3@0 expired after 0", "alerts.dlq 3@1 expired after 0"}
			if diff := cmp.Diff(want, log.dead()); diff != "" || log.offset() != 2 {
				t.Errorf("lost %v: offset %d\n%s", lost, log.offset(), diff)
			}
			r.stop(t)
		})
	}
}

// TestLaneIsRevoked: the attempt under way is finished, and what was delivered is committed; a pause is not waited for.
func TestLaneIsRevoked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, to := &scripted{committed: -1}, &taker{}
		log.add("a", time.Time{})
		log.add("b", time.Time{})
		log.add("c", time.Time{})
		to.tell = func(_ int, id string) error {
			if id == "b" {
				<-time.After(500 * time.Millisecond) // sooner than a commit is due
			}
			return nil
		}
		r := run(t, log, to)
		<-time.After(100 * time.Millisecond)
		began := time.Now()
		r.stop(t)
		if took := time.Since(began); took != 400*time.Millisecond || log.offset() != 2 {
			t.Errorf("it took %v, offset %d", took, log.offset())
		}
		to.tell = func(int, string) error { return refuse(time.Hour) }
		r = run(t, log, to)
		<-time.After(time.Second)
		began = time.Now()
		r.stop(t)
		if took := time.Since(began); took > time.Millisecond || log.offset() != 2 {
			t.Errorf("it took %v, offset %d", took, log.offset())
		}
	})
}

// TestLaneThatIsLost sends nothing more and commits nothing.
func TestLaneThatIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, to := &scripted{committed: -1}, &taker{}
		log.add("a", time.Time{})
		log.add("b", time.Time{})
		lose := make(chan func(), 1)
		to.tell = func(_ int, id string) error {
			if id == "b" {
				(<-lose)()
				<-time.After(time.Second)
			}
			return nil
		}
		r := run(t, log, to)
		lose <- r.lose
		if err := <-r.ended; !errors.Is(err, context.Canceled) || log.offset() != 0 {
			t.Errorf("ended with %v, offset %d", err, log.offset())
		}
	})
}

// TestLaneBegins where the group is, or is told to, and says what it cannot have.
func TestLaneBegins(t *testing.T) {
	for _, c := range []struct {
		name      string
		committed int64
		latest    bool
		want      []string
		code      string
	}{
		{"a new group", -1, false, []string{"a10", "a11", "a12"}, ""},
		{"a new group from now on", -1, true, nil, ""},
		{"one that was here", 11, true, []string{"a11", "a12"}, ""},
		{"one behind the retention", 4, false, []string{"a10", "a11", "a12"}, ""},
		{"one beyond the end", 14, false, nil, "log_truncated"},
	} {
		synctest.Test(t, func(t *testing.T) {
			log, to := &scripted{start: 10, committed: c.committed}, &taker{}
			for i := range 3 {
				log.add(fmt.Sprintf("a%d", 10+i), time.Time{})
			}
			r := run(t, log, to, func(l *delivery.LaneConfig) { l.Latest = c.latest })
			<-time.After(time.Second)
			if diff := cmp.Diff(c.want, to.ids()); diff != "" {
				t.Errorf("%s:\n%s", c.name, diff)
			}
			if c.code != "" {
				var stop *pipeline.HardStop
				if err := <-r.ended; !errors.As(err, &stop) || stop.Code != c.code {
					t.Errorf("%s: %v", c.name, err)
				}
				return
			}
			if log.offset() != 13 {
				t.Errorf("%s: offset %d", c.name, log.offset())
			}
			if lost := strings.Contains(r.log.String(), `"from":4,"to":9`); lost != (c.committed == 4) {
				t.Errorf("%s: the log says\n%s", c.name, r.log)
			}
			r.stop(t)
		})
	}
}

// TestLaneUnderFailures: whatever fails at Kafka and at the destination, and however often the process is killed, each
// alert takes effect, in order, and none is given up before its time or both given up and committed past.
func TestLaneUnderFailures(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		n := rapid.IntRange(1, 12).Draw(rt, "alerts")
		expire := rapid.SliceOfN(rapid.IntRange(0, 3), n, n).Draw(rt, "expire")
		synctest.Test(t, func(t *testing.T) { underFailures(t, rt, rand.New(rand.NewPCG(seed, 0)), expire) })
	})
}

func underFailures(t *testing.T, rt *rapid.T, dice *rand.Rand, expire []int) {
	t.Helper()
	var mu sync.Mutex // of dice
	draw := func() float64 {
		mu.Lock()
		defer mu.Unlock()
		return dice.Float64()
	}
	chance := func(share float64) bool { return draw() < share }
	calm := false
	log, to := &scripted{committed: -1}, &taker{}
	expires := map[string]time.Time{}
	for i, e := range expire {
		id := fmt.Sprintf("a%02d", i)
		if e > 0 {
			expires[id] = time.Now().Add(time.Duration(e) * time.Minute)
		}
		log.add(id, expires[id])
	}
	log.fail = func(string) error {
		if calm || !chance(0.1) {
			return nil
		}
		log.lost = chance(0.5)
		return pipeline.ErrUnavailable
	}
	to.tell = func(_ int, id string) error {
		if at, ok := expires[id]; ok && !time.Now().Before(at) {
			rt.Errorf("%s is sent although it has expired", id)
		}
		if calm || !chance(0.7) {
			return nil
		}
		if chance(0.3) {
			to.took = append(to.took, id) // it took effect, and the answer was lost
		}
		return refuse(0)
	}
	for range 5 {
		r := run(t, log, to)
		<-time.After(time.Duration(60 * draw() * float64(time.Second)))
		if chance(0.5) {
			r.lose()
			_ = <-r.ended // of what it was killed in the middle of
		} else {
			r.stop(t)
		}
	}
	calm = true
	r := run(t, log, to)
	<-time.After(time.Hour)
	r.stop(t)
	judge(rt, log, to, expires)
}

// judge compares what took effect and what was given up with all alerts.
func judge(rt *rapid.T, log *scripted, to *taker, expires map[string]time.Time) {
	var effects []string
	for _, id := range to.took {
		if !slices.Contains(effects, id) {
			effects = append(effects, id)
		}
	}
	if !slices.IsSorted(effects) {
		rt.Errorf("the effects are out of order: %v", effects)
	}
	given := map[string]int{}
	for _, letter := range log.letters {
		id := string(letter.Value[7:10])
		given[id]++
		if _, ok := expires[id]; !ok {
			rt.Errorf("%s is given up, and never expires", id)
		}
	}
	for i := range log.records {
		id := fmt.Sprintf("a%02d", i)
		if !slices.Contains(effects, id) && given[id] == 0 {
			rt.Errorf("%s is missing", id)
		}
		if given[id] > 1 {
			rt.Errorf("%s is given up %d times", id, given[id])
		}
	}
	if log.offset() != log.end() {
		rt.Errorf("offset %d of %d", log.offset(), log.end())
	}
}
