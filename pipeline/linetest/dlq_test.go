//go:build integration

package linetest_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A replay that is killed with SIGKILL again and again, and two that run beside one another, send every record of the
// DLQ once.
func TestReplayKilled(t *testing.T) {
	t.Parallel()
	const poisoned, kills = 30_000, 4
	w := newWorld(t, 2)
	var records []record
	for i := range poisoned {
		records = append(
			records,
			record{key: fmt.Sprint("c", i%97), value: fmt.Appendf(nil, "poison %d", i), millis: 1_767_322_000_000 + int64(i)},
		)
	}
	w.produce(records)
	g := w.group("run", redisAddress(), map[string]string{"input.poison_breaker": "1"})
	if s := g.run(nil, nil, "--until-end", "--leave").finish(); s.Quarantined != poisoned {
		t.Fatalf("%+v", s)
	}
	file := g.config(nil)
	replay := func() *process { return start(t, nil, "dlq", "replay", "-c", file) }

	killed := 0
	for range kills {
		before := sum(w.ends())
		p := replay()
		eventually(t, "the replay sends", func() bool { return sum(w.ends()) > before || ended(p) })
		p.signal(syscall.SIGKILL)
		if s := p.wait(); s.Signaled() {
			killed++
		}
	}
	if killed < 3 {
		t.Errorf("only %d of %d replays were killed on their way", killed, kills)
	}
	first, second := replay(), replay()
	first.wait()
	second.wait()
	last := replay()
	if s := last.wait(); s.ExitStatus() != 0 || !strings.Contains(last.stdout.String(), "records replayed to "+w.input) {
		t.Fatalf("exit status %d: %s", s.ExitStatus(), last.stdout.String())
	}
	checkReplayed(t, w.read(w.input), poisoned)
}

func ended(p *process) bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// checkReplayed fails the test unless each record is in the topic twice: as it was produced, and replayed.
func checkReplayed(t *testing.T, records []*kgo.Record, n int) {
	t.Helper()
	count := map[string]int{}
	origin := map[string]*kgo.Record{}
	for _, r := range records {
		kind := "produced "
		if header(r, "ebb.replay.from") != "" {
			kind = "replayed "
		}
		count[kind+string(r.Value)]++
		o := origin[string(r.Value)]
		if o == nil {
			origin[string(r.Value)] = r
		} else if o.Partition != r.Partition || !o.Timestamp.Equal(r.Timestamp) || string(o.Key) != string(r.Key) {
			t.Errorf("%s came back as %s", wire(o), wire(r))
		}
	}
	for i := range n {
		for _, kind := range []string{"produced", "replayed"} {
			if what := fmt.Sprintf("%s poison %d", kind, i); count[what] != 1 {
				t.Fatalf("%d times: %s", count[what], what)
			}
		}
	}
	if len(count) != 2*n {
		t.Errorf("%d records of %d kinds", len(records), len(count))
	}
}
