//go:build integration && reference

package linetest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"

	"github.com/testcontainers/testcontainers-go"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/pipeline/linetest/oracle"
	"ebb/pipeline/linetest/services"
)

// A kill is a SIGKILL that the program sends itself after the first step of that name, of any partition, that has
// reached the offset, and the state found afterwards. Steps of a takeover have no offset: the first of them counts.
type kill struct {
	Step      string  `json:"step"`
	At        int64   `json:"at"`
	Committed []int64 `json:"committed"` // offsets in Kafka
	Stored    []int64 `json:"stored"`    // positions in Redis
	Outbox    int64   `json:"outbox"`    // entries in Redis
	Open      int64   `json:"open"`      // of these, in partitions whose latest commit Kafka has no position for
}

// schedule draws the kills of a seed, spread over a partition of length records: most of them between a commit to Redis
// and its publication, some after a publication, some in the midst of a takeover.
func schedule(seed uint64, length int64) []kill {
	r := rand.New(rand.NewPCG(seed, 0))
	steps := []string{"commit", "commit", "commit", "commit", "publish", "publish", "publish", "claim", "position", "init"}
	r.Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
	kills := make([]kill, len(steps))
	slice := length / int64(len(steps)+1)
	for i, step := range steps {
		kills[i].Step = step
		if step == "commit" || step == "publish" {
			kills[i].At = int64(i)*slice + 1 + r.Int64N(slice)
		}
	}
	return kills
}

const killSeed = 20260301

// Killed ten times with SIGKILL on its way through a public log, the program publishes what it publishes undisturbed:
// the same alerts to the byte, none twice, each customer's in order, and every unusable record once.
func TestKilledTenTimes(t *testing.T) {
	t.Parallel()
	killedTenTimes(t, newWorld(t, 4), 1)
}

// The same holds for a cluster without transactions of version 2, and for the oldest tested Kafka, which has none
// either. A part of the log is enough.
func TestKilledTenTimesWithoutTransactionsV2(t *testing.T) {
	t.Parallel()
	w := newWorldAt(t, newKafka(t).address, 4) // the version is that of a whole cluster
	w.withoutTransactionsV2()
	killedTenTimes(t, w, 4)
}

func TestKilledTenTimesOnOldKafka(t *testing.T) {
	t.Parallel()
	start := func(ctx context.Context) (testcontainers.Container, string, error) {
		return services.StartKafkaOf(ctx, services.OldKafkaImage())
	}
	w := newWorldAt(t, newServer(t, start, services.KafkaAnswers).address, 4)
	if v := w.transactionVersion(); v != 0 {
		t.Fatalf("the old Kafka has transactions of version %d", v)
	}
	killedTenTimes(t, w, 4)
}

// withoutTransactionsV2 removes transactions of version 2 from the whole cluster. Producers choose when they start.
func (w *world) withoutTransactionsV2() {
	w.t.Helper()
	ctx := w.t.Context()
	const safeDowngrade = 2
	update := kadm.FeatureUpdate{Feature: "transaction.version", MaxVersionLevel: 0, UpgradeType: safeDowngrade}
	updated, err := w.admin.UpdateFeatures(ctx, false, update)
	if err == nil {
		err = updated.Error()
	}
	if err != nil {
		w.t.Fatalf("set transaction.version 0: %v", err)
	}
	if err := services.Until(
		ctx,
		"the cluster has settled",
		func() bool { return w.transactionVersion() == 0 },
	); err != nil {
		w.t.Fatal(err)
	}
}

// transactionVersion is what the cluster has finalized; 0: nothing.
func (w *world) transactionVersion() (version int16) {
	w.t.Helper()
	req := kmsg.NewPtrApiVersionsRequest()
	req.ClientSoftwareName, req.ClientSoftwareVersion = "linetest", "1"
	answer, err := req.RequestWith(context.Background(), w.client)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range answer.FinalizedFeatures {
		if f.Name == "transaction.version" {
			version = f.MaxVersionLevel
		}
	}
	return version
}

// killedTenTimes runs the schedule over the first of so many parts of the log, in batches smaller by as much.
func killedTenTimes(t *testing.T, w *world, parts int) {
	log := publicLog(t, "mathoverflow")
	input := w.produce(poisoned(events("mathoverflow.csv.gz", 2, log[:len(log)/parts])))
	ends := w.ends()
	flags := []string{"--until-end", "--leave", "--activity", "answer,comment_question,comment_answer", "--horizon", "90d"}
	g := w.group(
		"killed",
		redisAddress(),
		map[string]string{"batch.max_bytes": fmt.Sprintf("%dKiB", 256/parts), "input.max_record_bytes": "16KiB"},
	)

	kills := schedule(killSeed, slices.Min(ends))
	for i := range kills {
		k := &kills[i]
		p := g.run(nil, []string{fmt.Sprintf("EBB_TEST_KILL=%s %d", k.Step, k.At)}, flags...)
		if s := p.wait(); s.Signal() != syscall.SIGKILL {
			t.Fatalf("kill %d %+v: ended with status %d instead", i, *k, s.ExitStatus())
		}
		g.inspect(k)
		line, err := json.Marshal(k)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("kill %d (seed %d): %s", i+1, killSeed, line)
	}
	checkKills(t, kills, ends)

	s := g.run(nil, nil, flags...).finish()
	t.Logf("the rest: %+v", s)
	got := g.published()
	checkOnce(t, got)
	want := oracle.Fold(input, oracle.Settings{
		Horizon: 90, Activity: map[string]bool{"answer": true, "comment_question": true, "comment_answer": true},
	})
	g.checkQuarantine(want.Quarantined)

	g.reset()
	g.run(nil, nil, flags...).finish()
	undisturbed := g.published()
	checkSame(t, undisturbed, got)
	checkFold(t, want.Alerts, undisturbed)
}

// inspect reads the state after the kill.
func (g *group) inspect(k *kill) {
	g.t.Helper()
	k.Committed = g.committed()
	for p := range g.partitions {
		next, outbox := g.stored(p)
		k.Stored = append(k.Stored, next)
		k.Outbox += outbox
		if next > k.Committed[p] {
			k.Open += outbox
		}
	}
}

// checkKills fails the test where the schedule did not hit its targets.
func checkKills(t *testing.T, kills []kill, ends []int64) {
	t.Helper()
	between, open := 0, 0
	for _, k := range kills {
		if sum(k.Stored) > 0 && slices.Compare(k.Committed, ends) < 0 && sum(k.Committed) < sum(ends) {
			between++
		}
		if k.Open > 0 {
			open++
		}
	}
	if between < 7 || open < 3 {
		t.Errorf(
			"%d kills between the first commit and the last, %d with alerts committed and not published; 7 and 3 are asked for",
			between,
			open,
		)
	}
}
