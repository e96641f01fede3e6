//go:build integration

package linetest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/pipeline/linetest/oracle"
	"ebb/pipeline/linetest/services"
)

// idling is how large TestIdlePartitions is, and how long its parts last. The defaults are those of CI, with a minute of
// deadlines before the outage and one in it. EBB_TEST_IDLE=full, as "task test:idle" sets it, is 200,000 customers, of whom
// 20,000 cross 2 to 5 minutes after the end of the log, and a broker that is stopped for 5 minutes in the middle of that.
type idling struct {
	customers, leavers     int
	ready                  time.Duration // from the finished log to a minute after its end: it is produced by then
	first, last            time.Duration // from its end to the crossings
	outageFrom, outageFor  time.Duration // from there
	lateness, idle, within time.Duration
}

func idlingOf() idling {
	if services.Setting("EBB_TEST_IDLE", "") == "full" {
		return idling{
			customers: 200_000, leavers: 20_000, ready: 4 * time.Minute, first: 2 * time.Minute, last: 5 * time.Minute,
			outageFrom: 3 * time.Minute, outageFor: 5 * time.Minute,
			lateness: 5 * time.Second, idle: 30 * time.Second, within: time.Minute,
		}
	}
	return idling{
		customers: 3_000, leavers: 300, ready: 15 * time.Second, first: 40 * time.Second, last: 110 * time.Second,
		outageFrom: 112 * time.Second, outageFor: 25 * time.Second,
		lateness: 5 * time.Second, idle: 10 * time.Second, within: 30 * time.Second,
	}
}

// Customers cross a threshold after the end of the log, in three partitions, and nothing is produced any more: each gets
// its alert within a minute of its deadline, and nobody else does. While the broker is stopped no alert comes, and
// afterwards all of them.
func TestIdlePartitions(t *testing.T) {
	size := idlingOf()
	kafka, pause, resume := pausable(t)
	w := newWorldAt(t, kafka, 3)
	settings := oracle.Settings{Horizon: 10, Lateness: size.lateness}
	aimedAt := time.Now().Truncate(time.Minute)
	rows := leaving(size, settings, aimedAt)
	end := time.Now().Add(size.ready - time.Second).Truncate(time.Minute) // so a minute after it is still to come
	for i := range rows {
		rows[i].seconds += end.Unix() - aimedAt.Unix()
	}
	g := w.group("run", redisAddress(), map[string]string{
		"time.lateness": size.lateness.String(), "time.idle": size.idle.String(),
	})
	input := w.produce(events("shop", 1, rows))
	seen := g.follow()
	p := g.run(nil, nil, "--horizon", "10d")
	p.until("the log is processed", func() bool { return slices.Equal(g.committed(), w.ends()) })
	if late := time.Since(end.Add(max(size.first, time.Minute))); late > 0 {
		t.Fatalf("processed %v after the first deadline: it takes a longer idling.ready", late)
	}
	until := end.Add(size.last + time.Minute).Truncate(time.Minute)
	want := foldUntil(input, settings, until)

	<-time.After(time.Until(end.Add(size.outageFrom)))
	pause()
	out := [2]time.Time{time.Now(), time.Now().Add(size.outageFor)}
	<-time.After(time.Until(out[1]))
	resume()
	back := out[1].Add(size.idle + 20*time.Second) // until the broker answers and the partitions are taken over
	late := later(back, until.Add(size.lateness)).Add(size.within)
	for seen.upTo(until) < len(want) && time.Now().Before(late) {
		<-time.After(100 * time.Millisecond)
	}

	var got []alert
	for _, a := range g.published() {
		if !a.Time.After(until) {
			got = append(got, a)
		}
	}
	checkOnce(t, got)
	checkFold(t, want, got)
	checkPrompt(t, size, end, back, got, seen.stop())
	leave(p)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// checkPrompt fails the test where an alert after the end of the log came before its deadline, less the lateness, or later
// than within of it, or of the broker's return.
func checkPrompt(t *testing.T, size idling, end, back time.Time, got []alert, arrivals map[string]time.Time) {
	t.Helper()
	crossed, early, late := 0, 0, 0
	var worst time.Duration
	for _, a := range got {
		if !a.Time.After(end) {
			continue
		}
		crossed++
		at, known := arrivals[a.ID]
		due := a.Time.Add(size.lateness)
		switch {
		case !known:
			t.Errorf("alert %s was not seen to arrive", a.ID)
		case at.Before(due):
			early++
		case due.Before(back) && due.After(back.Add(-size.outageFor-size.idle-20*time.Second-size.within)):
			late += bit(at.After(later(back, due).Add(size.within)))
		default:
			worst = max(worst, at.Sub(due))
			late += bit(at.After(due.Add(size.within)))
		}
	}
	t.Logf(
		"%d leavers, crossing from %v to %v after the end of the log, the broker stopped for %v",
		size.leavers,
		size.first,
		size.last,
		size.outageFor,
	)
	t.Logf("%d alerts after the end of the log, outside of the outage at most %v after their deadline", crossed, worst)
	if crossed < size.leavers*3/4 || early+late > 0 {
		t.Errorf("%d alerts after the end of the log, %d too early, %d too late", crossed, early, late)
	}
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// leaving makes a log that ends at end: customers who visit every day or two, the last ones until then, and leavers, who
// have stayed away for so long that they cross soon after it.
func leaving(size idling, settings oracle.Settings, end time.Time) []row {
	r := rand.New(rand.NewPCG(26, 1))
	all := make([]visitor, size.customers)
	for c := range all {
		v := &all[c]
		v.name = nth(c)
		t := end.Unix() - r.Int64N(86_400)
		for range 5 + r.IntN(3) {
			v.times = append(v.times, t)
			t -= 43_200 + r.Int64N(86_400)
		}
		slices.Reverse(v.times)
		if c < size.leavers {
			spread := int64((size.last - size.first).Seconds())
			v.raised = end.Add(size.first).Unix() + r.Int64N(spread)
			v.shift(-3 * 86_400)
		}
	}
	return aimed(all, 3, settings, end.Add(8*24*time.Hour))
}

// visitor is a customer of a log.
type visitor struct {
	name   string
	times  []int64 // of its visits, s
	raised int64   // when it is to be raised; 0: whenever
}

func (v *visitor) shift(by int64) {
	for i := range v.times {
		v.times[i] += by
	}
}

// aimed are the visits of all, moved so that each visitor is raised when it is to be. By how much is found by trying.
func aimed(all []visitor, partitions int, settings oracle.Settings, until time.Time) []row {
	for range 3 {
		raised := map[string]int64{} // when each was last raised
		for _, a := range foldUntil(keyed(rowsOf(all), partitions), settings, until) {
			if a.Transition == "raised" {
				raised[a.Customer] = a.Seconds
			}
		}
		for i := range all {
			if v := &all[i]; v.raised != 0 && raised[v.name] != 0 {
				v.shift(v.raised - raised[v.name])
			}
		}
	}
	return rowsOf(all)
}

func nth(c int) string { return fmt.Sprintf("c%06d", c) }

func rowsOf(all []visitor) (rows []row) {
	for i := range all {
		for _, t := range all[i].times {
			rows = append(rows, row{all[i].name, t, "visit"})
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int { return int(a.seconds - b.seconds) })
	return rows
}

// keyed are rows as partitions hold them.
func keyed(rows []row, n int) [][]oracle.Record {
	partitions := make([][]oracle.Record, n)
	for _, r := range events("shop", 1, rows) {
		n := oracle.Partition([]byte(r.key), len(partitions))
		partitions[n] = append(partitions[n], oracle.Record{Offset: int64(len(partitions[n])), Value: r.value})
	}
	return partitions
}

// foldUntil is what the log leads to by an instant: a stranger's events in each partition say what time it is, twice a day,
// since one alone moves nothing by more than a day.
func foldUntil(input [][]oracle.Record, settings oracle.Settings, until time.Time) (alerts []oracle.Alert) {
	ticking := make([][]oracle.Record, len(input))
	for i := range input {
		ticking[i] = slices.Clone(input[i])
		for n := range int64(20) {
			at := until.Unix() + int64(settings.Lateness.Seconds()) - (19-n)*43_200
			tick := events("tick", int(n), []row{{"stranger", at, "visit"}})[0].value
			ticking[i] = append(ticking[i], oracle.Record{Offset: int64(len(ticking[i])), Value: tick})
		}
	}
	for _, a := range oracle.Fold(ticking, settings).Alerts {
		if a.Seconds <= until.Unix() && a.Customer != "stranger" {
			alerts = append(alerts, a)
		}
	}
	return alerts
}

// arrivals are a group's alerts as they come.
type arrivals struct {
	mu    sync.Mutex
	at    map[string]time.Time // when each was seen
	times []time.Time          // of the alerts
	end   func()
}

// follow reads the group's alerts as they come, until stop.
func (g *group) follow() *arrivals {
	g.t.Helper()
	cl, err := kgo.NewClient(
		kgo.SeedBrokers(g.kafka), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeTopics(g.alerts),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	)
	if err != nil {
		g.t.Fatal(err)
	}
	var reading sync.WaitGroup
	ctx, cancel := context.WithCancel(g.t.Context())
	seen := &arrivals{at: map[string]time.Time{}, end: func() { cancel(); reading.Wait(); cl.Close() }}
	reading.Go(func() {
		for ctx.Err() == nil {
			cl.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
				var a alert
				if json.Unmarshal(r.Value, &a) == nil {
					seen.mu.Lock()
					seen.at[a.ID], seen.times = time.Now(), append(seen.times, a.Time)
					seen.mu.Unlock()
				}
			})
		}
	})
	return seen
}

// upTo is how many alerts up to an event time have come.
func (s *arrivals) upTo(t time.Time) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, at := range s.times {
		n += bit(!at.After(t))
	}
	return n
}

// stop ends the reading, and returns when each alert was seen.
func (s *arrivals) stop() map[string]time.Time {
	s.end()
	return s.at
}

// pausable is a broker that a test may stop and let go on: where EBB_TEST_KAFKA_PID names its process, the shared one, for
// a test that runs alone; else one of its own.
func pausable(t *testing.T) (address string, pause, resume func()) {
	t.Helper()
	if text := os.Getenv("EBB_TEST_KAFKA_PID"); text != "" {
		pid, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		send := func(s syscall.Signal) func() {
			return func() {
				if err := syscall.Kill(pid, s); err != nil {
					t.Error(err)
				}
			}
		}
		t.Cleanup(send(syscall.SIGCONT))
		return kafkaAddress(), send(syscall.SIGSTOP), send(syscall.SIGCONT)
	}
	s := newKafka(t)
	return s.address, s.pause, s.unpause
}
