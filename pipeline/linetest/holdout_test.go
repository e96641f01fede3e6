//go:build integration

package linetest_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestHoldout has customers fall due in two partitions, with a holdout, and kills the processor nine times. Both topics of
// alerts together hold what a group without a holdout publishes undisturbed, nothing twice and each customer's in one of
// them, which is that of the arm that the audience topic says. A replay decides all of it again.
func TestHoldout(t *testing.T) {
	t.Parallel()
	type kill struct {
		step string
		at   int64
	}
	w := newWorld(t, 2)
	w.produce(events("holdout", 1, leavingTogether(400, 60)))
	flags := []string{"--until-end", "--leave", "--horizon", "10d"}
	plain := w.group("plain", redisAddress(), nil)
	plain.run(nil, nil, flags...).finish()

	g := w.group("run", redisAddress(), map[string]string{
		"holdout.enabled": "true", "holdout.share": "0.3", "holdout.epoch": "3650d", "batch.max_bytes": "64KiB",
	})
	heldOut, audience := g.alerts+".holdout", g.name+".audience"
	g.keys["kafka.holdout"], g.keys["kafka.audience"] = heldOut, audience
	w.create(2, heldOut, audience)
	end := slices.Min(w.ends())
	for _, k := range []kill{
		{"commit", 1},
		{"init", 0},
		{"publish", end / 3},
		{"commit", end / 2},
		{"claim", 0},
		{"publish", end * 3 / 4},
		{"position", 0},
		{"publish", end * 9 / 10},
		{"commit", end},
	} {
		p := g.run(nil, []string{fmt.Sprintf("EBB_TEST_KILL=%s %d", k.step, k.at)}, flags...)
		if s := p.wait(); s.Signal() != syscall.SIGKILL {
			t.Fatalf("%+v: ended with status %d instead", k, s.ExitStatus())
		}
	}
	g.run(nil, nil, flags...).finish()

	got, arms := map[string]string{}, map[string]string{}
	for topic, arm := range map[string]string{g.alerts: "treated", heldOut: "holdout"} {
		for id, a := range armless(t, w, topic) {
			if got[id] != "" {
				t.Errorf("%s is in both topics", id)
			}
			if got[id] = a.value; a.Arm != arm || arms[a.Customer] != "" && arms[a.Customer] != arm {
				t.Errorf("%s of %s is %s, in the topic of %s; others of it are %s", id, a.Customer, a.Arm, arm, arms[a.Customer])
			}
			arms[a.Customer] = arm
		}
	}
	want := map[string]string{}
	for id, a := range armless(t, w, plain.alerts) {
		want[id] = a.value
	}
	if diff := cmp.Diff(want, got); diff != "" || len(want) < 400 {
		t.Errorf("%d alerts (-without +with a holdout):\n%.2000s", len(want), diff)
	}
	told := map[string]string{}
	for _, r := range w.read(audience) {
		var a struct{ Customer, Arm string }
		if err := json.Unmarshal(r.Value, &a); err != nil || told[a.Customer] != "" {
			t.Errorf("%s: %s, after %q, %v", r.Key, r.Value, told[a.Customer], err)
		}
		told[a.Customer] = a.Arm
	}
	held := 0
	for customer, arm := range arms {
		if arm == "holdout" {
			held++
		}
		if told[customer] != arm {
			t.Errorf("%s is %s, and told to be %q", customer, arm, told[customer])
		}
	}
	if held < 80 || held > 160 {
		t.Errorf("%d of %d customers are held out", held, len(arms))
	}
	for _, args := range [][]string{{"replay"}, {"report", "uplift"}} {
		p := start(t, nil, append(args, "-c", g.config(nil), "--horizon", "10d")...)
		if s := p.wait(); s.ExitStatus() != 0 {
			t.Errorf("%v ends with %d:\n%s", args, s.ExitStatus(), p.stderr.String())
		}
	}
}

// armed is an alert with its arm, and its value without.
type armed struct {
	ID, Customer, Arm string
	value             string
}

// armless are the alerts of a topic by id, without what says the arm.
func armless(t *testing.T, w *world, topic string) map[string]armed {
	t.Helper()
	fields := regexp.MustCompile(`,"arm(_epoch|_share)?":[^,]+`)
	all := map[string]armed{}
	for _, r := range w.read(topic) {
		var a armed
		if err := json.Unmarshal(r.Value, &a); err != nil {
			t.Fatal(err)
		}
		if a.value = fields.ReplaceAllString(string(r.Value), ""); all[a.ID].ID != "" {
			t.Errorf("%s is in %s twice", a.ID, topic)
		}
		all[a.ID] = a
	}
	return all
}
