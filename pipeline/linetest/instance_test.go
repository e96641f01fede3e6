//go:build integration

package linetest_test

import (
	"strings"
	"testing"
)

// TestInstanceTaken: of two processes under one instance id the later one waits and says so once, and goes on when the
// earlier one has left.
func TestInstanceTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	w.produce(events("shop", 1, shop(6, 200, 200)))
	g := w.group("run", redisAddress(), nil)
	first := g.run(nil, nil, shopFlags()...)
	first.until("the input is processed", func() bool { return sum(g.committed()) == sum(w.ends()) })
	second := g.run(nil, nil, shopFlags()...)
	second.says("waiting for it to leave", "instance_id_taken", "kafka.instance_id")
	w.produce(events("shop", 100_000, shop(6, 200, 200)))
	first.until("the first works on", func() bool { return sum(g.committed()) == sum(w.ends()) })
	leave(first)
	w.produce(events("shop", 200_000, shop(6, 200, 200)))
	second.until("the second goes on", func() bool { return sum(g.committed()) == sum(w.ends()) })
	if n := strings.Count(second.stderr.String(), "waiting for it to leave"); n != 1 {
		t.Errorf("said %d times", n)
	}
	leave(second)
	checkOnce(t, g.published())
}
