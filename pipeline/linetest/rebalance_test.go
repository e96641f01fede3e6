//go:build integration

package linetest_test

import (
	"slices"
	"syscall"
	"testing"

	"ebb/pipeline/linetest/oracle"
)

// Members that join and leave while events flow share the work, and the alerts are those of one member that did
// everything.
func TestRebalance(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4)
	input := w.produce(events("shop", 1, shop(6, 10_000, 700)))
	all := sum(w.ends())
	g := w.group("run", redisAddress(), map[string]string{"batch.max_bytes": "64KiB", "input.max_record_bytes": "16KiB"})
	member := func(name string) *process {
		return g.run(map[string]string{"kafka.instance_id": name}, nil, append(shopFlags(), "--leave")...)
	}
	past := func(p *process, tenths int64) { g.past(p, all*tenths/10) }

	first := member("first")
	past(first, 1)
	second := member("second")
	second.says("partition taken over")
	third := member("third")
	past(second, 3)
	leave(first)
	past(second, 5)
	first = member("first")
	third.says("partition taken over")
	leave(second)
	first.until("everything is processed", func() bool { return slices.Equal(g.committed(), w.ends()) })
	leave(first)
	leave(third)

	alerts := g.published()
	checkOnce(t, alerts)
	checkFold(t, oracle.Fold(input, shopSettings()).Alerts, alerts)
}

// leave ends a member by SIGTERM, which must make it exit with 0.
func leave(p *process) {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	if s := p.wait(); s.ExitStatus() != 0 {
		p.t.Errorf("status %d after SIGTERM:\n%s", s.ExitStatus(), tail(p.stderr.String(), 20))
	}
}

// The program waits for a broker and a Redis that are killed and come back; nothing is lost and nothing doubled.
func TestServersRestarted(t *testing.T) {
	t.Parallel()
	kafka, redis := newKafka(t), newRedis(t)
	w := newWorldAt(t, kafka.address, 2)
	parts := slices.Collect(slices.Chunk(events("shop", 1, shop(7, 2_000, 700)), 30_000))
	g := w.group("run", redis.address, map[string]string{"batch.max_bytes": "64KiB", "input.max_record_bytes": "16KiB"})
	p := g.run(nil, nil, shopFlags()...)
	input := make([][]oracle.Record, 2)
	for i, part := range parts {
		input = join(input, w.produce(part))
		if i == 0 {
			kafka.restart()
		} else if i == 1 {
			redis.do("redis-cli", "save") // later writes are lost
			redis.restart()
		}
	}
	p.until("everything is processed", func() bool { return slices.Equal(g.committed(), w.ends()) })
	leave(p)

	alerts := g.published()
	checkOnce(t, alerts)
	checkFold(t, oracle.Fold(input, shopSettings()).Alerts, alerts)
}
