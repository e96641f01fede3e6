//go:build integration

package linetest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shadowOf is a shadow of the group, for a reader of its state and its alerts.
func (g *group) shadowOf(name string) *group {
	s := *g
	s.name, s.alerts = g.name+".shadow."+name, g.shadowTopic()
	return &s
}

func (g *group) shadowTopic() string { return g.name + ".shadow" }

// wipe removes all of its state from Redis.
func (g *group) wipe() {
	ctx := context.Background()
	for key := range g.state(ctx) {
		g.redis.Del(ctx, key)
	}
}

// bySource are the records of one group among those of the shadows, in one order, without their source.
func (g *group) bySource(all []alert) (records []string) {
	source := fmt.Sprintf(" ce_source=%q", "/ebb/"+g.name+"/"+g.input)
	for i := range all {
		if strings.Contains(all[i].record, source) {
			records = append(records, strings.ReplaceAll(all[i].record, source, ""))
		}
	}
	slices.Sort(records)
	return records
}

// Two shadows run beside the main processor, which is killed twice. One with the main processor's pack comes to the
// same alerts and the same states, both once. Unusable records are in the DLQ once, and ebb reports that the two do not
// differ. A removed shadow leaves nothing in Redis and no offset.
func TestShadows(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	var files []string
	for _, version := range []string{"1", "2"} {
		files = append(files, filepath.Join(t.TempDir(), "pack.yaml"))
		if err := os.WriteFile(files[len(files)-1], []byte(packText(version)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	poison := []record{{key: "ann", value: []byte("poison"), millis: 1_767_322_000_000}}
	w.produce(slices.Concat(events("shop", 1, shop(7, 400, 500)), poison))
	all := sum(w.ends())
	g := w.group(
		"run",
		redisAddress(),
		map[string]string{
			"pack":                   files[0],
			"shadows":                "{same: " + files[0] + ", other: " + files[1] + "}",
			"batch.max_bytes":        "64KiB",
			"input.max_record_bytes": "16KiB",
		},
	)
	g.keys["kafka.shadow"] = g.shadowTopic()
	w.create(2, g.shadowTopic())
	same, other := g.shadowOf("same"), g.shadowOf("other")
	t.Cleanup(same.wipe)
	t.Cleanup(other.wipe)
	for _, s := range []*group{g, same} {
		p := g.run(nil, nil)
		s.past(p, sum(s.committed())+all/5)
		p.signal(syscall.SIGKILL)
		p.wait()
	}
	p := g.run(nil, nil, "--until-end", "--leave")
	p.finish()

	alerts, shadowed := g.published(), same.published()
	checkOnce(t, alerts)
	main := g.bySource(alerts)
	if diff := cmp.Diff(main, same.bySource(shadowed)); diff != "" || len(main) != len(alerts) || len(main) < 100 {
		t.Errorf("%d alerts, %d of the main group (-main +shadow):\n%s", len(alerts), len(main), diff)
	}
	if n := len(other.bySource(shadowed)); n == 0 || n+len(main) != len(shadowed) {
		t.Errorf("%d of %d records are the other shadow's", n, len(shadowed))
	}
	if diff := cmp.Diff(g.profiles(), same.profiles()); diff != "" {
		t.Errorf("states (-main +shadow):\n%s", diff)
	}
	if n := len(w.read(w.input + ".dlq")); n != len(poison) {
		t.Errorf("%d records in the DLQ", n)
	}
	g.saysOfShadows(t, len(main))

	p = start(t, nil, "packs", "shadow", "-c", g.config(nil), "--forget", "same", "--yes")
	if s := p.wait(); s.ExitStatus() != 0 || !strings.Contains(p.stdout.String(), "2 offsets in Kafka") {
		t.Errorf("exit status %d\n%s%s", s.ExitStatus(), p.stdout.String(), p.stderr.String())
	}
	if len(same.state(t.Context())) > 0 || sum(same.committed()) != 0 || sum(other.committed()) != all ||
		sum(g.committed()) != all {
		t.Errorf("left of the shadow: %d keys, offsets %v", len(same.state(t.Context())), same.committed())
	}
}

// saysOfShadows makes ebb compare them: with the same pack nothing differs, with the other something does.
func (g *group) saysOfShadows(t *testing.T, alerts int) {
	t.Helper()
	p := start(t, nil, "packs", "shadow", "-c", g.config(nil), "--json", "--days", "5000")
	var r struct {
		Shadows []struct {
			Name      string
			Apart     int
			Customers struct {
				Both       int
				MainOnly   int `json:"main_only"`
				ShadowOnly int `json:"shadow_only"`
			}
			Migration struct{ Tiers []struct{ A, B string } }
			Alerts    struct {
				Sorts []struct{ Main, Shadow int }
			}
			Top []json.RawMessage
		}
	}
	if s := p.wait(); s.ExitStatus() != 0 || json.Unmarshal([]byte(p.stdout.String()), &r) != nil || len(r.Shadows) != 2 {
		t.Fatalf("exit status %d\n%s%s", s.ExitStatus(), p.stdout.String(), p.stderr.String())
	}
	for _, s := range r.Shadows {
		moved, main, shadow := 0, 0, 0
		for _, cell := range s.Migration.Tiers {
			if cell.A != cell.B {
				moved++
			}
		}
		for _, n := range s.Alerts.Sorts {
			main, shadow = main+n.Main, shadow+n.Shadow
		}
		equal := moved == 0 && len(s.Top) == 0 && main == shadow
		if s.Apart != 0 || s.Customers.Both == 0 || s.Customers.MainOnly+s.Customers.ShadowOnly != 0 || main != alerts ||
			equal != (s.Name == "same") {
			t.Errorf("%+v", s)
		}
	}
}
