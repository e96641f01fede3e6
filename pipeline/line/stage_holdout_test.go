package line

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ebb/pipeline"
	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// halves holds half of the customers out, for ten days at a time.
var halves = pipeline.Holdout{Share: alert.Whole / 2, Salt: "s", EpochMillis: 10 * pipeline.DayMillis}

// holding is a shelf with a holdout.
func holding(t testing.TB, k *pack.Pack, h pipeline.Holdout) *shelf {
	t.Helper()
	s := newShelf(t, k, 0, time.Hour)
	s.cfg.Settings.Holdout = h
	s.restart()
	return s
}

// armText is an alert with its arm, or a customer's arm, in words.
func armText(e *pipeline.Entry) string {
	_, customer := pipeline.SplitKey(e.Key)
	if e.Kind == pipeline.EntryAudience {
		return fmt.Sprintf("%s is %+v until %d", customer, e.Alert.Assigned, e.Until)
	}
	return fmt.Sprintf("%s %+v", alertText(e), e.Alert.Assigned)
}

// armed are the alerts and arms in the outbox, in order.
func (s *shelf) armed() (all []pipeline.Entry) {
	for _, b := range s.outbox {
		if e := pipeline.MustReadEntry(b); e.Kind == pipeline.EntryAlert || e.Kind == pipeline.EntryAudience {
			all = append(all, e)
		}
	}
	return all
}

func texts(all []pipeline.Entry) (texts []string) {
	for i := range all {
		texts = append(texts, armText(&all[i]))
	}
	return texts
}

// TestAssignArm: the arm of an episode is drawn at its raise, by the holdout of then, and is in all that follows of it.
func TestAssignArm(t *testing.T) {
	held, treated := "", ""
	for n := 0; held == "" || treated == ""; n++ {
		if name := fmt.Sprint("c", n); halves.Assign([]byte(key(name)), 3).Arm == alert.HeldOut {
			held = name
		} else {
			treated = name
		}
	}
	at := 25 * int64(pipeline.DayMillis)
	for name, want := range map[string]string{held: "holdout", treated: "treated"} {
		c := profile.Customer{Profile: &profile.Profile{}}
		for i, d := range []struct {
			kind       profile.Kind
			transition scoring.Transition
			on         bool
			want       alert.Assignment
			tells      bool
		}{
			{profile.Explicit, scoring.Raised, false, alert.Assignment{}, false},
			{profile.Lapse, scoring.Raised, true, alert.Assignment{Arm: 9, Epoch: 3, Share: 500_000}, true},
			{profile.Explicit, scoring.Recovered, true, alert.Assignment{}, false},
			{profile.Explicit, scoring.Raised, true, alert.Assignment{Arm: 9, Epoch: 3, Share: 500_000}, false},
			{profile.Lapse, scoring.Escalated, false, alert.Assignment{Arm: 9}, false},
			{profile.Lapse, scoring.Recovered, true, alert.Assignment{Arm: 9}, false},
			{profile.Lapse, scoring.Converted, true, alert.Assignment{Arm: 9}, false},
			{profile.Lapse, scoring.Raised, false, alert.Assignment{}, false},
			{profile.Lapse, scoring.Recovered, true, alert.Assignment{}, false},
			{profile.Explicit, scoring.Recovered, true, alert.Assignment{Arm: 9}, false},
		} {
			settings := pipeline.Settings{}
			if d.on {
				settings.Holdout = halves
			}
			on := decided{Customer: &c, Settings: &settings}
			on.Key = []byte(key(name))
			on.Alert.Kind, on.Alert.Transition, on.Alert.At = d.kind, d.transition, at
			if why := assignArm(&on); why != "" {
				t.Errorf("withheld: %s", why)
			}
			if d.want.Arm != alert.NoArm {
				d.want.Arm = map[string]alert.Arm{"holdout": alert.HeldOut, "treated": alert.Treated}[want]
			}
			if on.Alert.Assigned != d.want || on.Tells != d.tells {
				t.Errorf("%s, step %d: %+v, tells %v", want, i, on.Alert.Assigned, on.Tells)
			}
		}
	}
}

// TestHoldoutOfRandomLogs: whatever the batches, the restarts and the rollbacks, with a holdout the same is decided as
// without. All of an episode is of the arm that is drawn for its raise. Each customer's arm is published once in an
// epoch, and before the first alert of it.
func TestHoldoutOfRandomLogs(t *testing.T) {
	episodes, arms := [alert.NumArms]int{}, 0
	rapid.Check(t, func(r *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 31))
		records := stormRecords(rng)
		k := anyOf(t, 5*24*time.Hour)
		s, plain := holding(t, k, halves), newShelf(t, k, 0, time.Hour)
		copies := s.live(t, rng, records)
		decided, controls := s.published()
		plain.mark, plain.controls = s.publishedMark(), controls
		if diff := cmp.Diff(sorted(decided), sorted(plain.again(t, rng, records))); diff != "" {
			r.Fatalf("(-with +without a holdout):\n%s", diff)
		}
		counts := checkArms(r, s.armed(), &halves)
		for arm, n := range counts {
			episodes[arm] += n
		}
		arms += counts[alert.NoArm]
		want := sorted(texts(s.armed()))
		for _, c := range append(copies, holding(t, k, halves)) {
			before := len(c.outbox)
			repeated := texts(c.armed())
			c.mark, c.controls = s.publishedMark(), controls
			again := c.againArms(t, rng, records)
			if announced := c.outbox[before:]; len(announced) > 0 {
				r.Fatalf("published again: %s", pipeline.MustReadEntry(announced[0]).Key)
			}
			got := sorted(append(repeated, again...))
			if diff := cmp.Diff(want, got) + cmp.Diff(s.profiles, c.profiles); diff != "" {
				r.Fatalf("(-live +replay):\n%s", diff)
			}
		}
	})
	if episodes[alert.Treated] < 100 || episodes[alert.HeldOut] < 100 || arms < 100 {
		t.Errorf("episodes by arm %v, %d arms published: the logs show too little", episodes[1:], arms)
	}
}

// TestArmOfEvents: a customer's arm is published with its first event once the clock has started, and with the first of
// each later epoch; not while the group is in its history, and not without a holdout.
func TestArmOfEvents(t *testing.T) {
	days := func(from, to float64) (records []pipeline.Record) {
		for day := from; day < to; day++ {
			for _, name := range []string{"one", "two", "three"} {
				records = append(records, visit("", name, "visit", day))
			}
		}
		return records
	}
	epochs := func(s *shelf) (all []uint32) {
		for _, e := range s.armed() {
			if _, name := pipeline.SplitKey(e.Key); e.Kind == pipeline.EntryAudience && string(name) == "one" {
				all = append(all, e.Alert.Assigned.Epoch)
			}
		}
		return all
	}
	s := holding(t, anyOf(t, 50*24*time.Hour), halves)
	s.put(t, days(0, 30))
	first := halves.Epoch(1_700_000_000_000)
	if diff := cmp.Diff([]uint32{first, first + 1, first + 2, first + 3}, epochs(s)); diff != "" {
		t.Error(diff)
	}
	s.cfg.Settings.Holdout.Salt = "another"
	s.restart()
	s.put(t, days(30, 31))
	s.cfg.Settings.Holdout = pipeline.Holdout{}
	s.restart()
	s.put(t, days(31, 60))
	if got := epochs(s); len(got) != 5 || got[4] != first+3 {
		t.Errorf("%v, after another salt and the end of the holdout", got)
	}
	h := holding(t, anyOf(t, 50*24*time.Hour), halves)
	h.meta.First = pipeline.FirstStart{Until: 1000}
	h.restart()
	h.put(t, days(0, 35))
	if got := epochs(h); len(got) != 0 {
		t.Errorf("in history: %v", got)
	}
}

// checkArms checks the arms of alerts, and counts episodes by arm; under NoArm, the published arms.
func checkArms(r *rapid.T, all []pipeline.Entry, by *pipeline.Holdout) (counts [alert.NumArms]int) {
	raised, told := map[alert.ID]alert.Arm{}, map[string]uint32{}
	for i := range all {
		e := &all[i]
		a := e.Alert.Assigned
		if e.Kind == pipeline.EntryAudience {
			if a.Epoch <= told[string(e.Key)] || a != by.Assign(e.Key, a.Epoch) || e.Until != by.Ends(a.Epoch) {
				r.Fatalf("%s, after epoch %d", armText(e), told[string(e.Key)])
			}
			told[string(e.Key)] = a.Epoch
			counts[alert.NoArm]++
			continue
		}
		if e.Alert.Transition == scoring.Raised {
			if a != by.Assign(e.Key, by.Epoch(e.Alert.At)) || told[string(e.Key)] < a.Epoch {
				r.Fatalf("%s, told of epoch %d", armText(e), told[string(e.Key)])
			}
			raised[e.Alert.EpisodeID()] = a.Arm
			counts[a.Arm]++
			continue
		}
		if a != (alert.Assignment{Arm: raised[e.Alert.EpisodeID()]}) || a.Arm == alert.NoArm {
			r.Fatalf("%s, raised as %v", armText(e), raised[e.Alert.EpisodeID()])
		}
	}
	return counts
}

// sorted are the texts of alerts, without those of arms.
func sorted(texts []string) []string {
	texts = slices.DeleteFunc(slices.Clone(texts), func(s string) bool { return strings.Contains(s, " until ") })
	slices.Sort(texts)
	return texts
}

// againArms is again, with the alerts in the words of armText.
func (s *shelf) againArms(t testing.TB, rng *rand.Rand, records []pipeline.Record) (alerts []string) {
	t.Helper()
	s.againWith(t, rng, records, func(e *pipeline.Entry, _ *pack.Pack) { alerts = append(alerts, armText(e)) })
	return alerts
}

// TestArmIsForgotten: with the state of a customer who is gone its arm is removed from the topic, once; who comes back is
// told anew.
func TestArmIsForgotten(t *testing.T) {
	s := newShelf(t, anyOf(t, 5*24*time.Hour), 20*24*time.Hour, time.Hour)
	s.cfg.Settings.Holdout = pipeline.Holdout{Share: alert.Whole / 2, Salt: "s", EpochMillis: 3650 * pipeline.DayMillis}
	s.restart()
	for day := range 100 {
		records := []pipeline.Record{visit("", "one", "visit", float64(day)), visit("", "two", "visit", float64(day))}
		if day < 5 || day == 80 {
			records = append(records, visit("", "gone", "visit", float64(day)))
		}
		s.put(t, records)
		s.settle(t)
	}
	var got []alert.Arm
	for _, e := range s.armed() {
		if _, name := pipeline.SplitKey(e.Key); e.Kind == pipeline.EntryAudience && string(name) == "gone" {
			got = append(got, e.Alert.Assigned.Arm)
		}
	}
	if len(got) < 3 || got[0] == alert.NoArm || got[1] != alert.NoArm || got[2] != got[0] || len(got) > 4 {
		t.Errorf("%v", got)
	}
}

// TestArmOfErased: the arm of a customer who is erased is removed from the topic, before it is told that it is erased.
func TestArmOfErased(t *testing.T) {
	s := holding(t, anyOf(t, 50*24*time.Hour), halves)
	for day := range 3 {
		s.put(t, []pipeline.Record{
			visit(
				"",
				"c",
				"visit",
				float64(day),
			),
			visit("", "one", "visit", float64(day)),
			visit("", "two", "visit", float64(day)),
		})
	}
	s.put(t, []pipeline.Record{visit("", "c", "erase", 3)})
	var got []string
	for _, b := range s.outbox {
		e := pipeline.MustReadEntry(b)
		switch {
		case string(e.Key) != key("c"):
		case e.Kind == pipeline.EntryAudience:
			got = append(got, fmt.Sprintf("arm %q", e.Alert.Assigned.Arm))
		case e.Kind == pipeline.EntryErased:
			got = append(got, "erased")
		}
	}
	if len(got) != 3 || got[1] != `arm ""` || got[2] != "erased" {
		t.Errorf("%q", got)
	}
}
