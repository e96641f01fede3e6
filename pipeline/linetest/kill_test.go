//go:build integration && reference

package linetest_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"

	"ebb/pipeline/linetest/oracle"
)

// A kill is a SIGKILL that the program sends itself after the first step of the name, of any partition, that has come to
// the offset, and what was found afterwards. Steps of a takeover have no offset: the first of them counts.
type kill struct {
	Step      string  `json:"step"`
	At        int64   `json:"at"`
	Committed []int64 `json:"committed"` // offsets in Kafka
	Stored    []int64 `json:"stored"`    // positions in Redis
	Outbox    int64   `json:"outbox"`    // entries in Redis
	Open      int64   `json:"open"`      // of these, in partitions of which Kafka does not know the latest commit
}

// schedule draws the kills of a seed, spread over a partition of length records: most of them between a commit to Redis and
// its publication, some after a publication, some in the midst of a takeover.
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

// Killed ten times with SIGKILL on its way through a public log, the program publishes what it publishes undisturbed: the
// same alerts to the byte, none twice, each customer's in order, and every unusable record once.
func TestKilledTenTimes(t *testing.T) {
	w := newWorld(t, 4)
	input := w.produce(poisoned(events("mathoverflow.csv.gz", 2, publicLog(t, "mathoverflow"))))
	ends := w.ends()
	flags := []string{"--until-end", "--leave", "--activity", "answer,comment_question,comment_answer", "--horizon", "90d"}
	g := w.group("killed", redisAddress(), nil)

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

// inspect reads what the kill left behind.
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

// checkKills fails the test where the schedule did not hit what it is for.
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
		t.Errorf("%d kills between the first commit and the last, %d with alerts committed and not published; 7 and 3 are asked for", between, open)
	}
}
