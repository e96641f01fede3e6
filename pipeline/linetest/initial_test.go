//go:build integration

package linetest_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"ebb/pipeline"
	"ebb/pipeline/linetest/oracle"
)

// TestInitialRate: what history has raised is released at the group's rate, by event time where that is ahead of our
// clock: no hour has more, also over a kill, and each partition releases in order of the priority that its raises had when
// history was over.
func TestInitialRate(t *testing.T) {
	t.Parallel()
	const partitions, perHour, step = 2, 24, 150 * time.Second
	w := newWorld(t, partitions)
	g := w.group("run", redisAddress(), map[string]string{
		"start.history": "first_start", "start.initial_per_hour": strconv.Itoa(perHour),
	})
	at := time.Now().Add(400 * 24 * time.Hour).Truncate(time.Minute)
	w.produce(stampedNow(events("shop", 1, waitingRows(at))))
	folded := func() bool {
		return !slices.ContainsFunc([]int{0, 1}, func(n int) bool { return g.meta(n).Next < w.ends()[n] })
	}
	flags := []string{"--horizon", "10d"}
	p := g.run(nil, nil, flags...)
	p.until("history is over", func() bool { return g.meta(0).First.Over && g.meta(1).First.Over })
	waiting := g.held()
	for n := 0; len(g.held()) > 0; n++ {
		if n > 200 {
			t.Fatalf("%d of %d wait after %v", len(g.held()), len(waiting), step*200)
		}
		if at = at.Add(step); n == 25 {
			p.signal(syscall.SIGKILL)
			p.wait()
			p = g.run(nil, nil, flags...)
		}
		w.produce(stampedNow(events("clock", n*partitions, clockRows(partitions, at))))
		p.until("the step is folded", folded)
	}
	p.until("all is published", func() bool { _, a := g.stored(0); _, b := g.stored(1); return a+b == 0 })
	leave(p)

	var released []time.Time // by the clock that counts
	for _, c := range g.controls() {
		for range c.Release.Count {
			released = append(released, time.UnixMilli(c.Release.At))
		}
	}
	checkRate(t, "releases", released, perHour)
	var raised []time.Time
	last, priorities := [partitions]int{1001, 1001}, map[int]bool{}
	for _, a := range g.published() {
		if !a.Initial || a.Transition != "raised" {
			continue
		}
		raised = append(raised, a.Time)
		n := oracle.Partition([]byte(a.Customer), partitions)
		if held, known := waiting[a.Customer]; known {
			if held.Priority > last[n] {
				t.Errorf("%s, of priority %d, is released after one of %d", a.Customer, held.Priority, last[n])
			}
			last[n], priorities[held.Priority] = held.Priority, true
		} else if last[n] != 1001 {
			t.Errorf("%s did not wait when history was over", a.Customer)
		}
	}
	checkRate(t, "initial alerts", raised, perHour)
	t.Logf("priorities %v", slices.Sorted(maps.Keys(priorities)))
	if len(raised) < len(waiting) || len(waiting) < 40 || len(priorities) < 2 {
		t.Errorf("%d initial alerts of %d raises that waited, of %d priorities", len(raised), len(waiting), len(priorities))
	}
}

// checkRate fails the test where an hour has more than the rate, or all of them together have far less.
func checkRate(t *testing.T, what string, at []time.Time, perHour int) {
	t.Helper()
	slices.SortFunc(at, time.Time.Compare)
	most := 0
	for i := range at {
		n := 0
		for ; i+n < len(at) && at[i+n].Before(at[i].Add(time.Hour)); n++ {
		}
		most = max(most, n)
	}
	took := at[len(at)-1].Sub(at[0])
	t.Logf("%d %s in %v of event time, at most %d in an hour", len(at), what, took, most)
	if most > perHour || took.Hours() > 1.5*float64(len(at))/float64(perHour) {
		t.Errorf("%d %s in %v, %d in one hour, at a rate of %d", len(at), what, took, most, perHour)
	}
}

// waitingRows is a log up to end of customers who come every day, and of others who stopped 5 to 15 days ago.
func waitingRows(end time.Time) (rows []row) {
	const day = 86_400
	r := rand.New(rand.NewPCG(27, 1))
	for c := range 120 {
		last := end.Unix()
		if c%2 == 0 {
			last -= 2*day + r.Int64N(15*day)
		}
		for t := end.Unix() - 40*day + r.Int64N(10*day); t < last; t += day/2 + r.Int64N(day) {
			rows = append(rows, row{nth(c), t, "visit"})
		}
	}
	rows = append(rows, clockRows(2, end)...)
	slices.SortStableFunc(rows, func(a, b row) int { return int(a.seconds - b.seconds) })
	return rows
}

// clockRows are events of one customer of each partition.
func clockRows(partitions int, at time.Time) (rows []row) {
	for c := 0; len(rows) < partitions; c++ {
		if name := fmt.Sprint("clock", c); oracle.Partition([]byte(name), partitions) == len(rows) {
			rows = append(rows, row{name, at.Unix(), "visit"})
		}
	}
	return rows
}

// stampedNow are records with timestamps of now: brokers refuse those of the future.
func stampedNow(records []record) []record {
	for i := range records {
		records[i].millis = time.Now().UnixMilli()
	}
	return records
}

// held is what waits in Redis to be released, by customer.
func (g *group) held() map[string]pipeline.Held {
	g.t.Helper()
	all := map[string]pipeline.Held{}
	for n := range g.partitions {
		entries, err := g.redis.HGetAll(g.t.Context(), g.key(n, "held")).Result()
		if err != nil {
			g.t.Fatal(err)
		}
		for key, value := range entries {
			h, err := pipeline.ReadHeld(pipeline.HeldEntry{Key: []byte(key), Value: []byte(value)})
			if err != nil {
				g.t.Fatal(err)
			}
			customer, _ := pipeline.SplitHeldKey(key)
			_, name := pipeline.SplitKey([]byte(customer))
			all[string(name)] = h
		}
	}
	return all
}
