//go:build integration

package linetest_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"syscall"
	"testing"
)

// silences is what ebb silence list prints.
func (g *group) silences() (all []struct {
	ID      string
	InForce int `json:"in_force"`
	Asked   int
	Held    int
},
) {
	g.t.Helper()
	p := start(g.t, nil, "silence", "list", "-c", g.config(nil), "--json")
	if s := p.wait(); s.ExitStatus() != 0 {
		g.t.Fatalf("ebb silence list: %s", p.stderr.String())
	}
	if err := json.Unmarshal([]byte(p.stdout.String()), &all); err != nil {
		g.t.Fatal(err)
	}
	return all
}

// silence runs ebb silence with arguments.
func (g *group) silence(args ...string) {
	g.t.Helper()
	p := start(g.t, nil, append([]string{"silence", args[0], "-c", g.config(nil), "--by", "kim"}, args[1:]...)...)
	if s := p.wait(); s.ExitStatus() != 0 {
		g.t.Fatalf("ebb silence %v: %s", args, p.stderr.String())
	}
}

// TestSilence has customers fall due under a silence of everything that began while ebb ran, in two partitions, and kills
// ebb while it holds them and while it releases them. Nothing is raised under the silence; at its end, which a person asks
// for, each who is still silent is raised once, and who is back is never mentioned. The ledger says the same, and a replay.
func TestSilence(t *testing.T) {
	t.Parallel()
	const leavers, regulars, back = 300, 60, 40
	const cut, end = 1_767_225_600 + 9*86_400 + 50_000, 1_767_225_600 + 14*86_400
	w := newWorld(t, 2)
	g := w.group("run", redisAddress(), map[string]string{"batch.max_bytes": "64KiB"})
	flags := []string{"--leave", "--horizon", "10d"}
	var parts [3][]row
	for _, r := range leavingTogether(leavers, regulars) {
		n := 0
		for _, from := range []int64{cut, end} {
			if r.seconds >= from {
				n++
			}
		}
		parts[n] = append(parts[n], r)
	}
	for n := range back {
		parts[1] = append(parts[1], row{fmt.Sprint("leaver", n), end - 3600, "visit"})
	}
	slices.SortStableFunc(parts[1], func(a, b row) int { return int(a.seconds - b.seconds) })
	w.produce(events("before", 1, parts[0]))
	g.run(nil, nil, append(flags, "--until-end")...).finish()

	live := g.run(nil, nil, flags...)
	g.silence("add", "--all", "--until", "2026-02-01T00:00:00Z", "--why", "emergency stop")
	live.until("the silence is in force", func() bool {
		all := g.silences()
		return len(all) == 1 && all[0].InForce == 2 && all[0].Asked == 0
	})
	live.signal(syscall.SIGKILL)
	live.wait()
	w.produce(events("under", 1, parts[1]))
	begin, ends := slices.Min(w.ends())/2, slices.Min(w.ends())
	for i, step := range []string{"commit", "publish", "claim", "commit", "position", "publish"} {
		p := g.run(nil, []string{fmt.Sprintf("EBB_TEST_KILL=%s %d", step, begin+(ends-begin)*int64(i)/8)},
			append(flags, "--until-end")...)
		if s := p.wait(); s.Signal() != syscall.SIGKILL && s.ExitStatus() != 0 {
			t.Fatalf("%s: ended with status %d", step, s.ExitStatus())
		}
	}
	g.run(nil, nil, append(flags, "--until-end")...).finish()
	id := g.silences()[0]
	if n := checkLedger(t, g.decisions(), g.published(), id.Held); n["held"] != leavers || n["released"] != 0 ||
		n["withdrawn"] != back || len(g.published()) > 0 {
		t.Errorf("under the silence the ledger has %v, and %d alerts are published", n, len(g.published()))
	}

	g.silence("end", id.ID)
	for range 3 {
		live = g.run(nil, nil, flags...)
		live.says("partition taken over")
		live.signal(syscall.SIGKILL)
		live.wait()
	}
	w.produce(events("after", 1, parts[2]))
	live = g.run(nil, nil, flags...)
	live.until("all are raised", func() bool { return len(g.published()) >= leavers })
	live.signal(syscall.SIGTERM)
	live.wait()
	all := g.published()
	checkOnce(t, all)
	if n := checkLedger(t, g.decisions(), all, 0); n["held"] != leavers || n["released"] != leavers-back ||
		n["withdrawn"] != back {
		t.Errorf("at the end the ledger has %v", n)
	}
	for _, a := range all {
		var n int
		if _, err := fmt.Sscanf(a.Customer, "leaver%d", &n); err != nil ||
			a.Transition == "raised" && (n < back) != (a.HeldFor == 0) { // who was back has left again since
			t.Errorf("%s %s, held for %d", a.Customer, a.Transition, a.HeldFor)
		}
	}
	if s := start(t, nil, "replay", "-c", g.config(nil), "--horizon", "10d").wait(); s.ExitStatus() != 0 {
		t.Errorf("a replay ends with %d", s.ExitStatus())
	}
}
