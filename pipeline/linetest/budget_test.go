//go:build integration

package linetest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
)

// budgetPack is a pack in which each raise of a lapse is for the owner crm.
const budgetPack = `{name: any, version: "2", horizon: 10d, overdue: 0.5, tiers: {watch: 40, at_risk: 60, critical: 80},
raise: {regular: watch}, activity: ["*"], friction: {}, playbooks: [
{when: {kind: lapse}, mid: {id: write, intent: content, owner: crm, respond_within: 1d}}]}
`

// TestBudget has four partitions share a budget of four raises on the first day and seven from then on, while sixty customers
// fall due. The processor is killed, what is shared is lost, and Redis goes back to an older copy. No day has more than its
// budget, each full day has all of it, each customer is raised once, and a replay decides all of it again.
func TestBudget(t *testing.T) {
	t.Parallel()
	const leavers, regulars, steps = 60, 40, 36
	const begin, day = 1_767_225_600, 86_400 // 2026-01-01
	w := newWorld(t, 4)
	file := filepath.Join(t.TempDir(), "pack.yaml")
	if err := os.WriteFile(file, []byte(budgetPack), 0o600); err != nil {
		t.Fatal(err)
	}
	g := w.group("run", redisAddress(), map[string]string{"pack": file, "budgets": "{crm: {daily: [4, 7]}}"})
	var rows []row
	for n := range leavers {
		for d := range int64(9) {
			rows = append(rows, row{fmt.Sprint("leaver", n), begin + d*day + int64(n), "visit"})
		}
	}
	for n := range regulars {
		for d := range int64(10) {
			rows = append(rows, row{fmt.Sprint("regular", n), begin + d*day + 100 + int64(n), "visit"})
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int { return int(a.seconds - b.seconds) })
	w.produce(events("budget", 1, rows))
	p := g.run(nil, nil)
	kill := func() {
		p.signal(syscall.SIGKILL)
		p.wait()
	}
	var older map[string]string
	n := len(rows)
	for step := range int64(steps) {
		rows = rows[:0]
		for c := range regulars {
			rows = append(rows, row{fmt.Sprint("regular", c), begin + 10*day + step*2*3600 + int64(c), "visit"})
		}
		w.produce(events("budget", 1+n, rows))
		n += len(rows)
		p.until("everything is processed", func() bool { return slices.Equal(g.committed(), w.ends()) })
		<-time.After(3 * time.Second) // partitions report, one grants, all release
		switch step {
		case 5, 17:
			kill()
			p = g.run(nil, nil)
		case 9:
			g.redis.Del(t.Context(), g.pool(t))
		case 13:
			kill()
			older = g.state(t.Context())
			p = g.run(nil, nil)
		case 21:
			kill()
			g.restore(older)
			p = g.run(nil, nil)
		}
	}
	leave(p)

	all := g.published()
	checkOnce(t, all)
	days, partitions, raised := map[string]int{}, map[int32]int{}, map[string]int{}
	for _, a := range all {
		if a.Transition != "raised" {
			continue
		}
		days[a.Time.Format(time.DateOnly)]++
		partitions[a.partition]++
		if raised[a.Customer]++; raised[a.Customer] > 1 || a.HeldFor == 0 {
			t.Errorf("%s is raised %d times, held for %d s", a.Customer, raised[a.Customer], a.HeldFor)
		}
	}
	t.Logf("raised by day %v, by partition %v", days, partitions)
	sent, full := 0, 0
	for i, date := range []string{"2026-01-11", "2026-01-12", "2026-01-13"} {
		most := []int{4, 7, 7}[i]
		if days[date] > most {
			t.Errorf("%s has %d raises of %d", date, days[date], most)
		}
		if days[date] == most {
			full++
		}
		sent += days[date]
	}
	if sent != len(raised) || full < 2 {
		t.Errorf("%d raised on the days of the log, of %d", sent, len(raised))
	}
	if s := start(t, nil, "replay", "-c", g.config(nil)).wait(); s.ExitStatus() != 0 {
		t.Errorf("a replay ends with %d", s.ExitStatus())
	}
}

// pool is the key of what the partitions share.
func (g *group) pool(t *testing.T) string {
	t.Helper()
	keys, err := g.redis.Keys(t.Context(), "ebb:{"+g.name+":pool}:*").Result()
	if err != nil || len(keys) != 1 {
		t.Fatalf("what is shared: %q, %v", keys, err)
	}
	return keys[0]
}
