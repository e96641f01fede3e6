package redisstore_test

import (
	"context"
	"crypto/rand"
	"io"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"ebb/pipeline"
	"ebb/pipeline/redisstore"
	"ebb/pipeline/storetest"
)

func TestContract(t *testing.T) {
	contract(t, miniredis.RunT(t).Addr())
}

// contract runs the suite against the server at addr, through a proxy that can cut connections.
func contract(t *testing.T, addr string) {
	contractVia(t, addr, startProxy(t, addr))
}

func contractVia(t *testing.T, addr string, p *proxy) {
	group, partitions := newGroup(t, p.addr()), 0
	client := open(t, p.addr())
	storetest.Run(t, func(*testing.T) storetest.Harness {
		partition := partitions
		partitions++
		return storetest.Harness{
			Open: func(*testing.T) pipeline.Store { return client.Partition(group, partition) },
			Cut:  func(*testing.T) { p.cut() },
			Copy: func(t *testing.T) func() { return copyKeys(t, addr, group, partition) },
		}
	})
}

func open(t testing.TB, addr string) *redisstore.Client {
	t.Helper()
	return openWith(t, redisstore.Config{Addresses: []string{addr}})
}

func openWith(t testing.TB, c redisstore.Config) *redisstore.Client {
	t.Helper()
	client, err := redisstore.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, client)
	return client
}

func closeLater(t testing.TB, c io.Closer) {
	t.Helper()
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}

// newGroup returns a group name that nobody else uses and removes its state at the end.
func newGroup(t testing.TB, addr string) string {
	t.Helper()
	group := "test " + rand.Text()
	client := open(t, addr)
	t.Cleanup(func() {
		if _, err := client.Empty(context.WithoutCancel(t.Context()), group, 0); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
	return group
}

// copyKeys copies all keys of a partition; the returned function puts them back.
func copyKeys(t *testing.T, addr, group string, partition int) (restore func()) {
	t.Helper()
	r := redis.NewClient(&redis.Options{Addr: addr, Protocol: 2})
	closeLater(t, r)
	ctx, pattern := t.Context(), redisstore.PartitionPattern(group, partition)
	names := must(r.Keys(ctx, pattern).Result())(t)
	var puts []func(redis.Pipeliner)
	for _, name := range names {
		switch kind := must(r.Type(ctx, name).Result())(t); kind {
		case "string":
			v := must(r.Get(ctx, name).Result())(t)
			puts = append(puts, func(p redis.Pipeliner) { p.Set(ctx, name, v, 0) })
		case "hash":
			v := must(r.HGetAll(ctx, name).Result())(t)
			puts = append(puts, func(p redis.Pipeliner) { p.HSet(ctx, name, v) })
		case "list":
			v := must(r.LRange(ctx, name, 0, -1).Result())(t)
			puts = append(puts, func(p redis.Pipeliner) { p.RPush(ctx, name, v) })
		default:
			t.Fatalf("%s is a %s", name, kind)
		}
	}
	return func() {
		now := must(r.Keys(ctx, pattern).Result())(t)
		must(r.TxPipelined(ctx, func(p redis.Pipeliner) error {
			p.Del(ctx, now...)
			for _, put := range puts {
				put(p)
			}
			return nil
		}))(t)
	}
}

// must makes a test fail on an error.
func must[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
