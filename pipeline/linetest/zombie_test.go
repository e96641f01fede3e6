//go:build integration

package linetest_test

import (
	"slices"
	"syscall"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"

	"ebb/pipeline/linetest/oracle"
)

// shopSettings is how the seeded shop's log is scored, as flags and for the fold.
func shopFlags() []string { return []string{"--friction", "complaint=1", "--horizon", "60d"} }

func shopSettings() oracle.Settings {
	return oracle.Settings{Horizon: 60, Friction: map[string]float64{"complaint": 1}}
}

// A member that is stopped in its work for longer than its session, and goes on when another has taken over and
// finished, publishes and commits nothing more, and logs the reason.
func TestZombie(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4)
	input := w.produce(events("shop", 1, shop(1, 10_000, 700)))
	all := sum(w.ends())
	g := w.group("run", redisAddress(), map[string]string{"batch.max_bytes": "64KiB", "input.max_record_bytes": "16KiB"})

	zombie := g.run(map[string]string{"kafka.instance_id": "zombie"}, nil, shopFlags()...)
	zombie.until("a tenth of the input is processed", func() bool { return sum(g.committed()) > all/10 })
	zombie.signal(syscall.SIGSTOP)
	if done := sum(g.committed()); done >= all {
		t.Fatalf("all %d records were processed before the member could be stopped", done)
	}
	heir := g.run(map[string]string{"kafka.instance_id": "heir"}, nil, append(shopFlags(), "--until-end")...)
	heir.finish()
	// The new owner's last offsets show when its last transaction is complete, which the broker does after it has
	// answered.
	eventually(t, "everything is processed", func() bool { return slices.Equal(g.committed(), w.ends()) })
	left := g.traces()

	zombie.signal(syscall.SIGCONT)
	zombie.says("fenced")
	zombie.signal(syscall.SIGTERM)
	if s := zombie.wait(); s.ExitStatus() != 0 {
		t.Errorf("the member ended with status %d after SIGTERM", s.ExitStatus())
	}
	if diff := gocmp.Diff(left, g.traces()); diff != "" {
		t.Errorf("the member that came back left traces (-before +after):\n%s", diff)
	}
	alerts := g.published()
	checkOnce(t, alerts)
	checkFold(t, oracle.Fold(input, shopSettings()).Alerts, alerts)
}

// traces is what a commit or a publication would change: positions, and everything written to the alert topic,
// committed or not.
func (g *group) traces() (found struct {
	Committed, Stored, Outbox []int64
	Alerts                    map[int32]int64
},
) {
	g.t.Helper()
	found.Committed = g.committed()
	for p := range g.partitions {
		next, outbox := g.stored(p)
		found.Stored, found.Outbox = append(found.Stored, next), append(found.Outbox, outbox)
	}
	ends, err := g.admin.ListEndOffsets(g.t.Context(), g.alerts)
	if err != nil {
		g.t.Fatal(err)
	}
	found.Alerts = map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) { found.Alerts[o.Partition] = o.Offset })
	return found
}
