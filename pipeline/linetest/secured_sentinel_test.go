//go:build integration

package linetest_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"ebb/pipeline/linetest/oracle"
)

// quarters cuts a log into four.
func quarters(log []record) [][]record {
	return slices.Collect(slices.Chunk(log, (len(log)+3)/4))
}

// sentinel lets the primary move to a replica that lags, while the old primary still accepts writes, and then back when
// that primary dies. The published alerts are those of an undisturbed run.
func (r *redises) sentinel(t *testing.T) {
	w := newWorld(t, 2)
	parts := quarters(poisoned(events("shop", 1, shop(2, 2_500, 500))))
	g := w.group(
		"moved",
		redisAddress(),
		map[string]string{"batch.max_bytes": "64KiB", "input.max_record_bytes": "16KiB", "state.cache": "1000"},
	).
		with(map[string]string{"redis.addresses": "[" + r.at("sentinel") + "]"}).
		with(r.login(t))
	asked := func(master string) map[string]string {
		return map[string]string{
			"redis.sentinel": "{master: " + master + ", username: ebb, password_file: " + passwordFile(t, rightPassword) + "}",
		}
	}
	g.with(asked("shop"))
	r.allowAt(t, "sentinel", g, sentinelACL())
	r.allowAt(t, "primary", g, leastRedis())
	r.allowAt(t, "replica", g, leastRedis()) // users are not replicated
	processed := func() bool { return slices.Equal(g.committed(), w.ends()) }
	eventually(t, "the Sentinel knows the replica", func() bool { return r.master(t)["num-slaves"] == "1" })
	if _, found := g.check(asked("shoe")); !strings.Contains(found, "(redis_unknown_master)") {
		t.Errorf("check with another name:\n%s", found)
	}

	input := w.produce(parts[0])
	p := g.run(nil, nil, shopFlags()...)
	p.until("the first part is processed", processed)
	r.do(t, "primary", "ACL SETUSER default -psync -sync") // the replica stays behind from now on
	r.do(t, "primary", "CLIENT KILL TYPE replica")
	input = join(input, w.produce(parts[1]))
	p.until("the second part is processed", processed)

	r.failOver(t)
	input = join(input, w.produce(parts[2])) // while both accept writes
	p.says("partition taken over", `"rewinding":true`)
	p.until("the third part is processed", processed)
	r.do(t, "primary", "ACL SETUSER default +psync +sync")
	eventually(t, "the old primary follows the new one", func() bool {
		return strings.Contains(r.client(t, "primary").Info(t.Context(), "replication").Val(), "master_link_status:up")
	})

	r.kill(t, "replica")
	input = join(input, w.produce(parts[3]))
	p.until("the last part is processed", processed)
	p.signal(syscall.SIGTERM)
	p.wait()
	if at := r.master(t)["port"]; at != strconv.Itoa(r.ports["primary"]) {
		t.Errorf("the primary is at port %s, want the first one's, %d", at, r.ports["primary"])
	}
	got := g.published()
	checkOnce(t, got)
	want := oracle.Fold(input, shopSettings())
	checkFold(t, want.Alerts, got)
	g.checkQuarantine(want.Quarantined)
}

// sentinelACL is what the user needs at a Sentinel, as listed in docs/security.md.
func sentinelACL() []string {
	return []string{"client|setname", "sentinel|get-master-addr-by-name", "sentinel|sentinels", "subscribe", "ping", "&*"}
}

// clusterACL is what the user needs in addition at the nodes of a cluster.
func clusterACL() []string { return []string{"cluster|slots"} }

// login makes a group log in without TLS.
func (r *redises) login(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{"redis.username": "ebb", "redis.password_file": passwordFile(t, rightPassword)}
}

// master is the Sentinel's view of the primary.
func (r *redises) master(t *testing.T) map[string]string {
	t.Helper()
	c := redis.NewSentinelClient(&redis.Options{Addr: r.at("sentinel"), Protocol: 2, DisableIdentity: true})
	defer c.Close()
	return c.Master(t.Context(), "shop").Val()
}

// failOver makes the Sentinel move the primary to the replica, and repeats the command where the Sentinel has given up.
func (r *redises) failOver(t *testing.T) {
	t.Helper()
	c := redis.NewSentinelClient(&redis.Options{Addr: r.at("sentinel"), Protocol: 2, DisableIdentity: true})
	defer c.Close()
	var asked time.Time
	eventually(t, "the Sentinel has moved the primary", func() bool {
		at, err := c.GetMasterAddrByName(t.Context(), "shop").Result()
		if err == nil && at[1] == strconv.Itoa(r.ports["replica"]) {
			return true
		}
		if time.Since(asked) > 5*time.Second {
			asked = time.Now()
			if err := c.Failover(t.Context(), "shop").Err(); err != nil {
				t.Logf("failover: %v", err)
			}
		}
		return false
	})
}

// kill ends one of the servers as kill -9 does.
func (r *redises) kill(t *testing.T, name string) {
	t.Helper()
	pid := ""
	for line := range strings.Lines(r.client(t, name).Info(t.Context(), "server").Val()) {
		if id, ok := strings.CutPrefix(line, "process_id:"); ok {
			pid = strings.TrimSpace(id)
		}
	}
	code, out, err := r.Exec(t.Context(), []string{"bash", "-c", "kill -9 " + pid})
	if err != nil || code != 0 {
		text, _ := io.ReadAll(out)
		t.Fatalf("kill %s: exit code %d: %v\n%s", name, code, err, text)
	}
}

// cluster runs on three primaries and moves the slot of a partition to another one during the work.
func (r *redises) cluster(t *testing.T) {
	nodes := []string{"node1", "node2", "node3"}
	r.meet(t, nodes)
	w := newWorld(t, 4)
	parts := quarters(poisoned(events("shop", 1, shop(2, 2_500, 500))))
	g := w.group(
		"spread",
		redisAddress(),
		map[string]string{"batch.max_bytes": "64KiB", "input.max_record_bytes": "16KiB", "state.cache": "1000"},
	).
		with(map[string]string{"redis.addresses": "[" + r.at("node1") + ", " + r.at("node2") + "]"}).
		with(r.login(t))
	for _, name := range nodes {
		r.allowAt(t, name, g, slices.Concat(leastRedis(), clusterACL()))
	}
	processed := func() bool { return slices.Equal(g.committed(), w.ends()) }

	input := w.produce(parts[0])
	p := g.run(nil, nil, shopFlags()...)
	p.until("the first part is processed", processed)
	input = join(input, w.produce(parts[1]))
	r.moveSlot(t, nodes, "ebb:{"+g.name+":p0}:meta")
	p.until("the second part is processed", processed)
	input = join(input, w.produce(slices.Concat(parts[2], parts[3])))
	p.until("the rest is processed", processed)
	_, found := g.check(nil)
	for _, name := range nodes {
		if !strings.Contains(found, r.at(name)) {
			t.Errorf("check does not speak of %s:\n%s", r.at(name), found)
		}
	}
	p.signal(syscall.SIGTERM)
	p.wait()
	got := g.published()
	checkOnce(t, got)
	want := oracle.Fold(input, shopSettings())
	checkFold(t, want.Alerts, got)
	g.checkQuarantine(want.Quarantined)

	r.do(t, "node3", "CONFIG SET maxmemory-policy allkeys-lru")
	if exit, found := g.check(
		nil,
	); exit != 1 ||
		!strings.Contains(found, r.at("node3")+" has maxmemory-policy allkeys-lru") {
		t.Errorf("check of a node that evicts:\n%s", found)
	}
	g.run(nil, nil, append(shopFlags(), "--until-end")...).stops("redis_evicts")
}

// meet makes a cluster of the nodes, each with a third of the slots.
func (r *redises) meet(t *testing.T, nodes []string) {
	t.Helper()
	for i, name := range nodes {
		from, to := 16384*i/len(nodes), 16384*(i+1)/len(nodes)-1
		r.do(t, name, fmt.Sprintf("CLUSTER ADDSLOTSRANGE %d %d", from, to))
		r.do(t, name, fmt.Sprintf("CLUSTER SET-CONFIG-EPOCH %d", i+1))
		r.do(t, nodes[0], fmt.Sprintf("CLUSTER MEET 127.0.0.1 %d %d", r.ports[name], 1001+i))
	}
	for _, name := range nodes {
		eventually(t, name+" sees the whole cluster", func() bool {
			info := r.client(t, name).ClusterInfo(t.Context()).Val()
			return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:3")
		})
	}
}

// moveSlot moves the slot of a key to the next node, key by key, as resharding does.
func (r *redises) moveSlot(t *testing.T, nodes []string, key string) {
	t.Helper()
	ctx := t.Context()
	slot := r.client(t, nodes[0]).ClusterKeySlot(ctx, key).Val()
	from := int(slot) * len(nodes) / 16384
	source, target := nodes[from], nodes[(from+1)%len(nodes)]
	id := func(name string) string { return r.client(t, name).Do(ctx, "CLUSTER", "MYID").Val().(string) }
	r.do(t, target, fmt.Sprintf("CLUSTER SETSLOT %d IMPORTING %s", slot, id(source)))
	r.do(t, source, fmt.Sprintf("CLUSTER SETSLOT %d MIGRATING %s", slot, id(target)))
	moved := 0
	for {
		keys := r.client(t, source).ClusterGetKeysInSlot(ctx, int(slot), 1).Val()
		if len(keys) == 0 {
			break
		}
		err := r.client(t, source).Migrate(ctx, "127.0.0.1", strconv.Itoa(r.ports[target]), keys[0], 0, patience).Err()
		if err != nil && !errors.Is(err, redis.Nil) {
			t.Fatal(err)
		}
		moved++
	}
	if moved < 3 {
		t.Errorf("%d keys moved", moved)
	}
	for _, name := range []string{target, source} {
		r.do(t, name, fmt.Sprintf("CLUSTER SETSLOT %d NODE %s", slot, id(target)))
	}
}
