//go:build integration

package linetest_test

import (
	"fmt"
	"slices"
	"testing"

	"ebb/pipeline/linetest/oracle"
	"ebb/scoring/profile"
)

// Two members are upgraded one after the other while events flow, to a made-up build with one more format. As long as
// one of them is of the build before, the other writes a format that it can read. Then both write the newest. The
// alerts are those of one build that did everything.
func TestRollingUpgrade(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4)
	all := events("shop", 1, shop(8, 10_000, 700))
	parts := slices.Collect(slices.Chunk(all, (len(all)+2)/3))
	g := w.group("run", redisAddress(), map[string]string{"batch.max_bytes": "64KiB", "input.max_record_bytes": "16KiB"})
	member := func(name string, variables ...string) *process {
		return g.run(map[string]string{"kafka.instance_id": name}, variables, shopFlags()...)
	}
	newer := fmt.Sprintf("EBB_TEST_FORMAT=%d", profile.Format+1)

	input := w.produce(parts[0])
	first, second := member("first"), member("second")
	g.past(first, sum(w.ends())/5)
	leave(first)
	first = member("first", newer)
	first.says("joined group", fmt.Sprintf(`"format":%d`, profile.Format))
	input = join(input, w.produce(parts[1]))
	first.until("it is processed", func() bool { return slices.Equal(g.committed(), w.ends()) })
	leave(second)
	second = member("second", newer)
	second.says("joined group", fmt.Sprintf(`"format":%d`, profile.Format+1))
	input = join(input, w.produce(parts[2]))
	first.until("everything is processed", func() bool { return slices.Equal(g.committed(), w.ends()) })
	leave(first)
	leave(second)

	alerts := g.published()
	checkOnce(t, alerts)
	checkFold(t, oracle.Fold(input, shopSettings()).Alerts, alerts)
}
