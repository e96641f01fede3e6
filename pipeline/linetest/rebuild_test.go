//go:build integration

package linetest_test

import (
	"slices"
	"testing"

	"ebb/pipeline/linetest/oracle"
)

// Lost state is a hard stop. After a rebuild from the input, the group goes on as if nothing had happened.
func TestRebuild(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	parts := slices.Collect(slices.Chunk(events("shop", 1, shop(8, 2_000, 700)), 40_000))
	g := w.group("run", redisAddress(), nil)
	flags := append(shopFlags(), "--until-end", "--leave")
	input := w.produce(parts[0])
	g.run(nil, nil, flags...).finish()
	for key := range g.state(t.Context()) {
		g.redis.Del(t.Context(), key)
	}
	if s := g.run(nil, nil, flags...).wait(); s.ExitStatus() != 3 {
		t.Fatalf("exit status %d without state, want 3", s.ExitStatus())
	}

	rebuild := start(
		t,
		nil,
		append([]string{"rebuild", "-c", g.config(nil), "--from", "earliest", "--yes"}, shopFlags()...)...)
	if s := rebuild.wait(); s.ExitStatus() != 0 {
		t.Fatalf("rebuild: exit status %d\n%s", s.ExitStatus(), rebuild.stderr.String())
	}
	for _, part := range parts[1:] {
		input = join(input, w.produce(part))
	}
	g.run(nil, nil, flags...).finish()
	alerts := g.published()
	checkOnce(t, alerts)
	checkFold(t, oracle.Fold(input, shopSettings()).Alerts, alerts)
}
