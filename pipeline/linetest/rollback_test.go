//go:build integration

package linetest_test

import (
	"slices"
	"syscall"
	"testing"

	"ebb/pipeline/linetest/oracle"
)

// Redis loses acknowledged writes while Kafka is ahead of it: once under a running program, once while it is down. The
// alerts are those of an undisturbed run, and none is published twice.
func TestRedisRolledBack(t *testing.T) {
	t.Parallel()
	own := newRedis(t)
	w := newWorld(t, 4)
	log := poisoned(events("shop", 1, shop(2, 3_000, 700)))
	parts := slices.Collect(slices.Chunk(log, (len(log)+3)/4))
	g := w.group("run", own.address, map[string]string{"batch.max_bytes": "64KiB", "input.max_record_bytes": "16KiB"})
	processed := func() bool { return slices.Equal(g.committed(), w.ends()) }

	input := w.produce(parts[0])
	p := g.run(nil, nil, shopFlags()...)
	p.until("the first part is processed", processed)
	own.keep()
	input = join(input, w.produce(parts[1]))
	p.until("the second part is processed", processed)

	own.putBack()
	input = join(input, w.produce(parts[2]))
	p.says("partition taken over", `"rewinding":true`)
	p.until("the third part is processed", processed)

	p.signal(syscall.SIGKILL)
	p.wait()
	own.putBack()
	input = join(input, w.produce(parts[3]))
	again := g.run(nil, nil, append(shopFlags(), "--until-end", "--leave")...)
	again.finish()
	again.says("partition taken over", `"rewinding":true`)

	got := g.published()
	checkOnce(t, got)
	want := oracle.Fold(input, shopSettings())
	g.checkQuarantine(want.Quarantined)
	g.reset()
	g.run(nil, nil, append(shopFlags(), "--until-end")...).finish()
	undisturbed := g.published()
	checkSame(t, undisturbed, got)
	checkFold(t, want.Alerts, undisturbed)
}
