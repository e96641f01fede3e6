//go:build integration

package linetest_test

import (
	"slices"
	"strings"
	"testing"
)

// TestControlTopicOfBefore: a group whose control records stand in the topic that all groups shared goes on there,
// moves to its own once that is created, and a rebuild finds its history in both.
func TestControlTopicOfBefore(t *testing.T) {
	t.Parallel()
	const shared = "ebb.control"
	w := newWorld(t, 2)
	w.create(4, shared)
	log := events("shop", 1, shop(14, 1_000, 700))
	parts := slices.Collect(slices.Chunk(log, len(log)/3+1))
	g := w.group("run", redisAddress(), nil)
	own := g.keys["kafka.control"]
	if _, err := g.admin.DeleteTopics(t.Context(), own); err != nil {
		t.Fatal(err)
	}
	flags := append(shopFlags(), "--until-end", "--leave")
	before := map[string]string{"kafka.control": shared}
	w.produce(parts[0])
	g.run(before, nil, flags...).finish()

	delete(g.keys, "kafka.control")
	w.produce(parts[1])
	p := g.run(nil, nil, flags...)
	p.finish()
	p.says("the group's own topic of control records does not exist", shared)
	if n := len(g.read(shared)); n == 0 {
		t.Fatal("no control records")
	}
	check := start(t, nil, "check", "-c", g.config(nil), "--create")
	check.wait()
	if !strings.Contains(check.stdout.String(), own+" created with 2 partitions") {
		t.Errorf("check does not create %s:\n%s", own, check.stdout.String())
	}
	w.produce(parts[2])
	lateness := map[string]string{"time.lateness": "1s"} // a change that has to be announced
	g.run(lateness, nil, flags...).finish()
	if n := len(g.read(own)); n == 0 {
		t.Error("nothing was written to the group's own topic")
	}
	rebuild := start(t, nil,
		append([]string{"rebuild", "-c", g.config(lateness), "--from", "earliest", "--yes"}, shopFlags()...)...)
	if s := rebuild.wait(); s.ExitStatus() != 0 {
		t.Fatalf("rebuild: %s", rebuild.stderr.String())
	}
	g.run(lateness, nil, flags...).finish()
	checkOnce(t, g.published())
}
