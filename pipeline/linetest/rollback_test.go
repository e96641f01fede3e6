//go:build integration

package linetest_test

import (
	"io"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/testcontainers/testcontainers-go"

	"ebb/pipeline/linetest/oracle"
	"ebb/pipeline/linetest/services"
)

// ownRedis is a Redis of one test, which may be killed and put back to an older copy of itself.
type ownRedis struct {
	testcontainers.Container
	t       *testing.T
	address string
}

func newRedis(t *testing.T) *ownRedis {
	t.Helper()
	c, address, err := services.StartRedis(t.Context())
	if c != nil {
		testcontainers.CleanupContainer(t, c, testcontainers.StopTimeout(0))
	}
	if err != nil {
		t.Fatal(err)
	}
	r := &ownRedis{Container: c, t: t, address: address}
	r.answers()
	return r
}

func (r *ownRedis) answers() {
	r.t.Helper()
	if err := services.RedisAnswers(r.t.Context(), r.address); err != nil {
		r.t.Fatal(err)
	}
}

func (r *ownRedis) do(command ...string) {
	r.t.Helper()
	code, out, err := r.Exec(r.t.Context(), command)
	if err != nil {
		r.t.Fatal(err)
	}
	if code != 0 {
		text, _ := io.ReadAll(out) //nolint:errcheck // the exit code is what failed
		r.t.Fatalf("%v in the container: exit code %d\n%s", command, code, text)
	}
}

// keep makes a copy of everything as it is now.
func (r *ownRedis) keep() {
	r.t.Helper()
	r.do("redis-cli", "save")
	r.do("cp", "/data/dump.rdb", "/data/older.rdb")
}

// putBack ends the server without a farewell and starts it on the older copy, as a failover to a replica that lags does.
func (r *ownRedis) putBack() {
	r.t.Helper()
	r.do("cp", "/data/older.rdb", "/data/dump.rdb")
	now := time.Duration(0)
	if err := r.Stop(r.t.Context(), &now); err != nil {
		r.t.Fatal(err)
	}
	if err := r.Start(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	r.answers()
}

// Redis loses what it acknowledged while Kafka is ahead of it: once under a running program, once while it is down. The
// alerts are those of a run to which nothing happened, and none is published twice.
func TestRedisRolledBack(t *testing.T) {
	own := newRedis(t)
	w := newWorld(t, 4)
	log := poisoned(events("shop", 1, shop(2, 3_000, 700)))
	parts := slices.Collect(slices.Chunk(log, (len(log)+3)/4))
	g := w.group("run", own.address, map[string]string{"batch.max_bytes": "64KiB", "input.max_record_bytes": "16KiB"})
	processed := func() bool { return slices.Equal(g.committed(), w.ends()) }

	input := w.produce(parts[0])
	p := g.run(nil, nil, shopFlags()...)
	p.until("the first part is processed", processed)
	own.keep()
	input = join(input, w.produce(parts[1]))
	p.until("the second part is processed", processed)

	own.putBack()
	input = join(input, w.produce(parts[2]))
	p.says("partition taken over", `"rewinding":true`)
	p.until("the third part is processed", processed)

	p.signal(syscall.SIGKILL)
	p.wait()
	own.putBack()
	input = join(input, w.produce(parts[3]))
	again := g.run(nil, nil, append(shopFlags(), "--until-end", "--leave")...)
	again.finish()
	again.says("partition taken over", `"rewinding":true`)

	got := g.published()
	checkOnce(t, got)
	want := oracle.Fold(input, shopSettings())
	g.checkQuarantine(want.Quarantined)
	g.reset()
	g.run(nil, nil, append(shopFlags(), "--until-end")...).finish()
	undisturbed := g.published()
	checkSame(t, undisturbed, got)
	checkFold(t, want.Alerts, undisturbed)
}
