//go:build integration

package linetest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"ebb/pipeline/linetest/oracle"
)

// TestRepair takes the group's offsets away in the ways in which it happens, in the middle of the work and at its end,
// and lets ebb repair find them again. Nothing is published twice afterwards, and nothing is missing.
func TestRepair(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kill  string // where the process is killed; empty: it ends in order
		spoil func(g *group)
		code  string
	}{
		"reset to the start":                  {"", resetTo(func(int64) int64 { return 0 }), "offset_foreign"},
		"reset to the end, all undecided":     {"commit 15000", resetTo(func(end int64) int64 { return end }), "offset_foreign"},
		"reset back a little, just published": {"publish 15000", resetTo(func(end int64) int64 { return end / 2 }), "offset_foreign"},
		"offsets deleted":                     {"", deleteOffsets, "offset_lost"},
		"offsets deleted, all undecided":      {"commit 15000", deleteOffsets, "offset_lost"},
		"group deleted, just published":       {"publish 15000", deleteGroup, "offset_lost"},
		"group deleted, first commit":         {"commit 1", deleteGroup, "offset_lost"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 2)
			log := poisoned(events("shop", 1, shop(11, 2_000, 700)))
			parts := slices.Collect(slices.Chunk(log, len(log)/2+1))
			g := w.group("run", redisAddress(), map[string]string{"batch.max_bytes": "64KiB", "input.max_record_bytes": "16KiB"})
			flags := append(shopFlags(), "--until-end", "--leave")
			input := w.produce(parts[0])
			if c.kill == "" {
				g.run(nil, nil, flags...).finish()
			} else if s := g.run(nil, []string{"EBB_TEST_KILL=" + c.kill}, flags...).wait(); s.Signal() != syscall.SIGKILL {
				t.Fatalf("ended with status %d instead of being killed", s.ExitStatus())
			}
			g.empty()
			c.spoil(g)
			g.run(nil, nil, flags...).stops(c.code)
			g.empty()

			before := g.offsets()
			plan := g.repair(0, "--dry-run")
			if !maps.Equal(before, g.offsets()) || plan.Repaired != 0 {
				t.Errorf("a dry run has changed %v to %v", before, g.offsets())
			}
			done := g.repair(0, "--yes")
			if done.Repaired == 0 {
				t.Fatalf("nothing is repaired: %+v", done)
			}
			if again := g.repair(0, "--yes"); again.Repaired != 0 {
				t.Errorf("repaired again: %+v", again)
			}
			input = join(input, w.produce(parts[1]))
			g.run(nil, nil, flags...).finish()
			g.judge(input)
		})
	}
}

// TestRepairRefuses: where the state does not prove what was published, or the group works, nothing is changed.
func TestRepairRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	log := events("shop", 1, shop(12, 2_000, 700))
	parts := slices.Collect(slices.Chunk(log, len(log)/3+1))
	g := w.group("run", redisAddress(), map[string]string{"batch.max_bytes": "64KiB"})
	flags := append(shopFlags(), "--until-end", "--leave")
	w.produce(parts[0])
	p := g.run(nil, nil, shopFlags()...)
	p.until("the first part is processed", func() bool { return slices.Equal(g.committed(), w.ends()) })
	if said := g.refused("--yes"); !strings.Contains(said, "stop every process of the group first") {
		t.Errorf("beside a running member: %s", said)
	}
	leave(p)
	older := g.state(t.Context())
	w.produce(parts[1])
	g.run(nil, nil, flags...).finish()
	g.empty()
	g.restore(older)
	deleteOffsets(g)
	for _, part := range g.repair(1, "--yes").Partitions {
		if part.Verdict != "not proven" || !strings.Contains(part.Found, "older than what was published") || part.Do == "" {
			t.Errorf("a Redis that is older than what was published: %+v", part)
		}
	}
	if got := g.offsets(); len(got) > 0 {
		t.Errorf("offsets %v were committed", got)
	}
}

// TestRepairAmongDeletedAlerts: an outbox entry whose alert is not there may have been published and deleted since.
func TestRepairAmongDeletedAlerts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.produce(events("shop", 1, shop(13, 1_000, 700)))
	g := w.group("run", redisAddress(), map[string]string{"batch.max_bytes": "64KiB"})
	flags := append(shopFlags(), "--until-end", "--leave")
	if s := g.run(nil, []string{"EBB_TEST_KILL=publish 15000"}, flags...).wait(); s.Signal() != syscall.SIGKILL {
		t.Fatalf("ended with status %d instead of being killed", s.ExitStatus())
	}
	g.empty()
	ends, err := g.admin.ListEndOffsets(t.Context(), g.alerts)
	if err == nil {
		_, err = g.admin.DeleteRecords(t.Context(), ends.Offsets())
	}
	if err != nil {
		t.Fatal(err)
	}
	deleteOffsets(g)
	for _, part := range g.repair(1, "--yes").Partitions {
		if part.Verdict != "not proven" || !strings.Contains(part.Found, "could have been deleted") {
			t.Errorf("alerts were deleted: %+v", part)
		}
	}
}

// TestRepairBehindAnEarlierGroup: quarantined records that a group put into the DLQ that is gone now are not taken for
// those of the group that is repaired, whose alerts in front of one were not published yet.
func TestRepairBehindAnEarlierGroup(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	log := events("shop", 1, shop(14, 2_000, 700))
	poison := len(log) - 50 // in the last batch, behind alerts
	w.produce(
		slices.Insert(log, poison, record{key: log[poison].key, value: []byte("poison"), millis: log[poison].millis}),
	)
	keys := map[string]string{"batch.max_bytes": "64KiB", "input.max_record_bytes": "16KiB"}
	flags := append(shopFlags(), "--until-end", "--leave")
	earlier := w.group("earlier", redisAddress(), keys)
	earlier.run(nil, nil, flags...).finish()
	earlier.empty()
	deleteGroup(earlier)
	g := w.group("run", redisAddress(), keys)
	if s := g.run(nil, []string{fmt.Sprintf("EBB_TEST_KILL=commit %d", poison+1)}, flags...).
		wait(); s.Signal() != syscall.SIGKILL {
		t.Fatalf("ended with status %d instead of being killed", s.ExitStatus())
	}
	g.empty()
	deleteOffsets(g)
	for _, part := range g.repair(1, "--yes").Partitions {
		if part.Verdict != "not proven" || !strings.Contains(part.Found, "another group") {
			t.Errorf("what an earlier group published: %+v", part)
		}
	}
}

// judge compares what is published with the fold.
func (g *group) judge(input [][]oracle.Record) {
	g.t.Helper()
	alerts := g.published()
	checkOnce(g.t, alerts)
	want := oracle.Fold(input, shopSettings())
	checkFold(g.t, want.Alerts, alerts)
	g.checkQuarantine(want.Quarantined)
}

// restore puts the group's state in Redis back to an older one.
func (g *group) restore(older map[string]string) {
	g.t.Helper()
	for key := range g.state(g.t.Context()) {
		g.redis.Del(g.t.Context(), key)
	}
	for key, dump := range older {
		if err := g.redis.Restore(g.t.Context(), key, 0, dump).Err(); err != nil {
			g.t.Fatal(err)
		}
	}
}

// empty waits until the group has no member.
func (g *group) empty() {
	g.t.Helper()
	eventually(g.t, "the group is empty", func() bool {
		found, err := g.admin.DescribeGroups(g.t.Context(), g.name)
		return err == nil && len(found[g.name].Members) == 0
	})
}

// resetTo commits an offset for each partition, by its end offset, as kafka-consumer-groups.sh --reset-offsets does.
func resetTo(place func(end int64) int64) func(*group) {
	return func(g *group) {
		foreign := kadm.Offsets{}
		for n, end := range g.ends() {
			foreign.AddOffset(g.input, int32(n), place(end), -1)
		}
		if err := g.admin.CommitAllOffsets(g.t.Context(), g.name, foreign); err != nil {
			g.t.Fatal(err)
		}
	}
}

// deleteOffsets does what kafka-consumer-groups.sh --delete-offsets does.
func deleteOffsets(g *group) {
	g.t.Helper()
	set := kadm.TopicsSet{}
	for n := range g.partitions {
		set.Add(g.input, int32(n))
	}
	got, err := g.admin.DeleteOffsets(g.t.Context(), g.name, set)
	if err == nil {
		err = got.Error()
	}
	if err != nil {
		g.t.Fatal(err)
	}
}

// deleteGroup leaves of the group what its offsets' expiry leaves.
func deleteGroup(g *group) {
	if _, err := g.admin.DeleteGroup(g.t.Context(), g.name); err != nil {
		g.t.Fatal(err)
	}
}

// offsets are the group's as they stand, with their metadata.
func (g *group) offsets() map[int32]string {
	g.t.Helper()
	all := map[int32]string{}
	var responses kadm.OffsetResponses
	g.ask("the group's offsets", func() (err error) {
		responses, err = g.admin.FetchOffsets(g.t.Context(), g.name)
		return err
	})
	responses.Each(func(o kadm.OffsetResponse) {
		if o.Topic == g.input && o.At >= 0 {
			all[o.Partition] = fmt.Sprintf("%d %s", o.At, o.Metadata)
		}
	})
	return all
}

type repaired struct {
	Repaired   int
	Partitions []struct {
		Partition        int32
		Verdict          string
		Code, Found, Do  string
		Offset           int64
		Published_Outbox int //nolint:revive // as in the JSON
	}
}

// repair runs ebb repair, which has to end with a status.
func (g *group) repair(status int, flags ...string) (out repaired) {
	g.t.Helper()
	p := start(g.t, nil, append([]string{"repair", "-c", g.config(nil), "--json"}, append(flags, shopFlags()...)...)...)
	if s := p.wait(); s.ExitStatus() != status {
		g.t.Fatalf("repair: exit status %d, want %d\n%s\n%s", s.ExitStatus(), status, p.stdout.String(), p.stderr.String())
	}
	if err := json.Unmarshal([]byte(p.stdout.String()), &out); err != nil {
		g.t.Fatalf("repair says %q: %v", p.stdout.String(), err)
	}
	return out
}

// refused runs an ebb repair that has to fail, and returns what it says.
func (g *group) refused(flags ...string) string {
	g.t.Helper()
	p := start(g.t, nil, append([]string{"repair", "-c", g.config(nil)}, append(flags, shopFlags()...)...)...)
	if s := p.wait(); s.ExitStatus() != 1 {
		g.t.Errorf("repair: exit status %d, want 1", s.ExitStatus())
	}
	return p.stderr.String()
}
