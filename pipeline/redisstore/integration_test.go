//go:build integration

package redisstore_test

import (
	"os"
	"testing"
)

// realRedis is the address of a running Redis, shared with others: nothing here stops, empties or configures it.
func realRedis(t testing.TB) string {
	t.Helper()
	addr := os.Getenv("EBB_TEST_REDIS")
	if addr == "" {
		t.Fatal("EBB_TEST_REDIS is not set: host:port of a running Redis")
	}
	return addr
}

func TestRealContract(t *testing.T)    { contract(t, realRedis(t)) }
func TestRealFaults(t *testing.T)      { faults(t, realRedis(t)) }
func TestRealRebuild(t *testing.T)     { rebuild(t, realRedis(t)) }
func TestRealInspect(t *testing.T)     { inspect(t, realRedis(t)) }
func TestRealForeignKeys(t *testing.T) { foreignKeys(t, realRedis(t)) }

func TestRealUsage(t *testing.T) {
	addr := realRedis(t)
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

func TestRealPolicy(t *testing.T) {
	for _, p := range must(open(t, realRedis(t)).Policies(t.Context()))(t) {
		if p.Version == "" || p.Eviction == "" || p.Role != "master" || p.Used == 0 || p.Unknown != nil {
			t.Errorf("policy %+v", p)
		}
		if err := p.Check(); (err == nil) != (p.Eviction == "noeviction") {
			t.Errorf("check of %+v: %v", p, err)
		}
	}
}
