//go:build integration

package linetest_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"

	"ebb/pipeline/linetest/oracle"
)

// A fault that no retry mends stops the program, with a code that the runbook explains, and leaves everything as it
// was.
func TestHardStops(t *testing.T) {
	t.Parallel()
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
		"record_refused": func(g *group) { // alerts carry event time
			second := "1000"
			_, err := g.admin.AlterTopicConfigs(
				g.t.Context(),
				[]kadm.AlterConfig{{Name: "message.timestamp.before.max.ms", Value: &second}},
				g.alerts,
			)
			if err != nil {
				g.t.Fatal(err)
			}
			g.produce(events("shop", 100_000, shop(3, 800, 700))) // long enough for alerts
		},
		"input_poisoned": func(g *group) { // everything before the stop is published, and then each start stops there
			var poison []record
			for i := range 700 {
				poison = append(poison, record{key: "ann", value: fmt.Appendf(nil, "poison %d", i), millis: 1_767_322_000_000})
			}
			g.produce(poison)
			g.run(nil, nil, "--until-end", "--leave").stops("input_poisoned")
			if n := len(g.read(g.input + ".dlq")); n != 500 {
				g.t.Errorf("%d records in the DLQ, want 500", n)
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
			t.Parallel()
			w := newWorld(t, 1)
			w.produce(events("shop", 1, shop(3, 200, 200)))
			g := w.group("run", redisAddress(), map[string]string{"pack.name": "any", "pack.horizon": "60d"})
			delete(g.keys, "pack")
			g.run(nil, nil, "--until-end", "--leave").finish()
			spoil(g)
			position, alerts := g.committed(), g.read(g.alerts)
			g.run(nil, nil, "--until-end").stops(code)
			if diff := gocmp.Diff(position, g.committed()); diff != "" {
				t.Errorf("offsets moved (-before +after):\n%s", diff)
			}
			if got := g.read(g.alerts); len(got) != len(alerts) {
				t.Errorf("%d alerts after the stop, %d before", len(got), len(alerts))
			}
		})
	}
}

// stops waits until a hard stop ends the process.
func (p *process) stops(code string) {
	p.t.Helper()
	if s := p.wait(); s.ExitStatus() != 3 {
		p.t.Errorf("exit status %d, want 3", s.ExitStatus())
	}
	if log := p.stderr.String(); !strings.Contains(log, code+": ") { // the error, followed by what to do
		p.t.Errorf("the log does not say %s and what to do:\n%s", code, log)
	}
}

// A partition that stops leaves the others running, and /readyz reports it.
func TestHardStopOfOnePartition(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	w.produce(events("shop", 1, shop(3, 200, 200)))
	address := freeAddress(t)
	g := w.group("run", redisAddress(), map[string]string{"http.listen": address})
	g.run(nil, nil, "--until-end", "--leave").finish()
	key := "ebb:{" + g.name + ":p0}:profiles"
	for customer := range g.redis.HGetAll(t.Context(), key).Val() {
		g.redis.HSet(t.Context(), key, customer, "\xff")
	}
	before := g.committed()
	w.produce(events("shop", 100_000, shop(3, 200, 200)))

	p := g.run(nil, nil)
	p.says("partition stopped", "state_unreadable")
	w.produce(events("shop", 200_000, shop(3, 200, 200)))
	p.until("the other partition is processed", func() bool { return g.committed()[1] == w.ends()[1] })
	if got := g.committed()[0]; got != before[0] {
		t.Errorf("the offset of the stopped partition moved from %d to %d", before[0], got)
	}
	live, ready := status(address, "livez"), status(address, "readyz")
	if live != http.StatusOK || ready != http.StatusServiceUnavailable {
		t.Errorf("livez %d, readyz %d", live, ready)
	}
	leave(p)
}

// A Redis that may evict state is refused, and one that is full stops the line without losing or doubling anything.
func TestRedisUnfit(t *testing.T) {
	t.Parallel()
	own := newRedis(t)
	w := newWorld(t, 2)
	parts := slices.Collect(slices.Chunk(events("shop", 1, shop(9, 1_000, 700)), 10_000))[:2]
	input := w.produce(parts[0])
	g := w.group("run", own.address, nil)

	own.do("redis-cli", "config", "set", "maxmemory-policy", "allkeys-lru")
	g.run(nil, nil, shopFlags()...).stops("redis_evicts")
	own.do("redis-cli", "config", "set", "maxmemory-policy", "noeviction")

	p := g.run(nil, nil, shopFlags()...)
	p.until("the first part is processed", func() bool { return slices.Equal(g.committed(), w.ends()) })
	own.do("redis-cli", "config", "set", "maxmemory", "1")
	input = join(input, w.produce(parts[1]))
	p.stops("redis_full")
	own.do("redis-cli", "config", "set", "maxmemory", "0")
	g.run(nil, nil, append(shopFlags(), "--until-end")...).finish()

	alerts := g.published()
	checkOnce(t, alerts)
	checkFold(t, oracle.Fold(input, shopSettings()).Alerts, alerts)
}

// The same names on another cluster are not the same input.
func TestClusterChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.produce(events("shop", 1, shop(3, 200, 200)))
	g := w.group("run", redisAddress(), nil)
	g.run(nil, nil, "--until-end", "--leave").finish()
	next, _ := g.stored(0)

	other := newWorldAt(t, newKafka(t).address, 1)
	other.create(1, append([]string{w.input, w.input + ".dlq", g.alerts}, g.own()...)...)
	g.run(map[string]string{"kafka.brokers": "[" + other.kafka + "]"}, nil, "--until-end").stops("cluster_changed")
	if after, _ := g.stored(0); next == 0 || after != next {
		t.Errorf("the position in Redis moved from %d to %d", next, after)
	}
}
