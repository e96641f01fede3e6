package silence_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ebb/cmd/ebb/silence"
)

const (
	hour = int64(60 * 60 * 1000)
	day  = 24 * hour
)

// TestFollow follows some customers. Activity half a day after the last, or later, ends a silence.
func TestFollow(t *testing.T) {
	for _, c := range []struct {
		name  string
		at    []int64
		ended []silence.Silence
		open  silence.Silence
	}{
		{"once", []int64{day}, nil, silence.Silence{Start: day, Next: silence.Never, Visits: 1}},
		{
			"one visit of several activities",
			[]int64{day, day + hour, day + 12*hour},
			nil,
			silence.Silence{Start: day + 12*hour, Next: silence.Never, Visits: 1},
		},
		{
			"the typical gap is the upper median",
			[]int64{0, 2 * day, 2*day + hour, 12 * day, 15 * day},
			[]silence.Silence{
				{Start: 0, Next: 2 * day, Visits: 1},
				{Start: 2*day + hour, Next: 12 * day, Visits: 2, Typical: 2 * day},
				{Start: 12 * day, Next: 15 * day, Visits: 3, Typical: 10*day - hour},
			},
			silence.Silence{Start: 15 * day, Next: silence.Never, Visits: 4, Typical: 3 * day},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var one silence.Customer
			var ended []silence.Silence
			for _, at := range c.at {
				if s, ok := one.Active(at); ok {
					ended = append(ended, s)
				}
			}
			open, ok := one.Open()
			if diff := cmp.Diff(c.ended, ended); diff != "" || open != c.open || !ok {
				t.Errorf("open %+v, want %+v; ended: want (-), got (+):\n%s", open, c.open, diff)
			}
		})
	}
	if _, ok := new(silence.Customer).Open(); ok {
		t.Error("a customer who never came is silent")
	}
}

// TestTypical compares the typical gap with that of the last 20 gaps sorted.
func TestTypical(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var one silence.Customer
	var gaps []int64
	at := int64(0)
	one.Active(at)
	for range 200 {
		gap := day/2 + rng.Int64N(5)*day
		at += gap
		one.Active(at)
		gaps = append(gaps, gap)
		last := slices.Sorted(slices.Values(gaps[max(0, len(gaps)-20):]))
		if s, _ := one.Open(); s.Typical != last[len(last)/2] || s.Visits != len(gaps)+1 {
			t.Fatalf("after %d gaps: %+v, want %d", len(gaps), s, last[len(last)/2])
		}
	}
}

func TestClass(t *testing.T) {
	const horizon = 90 * day
	for _, c := range []struct {
		visits  int
		typical int64
		want    silence.Class
	}{
		{1, 0, silence.OneTimer},
		{2, day, silence.Occasional},
		{4, day, silence.Occasional},
		{5, 15 * day, silence.Regular},
		{5, 15*day + 1, silence.Occasional},
		{500, 7 * day, silence.Regular},
	} {
		s := silence.Silence{Visits: c.visits, Typical: c.typical}
		if got := s.Class(horizon); got != c.want {
			t.Errorf("%d visits every %d days: %v, want %v", c.visits, c.typical/day, got, c.want)
		}
	}
}

// TestShares counts silences whose end is known, one of each kind.
func TestShares(t *testing.T) {
	s := silence.Shares{Horizon: 10 * day, From: 0, End: 100 * day, Lengths: []int64{5 * day, 20 * day}}
	for _, one := range []silence.Silence{
		{Start: -day, Next: silence.Never, Visits: 1},      // begun too early
		{Start: 0, Next: 5 * day, Visits: 1},               // back
		{Start: 0, Next: 15 * day, Visits: 1},              // back at the last moment
		{Start: 0, Next: 40 * day, Visits: 1},              // gone, twice
		{Start: 80 * day, Next: silence.Never, Visits: 1},  // too late for the second length
		{Start: 90 * day, Next: silence.Never, Visits: 1},  // and for both
		{Start: 10 * day, Next: silence.Never, Visits: 10}, // of another class
	} {
		s.Add(one)
	}
	if diff := cmp.Diff([]silence.Share{{Gone: 2, All: 3}, {Gone: 1, All: 1}}, s.Of(silence.OneTimer)); diff != "" {
		t.Errorf("one-timers: want (-), got (+):\n%s", diff)
	}
	if diff := cmp.Diff([]silence.Share{{}, {}}, s.Of(silence.Occasional)); diff != "" {
		t.Errorf("occasional: want (-), got (+):\n%s", diff)
	}
	if got := s.Of(silence.OneTimer)[0].Of(); math.Abs(got-2.0/3) > 1e-9 {
		t.Errorf("share %g", got)
	}
}

// TestTally judges alerts and leavers at the edges.
func TestTally(t *testing.T) {
	const horizon = 10 * day
	var tally silence.Tally
	s := silence.Silence{Start: 100 * day, Next: 120 * day, Visits: 6, Typical: day}
	for at, right := range map[int64]int64{110*day - 1: 1, 110 * day: 0, 119 * day: 0} {
		var one silence.Tally
		if one.Alert(&s, at, horizon); one.Alerts != 1 || one.Right != right {
			t.Errorf("alert %d h before the return: right %d, want %d", (s.Next-at)/hour, one.Right, right)
		}
	}
	for _, at := range []int64{102 * day, 105 * day, 105*day + 1, 110 * day, 110*day + 1, silence.Never} {
		tally.Leaver(&s, at, horizon)
	}
	if tally.Gone != 6 || tally.ByHalf != 2 || tally.ByHorizon != 4 {
		t.Errorf("%d gone, caught %d and %d", tally.Gone, tally.ByHalf, tally.ByHorizon)
	}
	if days, gaps := tally.Delay(); days < 5 || days > 10 || gaps != days {
		t.Errorf("median delay %g days, %g gaps", days, gaps)
	}
	for range 3 {
		tally.Leaver(&s, silence.Never, horizon)
	}
	if days, _ := tally.Delay(); !math.IsInf(days, 1) {
		t.Errorf("median delay %g days where most were not caught", days)
	}
	if days, gaps := new(silence.Tally).Delay(); !math.IsNaN(days) || !math.IsNaN(gaps) {
		t.Errorf("median delay of nobody: %g, %g", days, gaps)
	}
}

func TestWindow(t *testing.T) {
	for _, c := range []struct{ end, horizon, from, until int64 }{
		{1000 * day, 90 * day, 90 * day, 910 * day},
		{500 * day, 90 * day, 50 * day, 410 * day},
	} {
		w := silence.WindowOf(0, c.end, c.horizon)
		if w != (silence.Window{From: c.from, Until: c.until}) || !w.Has(c.from) || w.Has(c.until+1) {
			t.Errorf("window %+v of a log of %d days", w, c.end/day)
		}
	}
}
