//go:build integration

package linetest_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// packText is a pack of the shop. Its newer version has another horizon and drops what the older one keeps.
func packText(version string) string {
	text := "name: shop\nversion: \"" + version + "\"\nhorizon: 60d\nactivity: [visit]\nfriction: {complaint: 1}\n"
	if version != "1" {
		text = strings.Replace(
			text,
			"60d",
			"30d",
			1,
		) + "signals:\n  visit: {types: [visit]}\nfeatures:\n  visits: {kind: count, of: visit, within: 30d}\n" +
			"factors:\n  - {code: not_activated, feature: visits, curve: [[0, 0.3], [5, 0]]}\n"
	}
	return text
}

// The pack's file changes under a running program, first into nonsense, then into a newer version. Redis loses all of
// that while Kafka keeps it, twice; in the end the state is emptied and rebuilt. Nothing is published twice, and the
// rebuilt state is the one that was never lost.
func TestPackReloaded(t *testing.T) {
	t.Parallel()
	own := newRedis(t)
	w := newWorld(t, 2)
	file := filepath.Join(t.TempDir(), "shop.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(packText("1"))
	parts := slices.Collect(slices.Chunk(events("shop", 1, shop(7, 1_000, 500)), 10_000))
	g := w.group(
		"run",
		own.address,
		map[string]string{"pack": file, "batch.max_bytes": "64KiB", "input.max_record_bytes": "16KiB"},
	)
	processed := func() bool { return slices.Equal(g.committed(), w.ends()) }

	w.produce(parts[0])
	p := g.run(nil, nil)
	p.until("the first part is processed", processed)
	own.keep()
	write("name: shop\nhorizon: soon\n")
	p.signal(syscall.SIGHUP)
	p.says("the pack of before stays", "horizon")
	write(packText("2"))
	p.signal(syscall.SIGHUP)
	p.says("pack loaded anew")
	w.produce(parts[1])
	p.until("the second part is processed", processed)
	before := g.published()
	if used := packsOf(before); len(used) != 2 {
		t.Fatalf("alerts by version of the pack: %v", used)
	}

	own.putBack()
	w.produce(parts[2])
	p.says("partition taken over", `"rewinding":true`)
	p.until("the third part is processed", processed)
	p.signal(syscall.SIGKILL)
	p.wait()
	own.putBack()
	write(packText("1")) // a member without the newer one goes on with it nevertheless
	for _, part := range parts[3:] {
		w.produce(part)
	}
	again := g.run(nil, nil, "--until-end", "--leave")
	again.finish()
	again.says("the configured pack does not apply", "not_newer")
	after := g.published()
	checkOnce(t, after)
	if used := packsOf(after); used["1"] == 0 || used["2"] <= packsOf(before)["2"] {
		t.Errorf("alerts by version of the pack: %v, then %v", packsOf(before), used)
	}

	lived := g.profiles()
	rebuild := start(t, nil, "rebuild", "-c", g.config(nil), "--from", "earliest", "--yes")
	if s := rebuild.wait(); s.ExitStatus() != 0 {
		t.Fatalf("rebuild: exit status %d\n%s", s.ExitStatus(), rebuild.stderr.String())
	}
	g.run(nil, nil, "--until-end", "--leave").finish()
	if n := len(g.published()); n != len(after) {
		t.Errorf("%d alerts after the rebuild, %d before", n, len(after))
	}
	if rebuilt := g.profiles(); len(lived) < 500 || !maps.Equal(lived, rebuilt) {
		t.Errorf("%d profiles, %d once rebuilt, and they differ", len(lived), len(rebuilt))
	}
}

// packsOf counts alerts by the version of their pack.
func packsOf(alerts []alert) map[string]int {
	n := map[string]int{}
	for i := range alerts {
		n[alerts[i].Pack.Version]++
	}
	return n
}

// profiles are the customers' states, by partition and key.
func (g *group) profiles() map[string]string {
	g.t.Helper()
	all := map[string]string{}
	for n := range g.partitions {
		fields, err := g.redis.HGetAll(g.t.Context(), g.key(n, "profiles")).Result()
		if err != nil {
			g.t.Fatal(err)
		}
		for key, v := range fields {
			all[fmt.Sprint(n, " ", key)] = v
		}
	}
	return all
}
