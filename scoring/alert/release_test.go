package alert_test

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// TestRelease: an open episode of any kind, released at any later minute, is raised as the first of its transitions with
// the number that it had. The schema describes the alert, which explains itself; the customer's state reads back, and the
// transitions after it are those of an episode that was raised.
func TestRelease(t *testing.T) {
	k, described := scoringtest.PackOf(t, "1", scoringtest.Lapsing()...), schema(t)
	types, released := k.EventTypes(), [profile.NumKinds]int{}
	rapid.Check(t, func(t *rapid.T) {
		scorer, pop, p := scoring.NewScorer(k), profile.Population{}, scoringtest.Eligible()
		c, now := profile.Customer{Profile: &p}, int64(1_600_000_000_000)
		check := func(decisions []scoring.Decision) {
			for i := range decisions {
				d := decisions[i]
				a := alert.Alert{Decision: d, Customer: []byte("c"), Cause: alert.Cause{Deadline: true, Time: d.At}}
				b := alert.NewRenderer(k).AppendAlert(nil, &a, a.ID())
				var v any
				if err := json.Unmarshal(b, &v); err != nil {
					t.Fatal(err)
				}
				if err := described.Validate(v); err != nil {
					t.Fatalf("%s: %v", b, err)
				}
				if x, err := alert.NewRenderer(k).Explain(b); d.Held() && (err != nil || len(x.Differences) > 0) {
					t.Fatalf("%s: %v, error %v", b, x, err)
				}
			}
		}
		pass := func(ms int64) {
			for now += ms; p.Armed != 0 && p.Armed <= now/60_000; {
				check(scorer.Wake(&c))
			}
		}
		for range rapid.IntRange(1, 9).Draw(t, "events") {
			pass(rapid.Int64Range(0, 40*scoringtest.Day).Draw(t, "gap"))
			typ := rapid.SampledFrom(types).Draw(t, "type")
			scorer.Observe(&c, &pop, &scoring.Observation{Time: now, Signal: k.Signal([]byte(typ))})
		}
		pass(rapid.SampledFrom([]int64{0, 1, 9, 60, 120, 200}).Draw(t, "silence") * scoringtest.Day)
		for n := range profile.NumKinds {
			before := *p.Episode(n)
			decisions := scorer.Release(&c, n, now/60_000)
			if (len(decisions) == 1) != before.Open() {
				t.Fatalf("%v: %d decisions of %+v", n, len(decisions), before)
			}
			for i := range decisions {
				d := &decisions[i]
				d.Initial, d.HeldFor = i == 0, rapid.Int64Range(0, 90_000).Draw(t, "held for")
				if d.Transition != scoring.Raised || d.Sequence != 1 || d.Episode != before.Number || d.Opened != d.At {
					t.Fatalf("%v: %+v of %+v", n, *d, before)
				}
				released[n]++
			}
			check(decisions)
			again := profile.Customer{Profile: &profile.Profile{}}
			if err := profile.Read(profile.Append(nil, &c, profile.Format), &again); err != nil || *again.Profile != p {
				t.Fatalf("%v: %+v, %v", n, *again.Profile, err)
			}
		}
		pass(100 * scoringtest.Day)
	})
	if min(released[0], released[1], released[2]) == 0 {
		t.Errorf("%v are released: the events show too little", released)
	}
}
