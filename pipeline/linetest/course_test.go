//go:build integration

package linetest_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
)

// coursePack is a pack whose lapses go on by themselves.
const coursePack = `name: course
version: 1
horizon: 20d
activity: [visit]
raise: {otherwise: watch}
churned: true
playbooks:
  - when: {kind: lapse}
    mid:
      id: write
      intent: content
      owner: crm
      respond_within: 1d
      steps:
        - {after: 2d, action: offer, intent: offer, owner: crm, respond_within: 1d}
        - {after: 9d, action: question, intent: content, owner: crm, respond_within: 2d}
`

// courseRecords is a log of customers who come every few days and stay away now and then. Of some it is known where they
// live, or that they want no mails.
func courseRecords() []record {
	const day = 86_400
	r := rand.New(rand.NewPCG(35, 36))
	begin := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	var all []record
	add := func(customer string, at int64, kind, properties string) {
		all = append(all, record{key: customer, millis: at * 1000, value: fmt.Appendf(nil,
			`{"id":"e%d","customer":%q,"type":%q,"time":%d,"properties":%s}`, len(all), customer, kind, at, properties)})
	}
	for c := range 600 {
		at, every := begin+r.Int64N(5*day), 1+r.Int64N(4)
		if c%3 == 0 {
			add(
				nth(c),
				at-60,
				"identify",
				`{"zone":"`+[]string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe"}[c%9/3]+`"}`,
			)
		}
		for at < begin+300*day {
			add(nth(c), at, "visit", `{}`)
			if at += 3600 + r.Int64N(2*every*day); r.IntN(12) == 0 {
				at += r.Int64N(60 * day)
			}
			if c%4 == 0 && r.IntN(20) == 0 {
				add(nth(c), at-3600, []string{"Unsubscribed", "Resubscribed"}[r.IntN(2)], `{"channel":"email"}`)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b record) int { return int(a.millis - b.millis) })
	return all
}

// TestCourseKilled: on real services, killed six times with SIGKILL, the program publishes the steps and ends of lapses, with
// how their customers may be written to, as it does undisturbed: to the byte, none twice, each customer's in order. They
// come at their times, no step comes outside of an open lapse, and nothing is to be sent at night.
func TestCourseKilled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	w.produce(courseRecords())
	pack := filepath.Join(t.TempDir(), "course.yaml")
	if err := os.WriteFile(pack, []byte(coursePack), 0o600); err != nil {
		t.Fatal(err)
	}
	g := w.group("killed", redisAddress(), map[string]string{
		"pack": pack, "batch.max_bytes": "64KiB", "contact.zone": "Asia/Kolkata", "time.lateness": "5m",
	})
	flags := []string{"--until-end", "--leave"}
	length := slices.Min(w.ends())
	for i, step := range []string{"commit", "publish", "position", "commit", "init", "publish"} {
		at := int64(i+1) * length / 8
		if step == "position" || step == "init" { // of a takeover, which has no offset
			at = 0
		}
		p := g.run(nil, []string{fmt.Sprintf("EBB_TEST_KILL=%s %d", step, at)}, flags...)
		if s := p.wait(); s.Signal() != syscall.SIGKILL {
			t.Fatalf("kill %d, %s: ended with status %d instead", i, step, s.ExitStatus())
		}
	}
	t.Logf("the rest: %+v", g.run(nil, nil, flags...).finish())
	got := g.published()
	checkOnce(t, got)
	checkCourse(t, g)
	g.reset()
	g.run(nil, nil, flags...).finish()
	checkSame(t, g.published(), got)
}

// checkCourse fails the test where a step or an end comes at another time, out of order or outside of an open lapse, or
// where what is to be done may be done at night.
func checkCourse(t *testing.T, g *group) {
	t.Helper()
	const day = 24 * time.Hour
	opened, step, seen := map[string]time.Time{}, map[string]int{}, map[string]int{}
	for _, r := range g.read(g.alerts) {
		var a struct {
			Customer, Transition, Zone string
			ZoneOf                     string `json:"zone_of"`
			Time                       time.Time
			NotBefore                  time.Time `json:"not_before"`
			Contactable                *bool
			Playbook                   struct{ Step int }
		}
		if err := json.Unmarshal(r.Value, &a); err != nil {
			t.Fatal(err)
		}
		seen[a.Transition]++
		if a.ZoneOf == "" {
			seen["own zone"]++
		}
		if a.Contactable != nil {
			seen["contactable"]++
		}
		since, isOpen := opened[a.Customer]
		bad := isOpen == (a.Transition == "raised")
		switch a.Transition {
		case "raised":
			opened[a.Customer], step[a.Customer] = a.Time, 1
		case "reminded":
			step[a.Customer]++
			bad = bad || a.Playbook.Step != step[a.Customer] ||
				a.Time.Sub(since) != []time.Duration{2: 2 * day, 3: 9 * day}[a.Playbook.Step]
		case "churned":
			bad = bad || a.Time.Sub(since) != 20*day
			delete(opened, a.Customer)
		case "escalated":
			bad = bad || a.Playbook.Step != step[a.Customer]
		default:
			delete(opened, a.Customer)
		}
		if _, going := opened[a.Customer]; going {
			location, err := time.LoadLocation(a.Zone)
			if err != nil {
				t.Fatal(err)
			}
			hour := a.NotBefore.In(location).Hour()
			bad = bad || hour < 9 || hour >= 21 || a.NotBefore.Before(a.Time) || a.NotBefore.Sub(a.Time) > 13*time.Hour
		}
		if bad {
			t.Errorf("not to be expected, raised at %v: %s", since, r.Value)
		}
	}
	t.Log(seen)
	for _, what := range []string{"raised", "reminded", "recovered", "churned", "own zone", "contactable"} {
		if seen[what] < 50 {
			t.Errorf("%v: the log shows too little", seen)
		}
	}
}
