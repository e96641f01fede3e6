//go:build integration

package linetest_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"
)

// toErase is how many customers TestErase erases: half of them by records in the log, half by the command.
const toErase = 8

func leaver(n int) string { return fmt.Sprintf("person-%02d@example.org", n) }

// TestErase erases customers while the processor is killed, and once more after Redis has lost the commits that did. What
// is in Redis then, and what was published behind the record that says so, holds no byte of their ids, though old events
// of theirs are sent again. A replay decides the same, and so does a rebuild, which publishes nothing of them, and a run
// that nothing disturbs.
func TestErase(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	g := w.group("run", redisAddress(), map[string]string{"batch.max_bytes": "64KiB", "state.retention": "400d"})
	flags := append(shopFlags(), "--until-end", "--leave")
	first, second := erasedLog()
	w.produce(first)
	end := slices.Min(w.ends())
	for _, kill := range []string{
		fmt.Sprint("commit ", end/2), fmt.Sprint("publish ", end*2/3), "claim 0", fmt.Sprint("publish ", end-1),
		fmt.Sprint("commit ", end),
	} {
		p := g.run(nil, []string{"EBB_TEST_KILL=" + kill}, flags...)
		if s := p.wait(); s.Signal() != syscall.SIGKILL {
			t.Fatalf("%s: ended with status %d instead", kill, s.ExitStatus())
		}
	}
	g.run(nil, nil, flags...).finish()
	if where := g.holding(toErase / 2); where != "" {
		t.Error(where)
	}
	older := g.state(t.Context())

	p := g.run(nil, nil, shopFlags()...)
	p.says("partition taken over")
	for n := toErase / 2; n < toErase; n++ {
		g.erase(leaver(n))
	}
	eventually(t, "nothing is left of them", func() bool { return g.holding(toErase) == "" }) // but for the outbox
	p.signal(syscall.SIGKILL)
	p.wait()
	g.putBack(older)
	w.produce(second)
	g.run(nil, nil, flags...).finish()
	got := g.published()
	g.checkErased("after Redis was rolled back")
	if s := start(t, nil, append([]string{"replay", "-c", g.config(nil)}, shopFlags()...)...).wait(); s.ExitStatus() != 0 {
		t.Errorf("a replay ends with %d", s.ExitStatus())
	}

	rebuild := start(
		t,
		nil,
		append([]string{"rebuild", "-c", g.config(nil), "--from", "earliest", "--yes"}, shopFlags()...)...)
	if s := rebuild.wait(); s.ExitStatus() != 0 {
		t.Fatalf("rebuild: exit status %d\n%s", s.ExitStatus(), rebuild.stderr.String())
	}
	g.run(nil, nil, flags...).finish()
	if n := len(g.published()); n != len(got) {
		t.Errorf("a rebuild publishes %d alerts", n-len(got))
	}
	g.checkErased("after a rebuild")

	checkOnce(t, slices.DeleteFunc(slices.Clone(got), func(a alert) bool { return a.Transition == "erased" }))
	g.reset()
	g.run(nil, nil, flags...).finish()
	checkSame(t, g.published(), got)
	g.checkErased("undisturbed")
}

// erasedLog is a log in two parts. At the end of the first, half of those who leave are erased by records; in the second
// all of their events are sent again, and none is new.
func erasedLog() (first, second []record) {
	rows := shop(19, 300, 500)
	middle := rows[len(rows)*2/3].seconds
	var before, after, again []row
	for i := range rows {
		r := &rows[i]
		n := 0
		if _, err := fmt.Sscanf(r.customer, "c%d", &n); err == nil && n < toErase {
			r.customer = leaver(n)
		}
		switch {
		case r.seconds <= middle:
			before = append(before, *r)
			if n < toErase {
				again = append(again, *r)
			}
		case n >= toErase:
			after = append(after, *r)
		}
	}
	for n := range toErase / 2 {
		before = append(before, row{leaver(n), middle, "erase"})
	}
	return events("first", 1, before), append(events("again", 1, again), events("second", 1, after)...)
}

// erase asks for the erasure of a customer, and waits until the group has done it.
func (g *group) erase(customer string) {
	g.t.Helper()
	p := start(
		g.t,
		nil,
		"erase",
		customer,
		"-c",
		g.config(nil),
		"--by",
		"a clerk",
		"--why",
		"request 17",
		"--yes",
		"--json",
		"--wait",
		"60s",
	)
	if s := p.wait(); s.ExitStatus() != 0 {
		g.t.Fatalf("erase: exit status %d\n%s", s.ExitStatus(), p.stderr.String())
	}
	var out struct {
		Erased     bool    `json:"erased"`
		Partitions []int32 `json:"partitions"`
	}
	if err := json.Unmarshal([]byte(p.stdout.String()), &out); err != nil || !out.Erased || len(out.Partitions) != 1 {
		g.t.Errorf("erase %s: %s", customer, p.stdout.String())
	}
}

// putBack makes the group's state in Redis one of before.
func (g *group) putBack(older map[string]string) {
	g.t.Helper()
	ctx := g.t.Context()
	for key := range g.state(ctx) {
		g.redis.Del(ctx, key)
	}
	for key, dump := range older {
		if err := g.redis.Restore(ctx, key, 0, dump).Err(); err != nil {
			g.t.Fatal(err)
		}
	}
}

// checkErased fails the test where the id of one of those who leave stands in Redis, or in a record that was published
// behind the one that says so; and where that one is not there once.
func (g *group) checkErased(when string) {
	g.t.Helper()
	if where := g.holding(toErase); where != "" {
		g.t.Errorf("%s: %s", when, where)
	}
	said, raised := map[string]int{}, 0
	for _, a := range g.published() {
		switch {
		case !strings.HasPrefix(a.Customer, "person-"):
		case said[a.Customer] > 0:
			g.t.Errorf("%s: behind its erasure: %s", when, a.record)
		case a.Transition == "erased":
			said[a.Customer]++
		default:
			raised++
		}
	}
	if len(said) != toErase || raised == 0 {
		g.t.Errorf("%s: %d were erased, %d alerts before: %v", when, len(said), raised, said)
	}
	for _, topic := range append(g.own()[:2], g.input+".dlq") {
		for _, r := range g.read(topic) {
			if strings.Contains(wire(r), "person-") {
				g.t.Errorf("%s: in %s: %s", when, topic, wire(r))
			}
		}
	}
}

// holding is which key in Redis holds the id of one of the first n who leave; "": none does.
func (g *group) holding(n int) string {
	g.t.Helper()
	for key, content := range g.everything() {
		for i := range n {
			if strings.Contains(key+content, leaver(i)) {
				return key + " holds " + leaver(i)
			}
		}
	}
	return ""
}

// everything is what the group's keys in Redis hold, in plain bytes.
func (g *group) everything() map[string]string {
	g.t.Helper()
	ctx, all := g.t.Context(), map[string]string{}
	keys := g.redis.Scan(ctx, 0, "ebb:{"+g.name+":p*", 1000).Iterator()
	for keys.Next(ctx) {
		key := keys.Val()
		var text []string
		var err error
		switch kind := g.redis.Type(ctx, key).Val(); kind {
		case "string":
			text = []string{g.redis.Get(ctx, key).Val()}
		case "list":
			text, err = g.redis.LRange(ctx, key, 0, -1).Result()
		case "hash":
			var fields map[string]string
			fields, err = g.redis.HGetAll(ctx, key).Result()
			for name, value := range fields {
				text = append(text, name, value)
			}
		case "none": // it is gone by now
		default:
			g.t.Errorf("%s is a %s", key, kind)
		}
		if err != nil && err != redis.Nil { //nolint:errorlint // as the client returns it
			g.t.Fatal(err)
		}
		all[key] = strings.Join(text, "\x00")
	}
	if err := keys.Err(); err != nil {
		g.t.Fatal(err)
	}
	return all
}
