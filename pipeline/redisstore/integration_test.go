//go:build integration

package redisstore_test

import (
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/testcontainers/testcontainers-go"

	"ebb/pipeline"
	"ebb/pipeline/secure"
)

// TestReal repeats on a real Redis the tests on the embedded one. The server may be shared with others: nothing here
// stops, empties or configures it.
func TestReal(t *testing.T) {
	addr := realRedis(t)
	t.Run("contract", func(t *testing.T) { contract(t, addr) })
	t.Run("faults", func(t *testing.T) { faults(t, addr) })
	t.Run("rebuild", func(t *testing.T) { rebuild(t, addr) })
	t.Run("inspect", func(t *testing.T) { inspect(t, addr) })
	t.Run("holders", func(t *testing.T) { holders(t, addr) })
	t.Run("profiles", func(t *testing.T) { profiles(t, addr) })
	t.Run("foreign keys", func(t *testing.T) { foreignKeys(t, addr) })
	t.Run("usage", func(t *testing.T) { usage(t, addr) })
}

func usage(t *testing.T, addr string) {
	client, group := open(t, addr), newGroup(t, addr)
	fill(t, claimed(t, client.Partition(group, 0)))
	fill(t, claimed(t, client.Partition(group, 1)))
	u := must(client.Usage(t.Context(), group))(t)
	if u.Customers != 4 || u.DueBuckets != 4 || u.Profiles == 0 || u.Due == 0 || u.Outbox == 0 || u.Meta == 0 {
		t.Fatalf("usage %+v", u)
	}
	if total := float64(u.Profiles + u.Due + u.Outbox + u.Meta); u.PerCustomer() != total/4 {
		t.Fatalf("%.1f bytes per customer, want %.1f", u.PerCustomer(), total/4)
	}
}

// TestRealServerConditions puts a server of its own into the states that refuse a commit, and out of them again.
func TestRealServerConditions(t *testing.T) {
	addr := startRedis(t)
	admin := redis.NewClient(&redis.Options{Addr: addr, Protocol: 2})
	closeLater(t, admin)
	run := func(t *testing.T, command string) {
		t.Helper()
		var args []any
		for a := range strings.FieldsSeq(command) {
			args = append(args, a)
		}
		must(admin.Do(t.Context(), args...).Result())(t)
	}
	for _, c := range []struct{ name, into, out, code string }{
		{"full", "CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0", "redis_full"},
		{"replica", "REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE", ""},
		{"too few replicas", "CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0", ""},
		{"write permission taken", "ACL SETUSER default -hset", "ACL SETUSER default +hset", secure.CodePermission},
		{"transactions forbidden", "ACL SETUSER default -exec", "ACL SETUSER default +exec", secure.CodePermission},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := claimed(t, open(t, addr).Partition(c.name, 0))
			o.commit(t, 1, nil)
			run(t, c.into)
			next := pipeline.Commit{Previous: o.last, Keys: [][]byte{[]byte("k")}, Profiles: [][]byte{[]byte("w")}}
			err := o.Commit(t.Context(), &next)
			run(t, c.out)
			wantStop(t, err, c.code)
			if found := o.claim(t); found.Meta.Next != 1 {
				t.Fatalf("claim found next %d, want 1", found.Meta.Next)
			}
			o.commit(t, 2, nil)
		})
	}
	t.Run("policy", func(t *testing.T) {
		client := open(t, addr)
		p := must(client.Policies(t.Context()))(t)
		if p[0].Version == "" || p[0].Eviction != "noeviction" || p[0].Role != "master" || p[0].Used == 0 ||
			p[0].Check() != nil {
			t.Errorf("policy %+v", p)
		}
		run(t, "CONFIG SET maxmemory-policy volatile-lru")
		if p = must(client.Policies(t.Context()))(t); !p[0].EvictsVolatile() || p[0].Check() != nil {
			t.Errorf("policy %+v", p)
		}
		run(t, "CONFIG SET maxmemory-policy allkeys-lru")
		p = must(client.Policies(t.Context()))(t)
		wantStop(t, p[0].Check(), "redis_evicts")
		run(t, "ACL SETUSER default -info -config|get")
		p, err := client.Policies(t.Context())
		run(t, "ACL SETUSER default +@all")
		if err != nil || p[0].Unknown == nil || p[0].Check() != nil {
			t.Errorf("server does not say: %+v, %v", p, err)
		}
	})
}

// TestRealCluster runs the suite on a cluster of one node, which the store has to detect by itself. The node announces
// the proxy as its address.
func TestRealCluster(t *testing.T) {
	addr := startRedis(t, "--cluster-enabled", "yes")
	p := startProxy(t, addr)
	host, port, err := net.SplitHostPort(p.addr())
	if err != nil {
		t.Fatal(err)
	}
	admin := redis.NewClient(&redis.Options{Addr: addr, Protocol: 2})
	closeLater(t, admin)
	ctx := t.Context()
	must(admin.ConfigSet(ctx, "cluster-announce-ip", host).Result())(t)
	must(admin.ConfigSet(ctx, "cluster-announce-port", port).Result())(t)
	must(admin.ClusterAddSlotsRange(ctx, 0, 16383).Result())(t)
	until(t, "the cluster is up", func() bool {
		return strings.Contains(must(admin.ClusterInfo(ctx).Result())(t), "cluster_state:ok")
	})
	contractVia(t, addr, p)
	t.Run("usage", func(t *testing.T) { usage(t, p.addr()) })
	t.Run("rebuild", func(t *testing.T) { rebuild(t, p.addr()) })
}

// realRedis is the address of EBB_TEST_REDIS, or of a container started for the test.
func realRedis(t testing.TB) string {
	t.Helper()
	if addr := os.Getenv("EBB_TEST_REDIS"); addr != "" {
		return addr
	}
	return startRedis(t)
}

// startRedis starts a container of EBB_TEST_REDIS_IMAGE and returns its address.
func startRedis(t testing.TB, args ...string) string {
	t.Helper()
	image := os.Getenv("EBB_TEST_REDIS_IMAGE")
	if image == "" {
		image = "redis:7"
	}
	command := append(
		[]string{"redis-server", "--bind", "0.0.0.0", "--protected-mode", "no", "--save", "", "--appendonly", "no"},
		args...)
	c, err := testcontainers.Run(t.Context(), image,
		testcontainers.WithExposedPorts("6379/tcp"), testcontainers.WithCmd(command...))
	testcontainers.CleanupContainer(t, c, testcontainers.StopTimeout(0))
	if err != nil {
		t.Fatal(err)
	}
	addr := must(c.PortEndpoint(t.Context(), "6379/tcp", ""))(t)
	r := redis.NewClient(&redis.Options{Addr: addr, Protocol: 2})
	closeLater(t, r)
	until(t, "redis answers", func() bool { return r.Ping(t.Context()).Err() == nil })
	return strings.Replace(addr, "localhost", "127.0.0.1", 1)
}

// until polls a condition, each look being a round trip.
func until(t testing.TB, what string, met func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !met(); {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 30 s", what)
		}
	}
}
