package redisstore_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"
	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"ebb/pipeline"
	"ebb/pipeline/redisstore"
	"ebb/pipeline/secure"
)

func TestRebuild(t *testing.T) { rebuild(t, miniredis.RunT(t).Addr()) }

// rebuild empties a group while its owners work and starts it afresh.
func rebuild(t *testing.T, addr string) {
	client, group := open(t, addr), newGroup(t, addr)
	other := group + "2"
	t.Cleanup(func() { must(client.Empty(context.WithoutCancel(t.Context()), other, 1))(t) })
	owners := make([]*owner, 5)
	for i := range owners {
		owners[i] = claimed(t, client.Partition(group, i))
		owners[i].commit(t, 1, nil)
		fill(t, owners[i])
	}
	stranger := claimed(t, client.Partition(other, 0))
	stranger.commit(t, 1, nil)

	removed, err := client.Empty(t.Context(), group, 3) // 3 and 4 are of a time with more partitions
	if err != nil || removed != 5*5 {
		t.Fatalf("removed %d keys (%v), want 25", removed, err)
	}
	for i, o := range owners {
		o.commit(t, 9, pipeline.ErrFenced)
		if found := o.claim(t); found.Exists || len(found.Outbox) > 0 {
			t.Fatalf("partition %d still holds %+v", i, found)
		}
	}
	stranger.commit(t, 2, nil)

	p := client.Partition(group, 0)
	if err := p.Seed(t.Context(), pipeline.Meta{Version: pipeline.MetaVersion, Next: 42}); err != nil {
		t.Fatal(err)
	}
	owners[0].commit(t, 9, pipeline.ErrFenced)
	if found := owners[0].claim(t); !found.Exists || found.Meta.Next != 42 {
		t.Fatalf("claim found %+v, want next 42", found)
	}
	if err := p.Seed(t.Context(), pipeline.Meta{}); !errors.Is(err, pipeline.ErrFenced) {
		t.Fatalf("seeded what was not empty: %v", err)
	}
}

// fill gives an owner's partition an outbox and two due buckets.
func fill(t *testing.T, o *owner) {
	t.Helper()
	c := pipeline.Commit{
		Previous: o.last,
		Token:    pipeline.Token{3, o.claims},
		Meta:     pipeline.Meta{Version: pipeline.MetaVersion, Next: 7},
	}
	c.Keys, c.Profiles = [][]byte{[]byte("a"), []byte("b")}, [][]byte{[]byte("pa"), []byte("pb")}
	c.Outbox = [][]byte{[]byte("e1"), []byte("e2"), []byte("e3")}
	c.Due = []pipeline.DueEntries{{Bucket: 1, Entries: []byte("d1")}, {Bucket: -2, Entries: []byte("d2")}}
	if err := o.Commit(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	o.last = c.Token
}

func TestInspect(t *testing.T) { inspect(t, miniredis.RunT(t).Addr()) }

func inspect(t *testing.T, addr string) {
	client, group := open(t, addr), newGroup(t, addr)
	empty := must(client.Inspect(t.Context(), group, 0, []byte("a")))(t)
	if d := cmp.Diff(redisstore.Inspection{}, empty); d != "" {
		t.Fatalf("nothing there (-want +got):\n%s", d)
	}
	o := claimed(t, client.Partition(group, 0))
	fill(t, o)
	want := redisstore.Inspection{
		Exists:  true,
		Meta:    pipeline.Meta{Version: pipeline.MetaVersion, Next: 7},
		Profile: []byte("pa"),
		Outbox:  3,
	}
	if d := cmp.Diff(want, must(client.Inspect(t.Context(), group, 0, []byte("a")))(t)); d != "" {
		t.Fatalf("customer a (-want +got):\n%s", d)
	}
	want.Profile = nil
	if d := cmp.Diff(want, must(client.Inspect(t.Context(), group, 0, []byte("nobody")))(t)); d != "" {
		t.Fatalf("nobody (-want +got):\n%s", d)
	}
	o.commit(t, 8, nil) // inspecting fences nobody
}

func TestForeignKeys(t *testing.T) { foreignKeys(t, miniredis.RunT(t).Addr()) }

// foreignKeys puts values of another kind where the store's keys are.
func foreignKeys(t *testing.T, addr string) {
	client, group := open(t, addr), newGroup(t, addr)
	r := redis.NewClient(&redis.Options{Addr: addr, Protocol: 2})
	closeLater(t, r)
	for i, what := range []string{"profiles", "outbox", "meta"} {
		key := strings.TrimSuffix(redisstore.MetaKey(group, i), "meta") + what
		must(r.SAdd(t.Context(), key, "x").Result())(t)
		_, err := client.Partition(group, i).Claim(t.Context(), pipeline.Token{1})
		wantStop(t, err, "redis_damaged")
	}
	for i, value := range []string{"short", "0123456789abcdef{not json"} {
		must(r.Set(t.Context(), redisstore.MetaKey(group, 10+i), value, 0).Result())(t)
		_, err := client.Partition(group, 10+i).Claim(t.Context(), pipeline.Token{1})
		if i > 0 { // the claim pads a short one to a token: it held no meta
			wantStop(t, err, "redis_damaged")
		}
	}
	meta := pipeline.AppendMeta([]byte("0123456789abcdef"), &pipeline.Meta{Version: pipeline.MetaVersion, Next: 1})
	meta = append(meta, 200, 1, 0) // a section of a newer build, which is no damage
	must(r.Set(t.Context(), redisstore.MetaKey(group, 15), meta, 0).Result())(t)
	_, err := client.Partition(group, 15).Claim(t.Context(), pipeline.Token{1})
	wantStop(t, err, "state_unreadable")
	_, err = client.Inspect(t.Context(), group, 15, nil)
	wantStop(t, err, "state_unreadable")
	later := pipeline.Meta{Version: pipeline.MetaVersion + 1, Partitions: 3}
	meta = pipeline.AppendMeta([]byte("0123456789abcdef"), &later)
	must(r.Set(t.Context(), redisstore.MetaKey(group, 16), meta, 0).Result())(t)
	_, err = client.Inspect(t.Context(), group, 16, nil) // not a group of no partitions
	wantStop(t, err, "state_unreadable")
	o := claimed(t, client.Partition(group, 20))
	must(r.SAdd(t.Context(), redisstore.DueKey(group, 20, 1), "x").Result())(t)
	c := pipeline.Commit{Previous: o.last, Due: []pipeline.DueEntries{{Bucket: 1, Entries: []byte("d")}}}
	wantStop(t, o.Commit(t.Context(), &c), "redis_damaged")
	must(client.Empty(t.Context(), group, 0))(t) // the way out, whatever the keys hold
	if names := must(r.Keys(t.Context(), redisstore.GroupPattern(group)).Result())(t); len(names) > 0 {
		t.Fatalf("left: %q", names)
	}
}

func TestPolicy(t *testing.T) {
	for _, c := range []struct {
		name, info, config string
		want               redisstore.Policy
		code               string
	}{
		{
			"fit", "# Server\r\nredis_version:7.0.15\r\nused_memory:1000\r\nmaxmemory:2000\r\nmaxmemory_policy:noeviction\r\n" +
				"aof_enabled:1\r\nrole:master\r\nconnected_slaves:2\r\n", "",
			redisstore.Policy{
				Version:   "7.0.15",
				Eviction:  "noeviction",
				MaxMemory: 2000,
				Used:      1000,
				Role:      "master",
				Replicas:  2,
				AOF:       true,
			},
			"",
		},
		{"evicts", "maxmemory_policy:allkeys-lru\r\n", "", redisstore.Policy{Eviction: "allkeys-lru"}, "redis_evicts"},
		{
			"only CONFIG tells",
			"role:master\r\n",
			"volatile-ttl",
			redisstore.Policy{Eviction: "volatile-ttl", Role: "master"},
			"",
		},
		{"only what has a time to live", "maxmemory_policy:volatile-lru\r\n", "", redisstore.Policy{Eviction: "volatile-lru"}, ""},
		{"at random", "maxmemory_policy:allkeys-random\r\n", "", redisstore.Policy{Eviction: "allkeys-random"}, "redis_evicts"},
		{"a policy to come", "maxmemory_policy:somehow\r\n", "", redisstore.Policy{Eviction: "somehow"}, "redis_evicts"},
		{
			"replica",
			"maxmemory_policy:noeviction\r\nrole:slave\r\n",
			"",
			redisstore.Policy{Eviction: "noeviction", Role: "slave"},
			"redis_replica",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := miniredis.RunT(t)
			client := open(t, m.Addr())
			m.Server().SetPreHook(func(p *server.Peer, cmd string, _ ...string) bool {
				switch cmd {
				case "INFO":
					p.WriteBulk(c.info)
				case "CONFIG":
					p.WriteLen(2)
					p.WriteBulk("maxmemory-policy")
					p.WriteBulk(c.config)
				default:
					return false
				}
				return true
			})
			got := must(client.Policies(t.Context()))(t)
			c.want.Address = m.Addr()
			if d := cmp.Diff([]redisstore.Policy{c.want}, got); d != "" {
				t.Fatalf("policy (-want +got):\n%s", d)
			}
			if volatile := strings.HasPrefix(c.want.Eviction, "volatile-"); got[0].EvictsVolatile() != volatile {
				t.Errorf("drops keys with a time to live: %v", !volatile)
			}
			if err := got[0].Check(); c.code != "" || err != nil {
				wantStop(t, err, c.code)
			}
		})
	}
	t.Run("server does not say", func(t *testing.T) {
		got := must(open(t, miniredis.RunT(t).Addr()).Policies(t.Context()))(t)
		if got[0].Unknown == nil || got[0].Check() != nil {
			t.Fatalf("got %+v, check %v", got[0], got[0].Check())
		}
	})
}

func TestOpen(t *testing.T) {
	m := miniredis.RunT(t)
	m.RequireUserAuth("ebb", "secret")
	gone := miniredis.NewMiniRedis()
	if err := gone.Start(); err != nil {
		t.Fatal(err)
	}
	deaf := gone.Addr()
	gone.Close()
	as := func(user, password string) *secure.Credentials {
		return credentials(t, secure.Source{Username: user, Password: password})
	}
	encrypted := credentials(t, secure.Source{TLS: true})
	for _, c := range []struct {
		name   string
		config redisstore.Config
		code   string
	}{
		{"nobody there", redisstore.Config{Addresses: []string{deaf}}, ""},
		{"no password", redisstore.Config{Addresses: []string{m.Addr()}}, secure.CodeLogin},
		{
			"wrong password",
			redisstore.Config{Addresses: []string{m.Addr()}, Credentials: as("ebb", "guess")},
			secure.CodeLogin,
		},
		{
			"no TLS there",
			redisstore.Config{
				Addresses:   []string{m.Addr()},
				Credentials: encrypted,
				DialTimeout: time.Second,
				ReadTimeout: time.Second,
			},
			"",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := redisstore.Open(t.Context(), c.config)
			wantStop(t, err, c.code)
		})
	}
	t.Run("as it should be", func(t *testing.T) {
		client := openWith(t, redisstore.Config{Addresses: []string{m.Addr()}, Credentials: as("ebb", "secret")})
		claimed(t, client.Partition("g", 0)).commit(t, 1, nil)
	})
}

// credentials opens a source with existing files.
func credentials(t *testing.T, src secure.Source) *secure.Credentials {
	t.Helper()
	src.Server, src.Keys, src.ReadFile = "Redis", redisstore.Keys(), os.ReadFile
	c, problems := secure.Open(src)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return c
}

func TestConfigValidate(t *testing.T) {
	bad := redisstore.Config{
		Addresses: []string{"localhost", ":6379", "[::1]:6379", "redis:6379"}, ReadTimeout: -1,
	}
	err := bad.Validate()
	for _, want := range []string{"addresses[0]", "addresses[1]", "read timeout"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
	if n := len(strings.Split(err.Error(), "\n")); n != 3 {
		t.Errorf("%d problems, want 3:\n%v", n, err)
	}
	if (&redisstore.Config{}).Validate() == nil {
		t.Error("no addresses, and no error")
	}
}

// TestCluster drives the store through the cluster client, against a server that answers for every slot.
func TestCluster(t *testing.T) {
	m := miniredis.RunT(t)
	client := openWith(t, redisstore.Config{Addresses: []string{m.Addr(), m.Addr()}})
	o := claimed(t, client.Partition("g", 3))
	fill(t, o)
	o.commit(t, 8, nil)
	l := pipeline.Load{Keys: [][]byte{[]byte("a"), []byte("nobody")}, Buckets: []int64{1}}
	if err := o.Load(t.Context(), &l); err != nil {
		t.Fatal(err)
	}
	if string(l.Profiles[0]) != "pa" || l.Profiles[1] != nil || string(l.Due[0]) != "d1" {
		t.Fatalf("loaded %q and %q", l.Profiles, l.Due)
	}
	if n := must(client.Empty(t.Context(), "g", 4))(t); n != 5 {
		t.Fatalf("removed %d keys, want 5", n)
	}
}

func TestHolders(t *testing.T) { holders(t, miniredis.RunT(t).Addr()) }

// holders finds customers in partitions of two groups, and fences nobody.
func holders(t *testing.T, addr string) {
	client, group, other := open(t, addr), newGroup(t, addr), newGroup(t, addr)
	for _, p := range []struct {
		group     string
		partition int
	}{{group, 0}, {group, 2}, {group, 4}, {other, 1}} {
		o := claimed(t, client.Partition(p.group, p.partition))
		fill(t, o)
		defer o.commit(t, 8, nil)
	}
	for name, c := range map[string]struct {
		customer string
		count    int
		want     []int
	}{
		"in several": {
			"a",
			4,
			[]int{0, 2},
		}, "in all": {"a", 5, []int{0, 2, 4}}, "in one": {"a", 1, []int{0}}, "in none": {"nobody", 5, nil},
	} {
		if d := cmp.Diff(c.want, must(client.Holders(t.Context(), group, c.count, []byte(c.customer)))(t)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}
