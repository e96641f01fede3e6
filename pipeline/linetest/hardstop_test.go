//go:build integration

package linetest_test

import (
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
)

// What no retry mends stops the program, by a code that the runbook explains, and leaves everything as it was found.
func TestHardStops(t *testing.T) {
	for code, spoil := range map[string]func(g *group){
		"state_lost": func(g *group) {
			for key := range g.state(g.t.Context()) {
				g.redis.Del(g.t.Context(), key)
			}
		},
		"offset_lost": func(g *group) {
			if _, err := g.admin.DeleteGroup(g.t.Context(), g.name); err != nil {
				g.t.Fatal(err)
			}
		},
		"offset_foreign": func(g *group) {
			foreign := kadm.Offsets{}
			foreign.AddOffset(g.input, 0, 7, -1)
			if err := g.admin.CommitAllOffsets(g.t.Context(), g.name, foreign); err != nil {
				g.t.Fatal(err)
			}
		},
		"partitions_changed": func(g *group) {
			if _, err := g.admin.CreatePartitions(g.t.Context(), 1, g.input); err != nil {
				g.t.Fatal(err)
			}
		},
		"pack_changed": func(g *group) { g.keys["pack.horizon"] = "61d" },
		"topic_changed": func(g *group) {
			if _, err := g.admin.DeleteTopics(g.t.Context(), g.input); err != nil {
				g.t.Fatal(err)
			}
			eventually(g.t, "the topic is created again", func() bool {
				_, err := g.admin.CreateTopic(g.t.Context(), 1, 1, nil, g.input)
				return err == nil
			})
			g.produce(events("shop", 1, shop(4, 100, 200)))
		},
		"records_lost": func(g *group) {
			g.produce(events("shop", 100_000, shop(4, 100, 200)))
			behind := kadm.Offsets{}
			behind.AddOffset(g.input, 0, g.ends()[0]-1, -1)
			if _, err := g.admin.DeleteRecords(g.t.Context(), behind); err != nil {
				g.t.Fatal(err)
			}
		},
		"state_unreadable": func(g *group) {
			key := "ebb:{" + g.name + ":p0}:profiles"
			for customer := range g.redis.HGetAll(g.t.Context(), key).Val() {
				g.redis.HSet(g.t.Context(), key, customer, "\xff")
			}
			g.produce(events("shop", 100_000, shop(3, 200, 200)))
		},
	} {
		t.Run(code, func(t *testing.T) {
			w := newWorld(t, 1)
			w.produce(events("shop", 1, shop(3, 200, 200)))
			g := w.group("run", redisAddress(), map[string]string{"pack.name": "any", "pack.horizon": "60d"})
			delete(g.keys, "pack")
			g.run(nil, nil, "--until-end", "--leave").finish()
			spoil(g)
			position, alerts := g.committed(), g.read(g.alerts)
			p := g.run(nil, nil, "--until-end")
			if s := p.wait(); s.ExitStatus() != 3 {
				t.Errorf("exit status %d, want 3", s.ExitStatus())
			}
			if log := p.stderr.String(); !strings.Contains(log, code) || !strings.Contains(log, `"do":`) {
				t.Errorf("the log does not say %s and what to do:\n%s", code, log)
			}
			if diff := gocmp.Diff(position, g.committed()); diff != "" {
				t.Errorf("offsets moved (-before +after):\n%s", diff)
			}
			if got := g.read(g.alerts); len(got) != len(alerts) {
				t.Errorf("%d alerts after the stop, %d before", len(got), len(alerts))
			}
		})
	}
}
