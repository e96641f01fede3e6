//go:build integration

package linetest_test

import (
	"fmt"
	"slices"
	"testing"

	"ebb/pipeline/linetest/oracle"
	"ebb/scoring"
)

// Two members are upgraded one after the other while events flow. As long as one of them is of the version before, the other
// writes what it can read; then both write the newest. The alerts are those of one version that did it all.
func TestRollingUpgrade(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4)
	all := events("shop", 1, shop(8, 10_000, 700))
	parts := slices.Collect(slices.Chunk(all, (len(all)+2)/3))
	g := w.group("run", redisAddress(), map[string]string{"batch.max_bytes": "64KiB", "input.max_record_bytes": "16KiB"})
	member := func(name string, variables ...string) *process {
		return g.run(map[string]string{"kafka.instance_id": name}, variables, shopFlags()...)
	}
	older := fmt.Sprintf("EBB_TEST_FORMAT=%d", scoring.OldestProfile)

	input := w.produce(parts[0])
	first, second := member("first", older), member("second", older)
	g.past(first, sum(w.ends())/5)
	leave(first)
	first = member("first")
	first.says("joined group", fmt.Sprintf(`"format":%d`, scoring.OldestProfile))
	input = join(input, w.produce(parts[1]))
	first.until("it is processed", func() bool { return slices.Equal(g.committed(), w.ends()) })
	if found := g.versions(); found[scoring.OldestProfile] == 0 || len(found) != 1 {
		t.Errorf("profiles by version while one member is of the version before: %v", found)
	}
	leave(second)
	second = member("second")
	second.says("joined group", fmt.Sprintf(`"format":%d`, scoring.NewestProfile))
	input = join(input, w.produce(parts[2]))
	first.until("everything is processed", func() bool { return slices.Equal(g.committed(), w.ends()) })
	leave(first)
	leave(second)

	if found := g.versions(); found[scoring.NewestProfile] == 0 {
		t.Errorf("profiles by version when both members are of the newest: %v", found)
	}
	alerts := g.published()
	checkOnce(t, alerts)
	checkFold(t, oracle.Fold(input, shopSettings()).Alerts, alerts)
}

// versions counts the profiles in Redis by the version that they are written in.
func (g *group) versions() map[byte]int {
	g.t.Helper()
	found := map[byte]int{}
	for p := range g.partitions {
		profiles, err := g.redis.HVals(g.t.Context(), g.key(p, "profiles")).Result()
		if err != nil {
			g.t.Fatal(err)
		}
		for _, b := range profiles {
			found[b[0]]++
		}
	}
	return found
}
