//go:build integration && reference

package linetest_test

import (
	"fmt"
	"slices"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ebb/pipeline/linetest/oracle"
)

// TestFirstStart starts a group on the whole of a public log. Nothing is raised while it is folded; then exactly those
// are whose lapse is open at the end by the executable specification, but for those silent for more than two horizons.
// Killed twelve times, two of them behind the boundary, it publishes the same.
func TestFirstStart(t *testing.T) {
	t.Parallel()
	const partitions, horizonDays = 4, 90
	rows := publicLog(t, "online_retail")
	w := newWorld(t, partitions)
	w.produce(events("online_retail.csv.gz", 2, rows))
	want, gone := openAtTheEnd(t, rows, partitions, 2*horizonDays*86_400)
	flags := []string{"--until-end", "--leave", "--activity", "purchase", "--horizon", "90d"}
	keys := map[string]string{"start.history": "first_start", "start.initial_per_hour": "1_000_000"}

	g := w.group("run", redisAddress(), keys)
	end := slices.Min(w.ends())
	kills := append(schedule(killSeed, end), kill{Step: "commit", At: end}, kill{Step: "publish", At: end})
	for i := range kills {
		k := &kills[i]
		p := g.run(nil, []string{fmt.Sprintf("EBB_TEST_KILL=%s %d", k.Step, k.At)}, flags...)
		if s := p.wait(); s.Signal() != syscall.SIGKILL {
			t.Fatalf("kill %d %+v: ended with status %d instead", i, *k, s.ExitStatus())
		}
	}
	g.run(nil, nil, flags...).finish()
	killed := g.published()

	g.reset()
	s := g.run(nil, nil, flags...).finish()
	calm := g.published()
	checkOnce(t, killed)
	checkSame(t, calm, killed)
	got := map[string]string{}
	for _, a := range calm {
		if !a.Initial || a.Transition != "raised" || a.Sequence != 1 {
			t.Errorf("%s is %s, sequence %d, initial %v", a.Customer, a.Transition, a.Sequence, a.Initial)
		}
		got[a.Customer] = a.Tier
	}
	if diff := cmp.Diff(want, got); diff != "" || len(want) < 100 || gone < 100 {
		t.Errorf("of %d open lapses, and %d gone ones: %s", len(want), gone, diff)
	}
	if s.Alerts != len(want) || s.Events != len(rows) {
		t.Errorf("summary %+v", s)
	}
}

// openAtTheEnd is the tier of each customer whose lapse is open at the end of the log by the specification, and how many
// more there are who have been silent for longer than gone seconds by then.
func openAtTheEnd(t *testing.T, rows []row, partitions int, gone int64) (open map[string]string, more int) {
	t.Helper()
	newest, last := make([]int64, partitions), map[string]int64{}
	for _, r := range rows {
		p := oracle.Partition([]byte(r.customer), partitions)
		newest[p] = max(newest[p], r.seconds)
		if r.kind == "purchase" {
			last[r.customer] = r.seconds
		}
	}
	open = map[string]string{}
	for _, f := range shared(t, fmt.Sprintf("reference/lapse3_online_retail_%d.csv.gz", partitions)) {
		if open[f[0]] = f[2]; f[1] == "recovered" {
			delete(open, f[0])
		}
	}
	for customer := range open {
		if newest[oracle.Partition([]byte(customer), partitions)]-last[customer] > gone {
			delete(open, customer)
			more++
		}
	}
	return open, more
}
