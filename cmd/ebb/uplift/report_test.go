package uplift

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ebb/scoring/alert"
)

// said is an alert of a day of 2026, as published.
type said struct {
	customer, kind, transition, arm, playbook string
	day                                       float64
	epoch                                     uint32
	share                                     float64
}

func (a *said) value() []byte {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(a.day * 24 * float64(time.Hour)))
	text := fmt.Sprintf(`{"tenant":"t","customer":%q,"kind":%q,"transition":%q,"tier":"watch","time":%q`,
		a.customer, a.kind, a.transition, at.Format(time.RFC3339))
	if a.playbook != "" {
		text += fmt.Sprintf(`,"playbook":{"id":%q}`, a.playbook)
	}
	if a.arm != "" {
		text += fmt.Sprintf(`,"arm":%q`, a.arm)
	}
	if a.epoch != 0 {
		text += fmt.Sprintf(`,"arm_epoch":%d,"arm_share":%v`, a.epoch, a.share)
	}
	return append([]byte(text), '}')
}

// collected are alerts in an order that chance draws, since topics and partitions are read one after another.
func collected(t *testing.T, c collection, all []said) *collection {
	t.Helper()
	c.stories = map[subject]*story{}
	if c.since == 0 {
		c.since = math.MinInt64
	}
	for _, i := range rand.Perm(len(all)) {
		if err := c.take(all[i].value(), all[i].arm == "holdout"); err != nil {
			t.Fatal(err)
		}
	}
	return &c
}

// day0 is the first of 2026, in ms.
const day0, dayMillis = int64(1_767_225_600_000), int64(86_400_000)

// counts are the customers and outcomes of a report's comparisons in words.
func counts(r *Report) map[string]string {
	all := map[string]string{}
	for i := range r.Comparisons {
		c := &r.Comparisons[i]
		all[c.Kind+" "+c.Outcome+" "+c.Part] = fmt.Sprintf("%d of %d, %d of %d, %d wait", c.Treated.Outcomes,
			c.Treated.Customers, c.HeldOut.Outcomes, c.HeldOut.Customers, c.Waiting)
	}
	return all
}

// TestCounts: a customer counts once in an epoch, by the first raise, once the time has passed; with the outcome where it
// came in that time, of whichever episode.
func TestCounts(t *testing.T) {
	lapse := func(customer, transition, arm string, day float64, epoch uint32) said {
		s := said{customer: customer, kind: "lapse", transition: transition, arm: arm, day: day, playbook: "p"}
		if transition == "raised" {
			s.epoch, s.share = epoch, 0.1
		}
		return s
	}
	all := []said{
		lapse("within", "raised", "treated", 1, 1), lapse("within", "converted", "treated", 31, 1),
		lapse("beyond", "raised", "treated", 1, 1), lapse("beyond", "converted", "treated", 31.01, 1),
		lapse("back", "raised", "treated", 1, 1), lapse("back", "recovered", "treated", 2, 1),
		lapse("second", "raised", "holdout", 1, 1), lapse("second", "recovered", "holdout", 2, 1),
		lapse("second", "raised", "holdout", 20, 1), lapse("second", "converted", "holdout", 25, 1),
		lapse("again", "raised", "holdout", 1, 1), lapse("again", "converted", "holdout", 2, 1),
		lapse("again", "raised", "treated", 40, 2),
		lapse("late", "raised", "holdout", 75, 2),
		{customer: "paid", kind: "involuntary", transition: "raised", arm: "treated", day: 1, epoch: 1, share: 0.1},
		{customer: "paid", kind: "involuntary", transition: "recovered", arm: "treated", day: 3},
		{customer: "before", kind: "lapse", transition: "raised", day: 1},
		{customer: "before", kind: "lapse", transition: "converted", day: 2},
	}
	for name, c := range map[string]struct {
		collection
		want map[string]string
	}{
		"by kind": {collection{converts: true}, map[string]string{
			"lapse converted ":       "1 of 4, 2 of 2, 1 wait",
			"involuntary recovered ": "1 of 1, 0 of 0, 0 wait",
		}},
		"without a value action": {collection{}, map[string]string{
			"lapse recovered ":       "1 of 4, 1 of 2, 1 wait",
			"involuntary recovered ": "1 of 1, 0 of 0, 0 wait",
		}},
		"by epoch": {collection{converts: true, by: ByEpoch}, map[string]string{
			"lapse converted 1":       "1 of 3, 2 of 2, 0 wait",
			"lapse converted 2":       "0 of 1, 0 of 0, 1 wait",
			"involuntary recovered 1": "1 of 1, 0 of 0, 0 wait",
		}},
		"by playbook": {collection{converts: true, by: ByPlaybook}, map[string]string{
			"lapse converted p":          "1 of 4, 2 of 2, 1 wait",
			"involuntary recovered none": "1 of 1, 0 of 0, 0 wait",
		}},
		"since": {collection{converts: true, since: day0 + 30*dayMillis}, map[string]string{
			"lapse converted ": "0 of 1, 0 of 0, 1 wait",
		}},
	} {
		r := collected(t, c.collection, all).report(day0+100*dayMillis, 30*dayMillis, 0.05)
		if diff := cmp.Diff(c.want, counts(r)); diff != "" || r.Misplaced != 0 || r.OtherShares != 0 {
			t.Errorf("%s: %+v\n%s", name, r, diff)
		}
	}
}

// TestWrongExperiments: arms that are not as drawn, and alerts in the wrong topic, are told apart from any result; raises
// by another share than the newest are left out.
func TestWrongExperiments(t *testing.T) {
	raises := func(treated, heldOut int, share float64, day float64) (all []said) {
		for n := range treated + heldOut {
			s := said{customer: fmt.Sprint(day, n), kind: "lapse", transition: "raised", day: day, epoch: 1, share: share}
			if s.arm = "treated"; n < heldOut {
				s.arm = "holdout"
			}
			all = append(all, s)
		}
		return all
	}
	at := day0 + 100*dayMillis
	c := collected(t, collection{}, append(raises(450, 50, 0.1, 5), raises(30, 30, 0.5, 3)...))
	r := c.report(at, 30*dayMillis, 0.05)
	if r.Wrong() || r.Share != 0.1 || r.OtherShares != 60 || r.Arms != (Arms{450, 50, 50, 1, true}) {
		t.Errorf("as drawn: %+v", r)
	}
	r = collected(t, collection{}, raises(500, 20, 0.1, 5)).report(at, 30*dayMillis, 0.05)
	if !r.Wrong() || r.Arms.OK || r.Arms.Expected != 52 {
		t.Errorf("half of one arm is missing: %+v", r)
	}
	if err := c.take([]byte(`{"arm":"treated","transition":"escalated"}`), true); err != nil || c.misplaced != 1 {
		t.Errorf("in the wrong topic: %d, %v", c.misplaced, err)
	}
	if r := c.report(at, 30*dayMillis, 0.05); !r.Wrong() {
		t.Errorf("%+v", r)
	}
	if err := c.take([]byte("none"), false); err == nil {
		t.Error("what is no alert is taken")
	}
	none := collected(t, collection{}, nil).report(at, 30*dayMillis, 0.05)
	if none.Wrong() || none.Share != 0 || len(none.Comparisons) != 0 {
		t.Errorf("of nothing: %+v", none)
	}
}

// TestVerdicts: there is an effect where the interval does not hold 0, none was seen where one of the wanted size would
// have been, and else there is not enough data.
func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		treated, heldOut Group
		size             float64
		want             Verdict
		missing          int64
	}{
		{Group{Customers: 1800, Outcomes: 540}, Group{Customers: 200, Outcomes: 40}, 0.05, Effect, 0},
		{Group{Customers: 1800, Outcomes: 180}, Group{Customers: 200, Outcomes: 60}, 0.05, Effect, 0},
		{Group{Customers: 9000, Outcomes: 1800}, Group{Customers: 1000, Outcomes: 200}, 0.05, NoneSeen, 0},
		{Group{Customers: 9000, Outcomes: 1800}, Group{Customers: 1000, Outcomes: 200}, 0.01, NotEnoughData, 129536},
		{Group{Customers: 180, Outcomes: 36}, Group{Customers: 20, Outcomes: 4}, 0.05, NotEnoughData, 5382},
		{Group{Customers: 180, Outcomes: 180}, Group{Customers: 19}, 0.05, NotEnoughData, 2823},
		{Group{}, Group{}, 0.05, NotEnoughData, 8721},
		{Group{Customers: 180}, Group{Customers: 20}, 0.05, NotEnoughData, 8521},
		{Group{Customers: 180, Outcomes: 9}, Group{Customers: 19, Outcomes: 1}, 0.5, NotEnoughData, 10},
	} {
		v := Comparison{Treated: c.treated, HeldOut: c.heldOut}
		v.conclude(c.size, 0.1)
		if v.Verdict != c.want || v.Missing != c.missing || (v.Difference == nil) != (c.heldOut.Customers < 20) {
			t.Errorf("%+v: %s, %d missing, %+v", c, v.Verdict, v.Missing, v.Difference)
		}
	}
}

// TestArmsByUnit: a customer who is raised in two kinds counts once among the arms.
func TestArmsByUnit(t *testing.T) {
	got := sizes(map[unit]alert.Arm{
		{"t", "a", 1}: alert.Treated, {"t", "a", 2}: alert.HeldOut, {"", "a", 1}: alert.Treated,
	}, 0.5)
	if got.Treated != 2 || got.HeldOut != 1 || got.Expected != 1.5 || !got.OK {
		t.Errorf("%+v", got)
	}
}
