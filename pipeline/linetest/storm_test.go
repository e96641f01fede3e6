//go:build integration

package linetest_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestStorm has customers fall due together, in two partitions, as when a feed breaks, and kills the processor nine times.
// Fifty are raised in a partition and hour, the others once they are reviewed; each is raised once, nobody else is, and a
// replay decides all of it again.
func TestStorm(t *testing.T) {
	t.Parallel()
	type kill struct {
		step string
		at   int64
	}
	const leavers, regulars, limit = 600, 60, 50
	w := newWorld(t, 2)
	rows := leavingTogether(leavers, regulars)
	w.produce(events("storm", 1, rows))
	g := w.group("run", redisAddress(), map[string]string{"storm.breaker": `"on"`, "batch.max_bytes": "64KiB"})
	flags := []string{"--until-end", "--leave", "--horizon", "10d"}
	end := slices.Min(w.ends())
	for _, k := range []kill{
		{"commit", 1},
		{"init", 0},
		{"publish", end / 2},
		{"commit", end * 2 / 3},
		{"claim", 0},
		{"publish", end * 3 / 4},
		{"position", 0},
		{"publish", end * 9 / 10},
		{"commit", end},
	} {
		p := g.run(nil, []string{fmt.Sprintf("EBB_TEST_KILL=%s %d", k.step, k.at)}, flags...)
		if s := p.wait(); s.Signal() != syscall.SIGKILL {
			t.Fatalf("%+v: ended with status %d instead", k, s.ExitStatus())
		}
	}
	g.run(nil, nil, flags...).finish()
	all := g.published()
	checkOnce(t, all)
	raised, atOnce, held := map[string]int{}, map[string]int{}, 0
	for _, a := range all {
		if a.Transition != "raised" {
			continue
		}
		if raised[a.Customer]++; a.HeldFor >= 3600 {
			held++
		} else {
			atOnce[fmt.Sprint(a.partition, " ", a.Time.Format("01-02 15"))]++
		}
	}
	want := map[string]int{}
	for n := range leavers {
		want[fmt.Sprint("leaver", n)] = 1
	}
	if diff := cmp.Diff(want, raised); diff != "" {
		t.Errorf("raised (-want +got):\n%s", diff)
	}
	for hour, n := range atOnce {
		if n > limit {
			t.Errorf("%d are raised at once in partition and hour %s", n, hour)
		}
	}
	if held < leavers/2 {
		t.Errorf("%d were held", held)
	}
	if n := checkLedger(t, g.decisions(), all, 0); n["held"] != held || n["released"] != held || n["withheld"] == 0 {
		t.Errorf("the ledger has %v", n)
	}
	if s := start(t, nil, "replay", "-c", g.config(nil), "--horizon", "10d").wait(); s.ExitStatus() != 0 {
		t.Errorf("a replay ends with %d", s.ExitStatus())
	}
}

// leavingTogether is a log of leavers, who come daily about nine and cease after nine days, and of regulars, who go on.
func leavingTogether(leavers, regulars int) (rows []row) {
	const day, begin = 86_400, 1_767_225_600 // 2026-01-01
	r := rand.New(rand.NewPCG(30, 1))
	for n := range leavers {
		for d := range int64(9) {
			rows = append(rows, row{fmt.Sprint("leaver", n), begin + d*day + 9*3600 + r.Int64N(600), "visit"})
		}
	}
	for n := range regulars {
		for d := range int64(20) {
			rows = append(rows, row{fmt.Sprint("regular", n), begin + d*day + int64(n*day/regulars) + r.Int64N(600), "visit"})
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int { return int(a.seconds - b.seconds) })
	return rows
}
