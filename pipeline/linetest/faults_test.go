//go:build integration

package linetest_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"ebb/pipeline/linetest/oracle"
)

// This is what running clusters do. The program is right, or it says what is wrong and stops before a wrong alert.
// Command faults tries more of it, and measures.

// besides is a group at work, whose process is ready, with what it was sent first.
func besides(t *testing.T, w *world, redis string, first []row) (g *group, p *process, input [][]oracle.Record) {
	t.Helper()
	address := freeAddress(t)
	g = w.group("run", redis, map[string]string{
		"batch.max_bytes": "64KiB", "input.max_record_bytes": "16KiB", "http.listen": address,
	})
	input = w.produce(events("shop", 1, first))
	p = g.run(nil, nil, shopFlags()...)
	p.until("the first part is processed", func() bool { return slices.Equal(g.committed(), w.ends()) })
	p.until("it is ready", func() bool { return status(address, "readyz") == http.StatusOK })
	return g, p, input
}

// notReady waits until the group's process says that it is not ready.
func (g *group) notReady(p *process) {
	g.t.Helper()
	p.until("it is not ready", func() bool {
		return status(g.keys["http.listen"], "readyz") == http.StatusServiceUnavailable
	})
}

// halves cuts a log in two.
func halves(log []row) (first, second []row) { return log[:len(log)/2], log[len(log)/2:] }

// checkPart fails the test where a published alert is not one of the fold, or stands twice.
func checkPart(t *testing.T, want []oracle.Alert, got []alert) {
	t.Helper()
	checkOnce(t, got)
	type decision struct {
		customer, transition string
		episode, sequence    int
		seconds              int64
	}
	all := map[decision]bool{}
	for _, a := range want {
		all[decision{a.Customer, a.Transition, a.Episode, a.Sequence, a.Seconds}] = true
	}
	wrong := 0
	for _, a := range got {
		if d := (decision{a.Customer, a.Transition, a.Episode, a.Sequence, a.Time.Unix()}); !all[d] {
			wrong++
		}
	}
	if wrong*10_000 > maxShifted*max(len(got), 10_000) || len(got) == 0 {
		t.Errorf("of %d alerts %d are none of the fold", len(got), wrong)
	}
}

// Partitions that are added to the input move customers away from their state: all partitions stop before an alert is
// decided without what came since.
func TestPartitionsAddedWhileRunning(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	log := shop(21, 800, 700)
	first, second := halves(log)
	g, p, _ := besides(t, w, redisAddress(), first)
	position := g.committed()

	if _, err := w.admin.CreatePartitions(t.Context(), 2, w.input); err != nil {
		t.Fatal(err)
	}
	wider := *w
	wider.partitions = 4
	wider.produce(events("shop", 100_000, second))
	p.stops("partitions_changed")
	if after := g.committed(); !slices.Equal(position, after) {
		t.Errorf("the offsets moved from %d to %d", position, after)
	}
	parts := make([][]oracle.Record, 2) // had no partition been added
	for i, r := range slices.Concat(events("shop", 1, first), events("shop", 100_000, second)) {
		n := oracle.Partition([]byte(r.key), 2)
		parts[n] = append(parts[n], oracle.Record{Offset: int64(i), Value: r.value})
	}
	checkPart(t, oracle.Fold(parts, shopSettings()).Alerts, g.published())
}

// An input that is deleted and created again has other records at the same offsets: none of them is applied, whether
// the new log is longer than the old one or not.
func TestInputMadeAnewWhileRunning(t *testing.T) {
	t.Parallel()
	for name, records := range map[string]int{"fewer": 1_000, "more": 12_000} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 2)
			log := shop(22, 800, 700)
			g, p, input := besides(t, w, redisAddress(), log[:6_000])

			if _, err := w.admin.DeleteTopics(t.Context(), w.input); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the topic is created again", func() bool {
				_, err := w.admin.CreateTopic(t.Context(), 2, 1, nil, w.input)
				return err == nil
			})
			w.produce(events("shop", 100_000, log[6_000:6_000+records]))
			p.stops("topic_changed")
			checkPart(t, oracle.Fold(input, shopSettings()).Alerts, g.published())
		})
	}
}

// What somebody else removes from Redis is missed before an alert is decided without it, while events come and while
// none does. What is advised then brings the state back, and nothing is sent twice.
func TestStateDeletedWhileRunning(t *testing.T) {
	t.Parallel()
	for part, come := range map[string]bool{"profiles": true, "due:*": false, "meta": false} {
		t.Run(part, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 2)
			first, second := halves(shop(23, 800, 700))
			g, p, input := besides(t, w, redisAddress(), first)
			keys := g.redis.Keys(t.Context(), g.key(1, part)).Val()
			if len(keys) == 0 {
				t.Fatalf("partition 1 has no %s", part)
			}
			if err := g.redis.Del(t.Context(), keys[0]).Err(); err != nil {
				t.Fatal(err)
			}
			if come {
				input = join(input, w.produce(events("shop", 100_000, second)))
			}
			p.says("partition stopped", `"partition":1`, "ebb rebuild --from earliest")
			g.notReady(p)
			all := oracle.Fold(input, shopSettings()).Alerts
			checkPart(t, all, g.published())

			leave(p)
			g.rebuild(shopFlags()...)
			g.run(nil, nil, append(shopFlags(), "--until-end")...).finish()
			alerts := g.published()
			checkOnce(t, alerts)
			checkFold(t, all, alerts)
		})
	}
}

// An outbox that somebody deletes between a commit and its publication is missed by the next start.
func TestOutboxDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	input := w.produce(events("shop", 1, shop(24, 800, 700)))
	g := w.group("run", redisAddress(), map[string]string{"batch.max_bytes": "64KiB", "input.max_record_bytes": "16KiB"})
	flags := append(shopFlags(), "--until-end")
	for at := int64(1_000); ; at += 500 {
		g.run(nil, []string{fmt.Sprintf("EBB_TEST_KILL=commit %d", at)}, flags...).wait()
		if _, n := g.stored(0); n > 0 {
			break
		}
	}
	if err := g.redis.Del(t.Context(), g.key(0, "outbox")).Err(); err != nil {
		t.Fatal(err)
	}
	g.run(nil, nil, flags...).stops("state_incomplete")
	g.rebuild(shopFlags()...)
	g.run(nil, nil, flags...).finish()
	alerts := g.published()
	checkOnce(t, alerts)
	checkFold(t, oracle.Fold(input, shopSettings()).Alerts, alerts)
}

// rebuild empties the state as ebb advises it.
func (g *group) rebuild(flags ...string) {
	g.t.Helper()
	p := start(g.t, nil, append([]string{"rebuild", "-c", g.config(nil), "--from", "earliest", "--yes"}, flags...)...)
	if s := p.wait(); s.ExitStatus() != 0 {
		g.t.Fatalf("ebb rebuild: status %d\n%s", s.ExitStatus(), p.stderr.String())
	}
}

// One partition whose state is damaged at a start stops. The others run.
func TestPartitionDamagedAtStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	first, second := halves(shop(25, 800, 700))
	g, p, input := besides(t, w, redisAddress(), first)
	leave(p)
	if err := g.redis.Set(t.Context(), g.key(1, "meta"), "garbage", 0).Err(); err != nil {
		t.Fatal(err)
	}
	input = join(input, w.produce(events("shop", 100_000, second)))

	p = g.run(nil, nil, shopFlags()...)
	p.says("partition stopped", `"partition":1`, "redis_damaged", "ebb rebuild --from earliest")
	p.until("the other partition is processed", func() bool { return g.committed()[0] == w.ends()[0] })
	g.notReady(p)
	leave(p)
	checkPart(t, oracle.Fold(input, shopSettings()).Alerts, g.published())
}

// A primary that has become a replica, as in a failover until another one is found, is waited for, also where a look at
// its settings finds it.
func TestPrimaryBecomesReplicaWhileRunning(t *testing.T) {
	t.Parallel()
	own := newRedis(t)
	w := newWorld(t, 1)
	first, second := halves(shop(24, 400, 700))
	g, p, input := besides(t, w, own.address, first)
	replicaOf := func(of ...any) {
		if err := g.redis.Do(t.Context(), append([]any{"REPLICAOF"}, of...)...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	replicaOf("127.0.0.1", "1")
	input = join(input, w.produce(events("shop", 100_000, second)))
	g.notReady(p)
	<-time.After(12 * time.Second) // settings are looked at every 10
	replicaOf("no", "one")
	p.until("everything is processed", func() bool { return slices.Equal(g.committed(), w.ends()) })
	leave(p)
	g.judge(input)
}
