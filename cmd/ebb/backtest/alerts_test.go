package backtest

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"ebb/cmd/ebb/backtest/silences"
	"ebb/scoring/profile"
)

// sameFigures compares figures to the ninth decimal, and all unknown ones as equal.
func sameFigures() gocmp.Option {
	return gocmp.Comparer(func(a, b Figure) bool {
		return !a.Known() && !b.Known() || math.Abs(float64(a-b)) < 1e-9
	})
}

// TestAlertsOfALog: what is judged are the alerts that a separate fold of the log raises, those of a naive list, and
// the fixed rules' in each silence of each customer. One-timers' alerts that open at at_risk are the ones raised. With a
// pack that waits for a signal, all that is so of the silences that end after it, and no other silence counts.
func TestAlertsOfALog(t *testing.T) {
	all, waiting := shopPack(t), waitingPack(t)
	const horizon = horizonDays * millisPerDay
	rapid.Check(t, func(t *rapid.T) {
		log := drawLog(t)
		pack, waits := all, rapid.Bool().Draw(t, "waits")
		if waits {
			pack = waiting
		}
		end := log[len(log)-1].at
		got := run(pack, log, nil, end).Alerts

		raised := raisedIn(pack, log)
		from := log[0].at + min(horizon, (end-log[0].at)/10)
		listed := listedIn(log, raised, from, end-horizon, waits)
		m := silences.New(silences.Config{Horizon: horizon, End: end, Waits: []int64{silentAfter, horizon / 3}}, log[0].at)
		bought, before := map[string][]int64{}, map[string]int{} // before: visits until the first failure
		for _, h := range log {
			times := bought[h.customer]
			if h.kind == "buy" && (len(times) == 0 || h.at > times[len(times)-1]) {
				bought[h.customer] = append(times, h.at)
			}
			if _, failed := before[h.customer]; h.kind == "fail" && !failed {
				before[h.customer] = len(times)
			}
		}
		for name, times := range bought {
			var c silences.Customer
			visits := uint32(1)
			for i, begin := range times {
				after := int64(silences.Open)
				if i+1 < len(times) {
					after = times[i+1]
				}
				for rule, alerts := range [][]int64{raised[name], listed[name]} {
					for _, at := range alerts {
						if at >= begin && at < after {
							c.Note(rule, at)
						}
					}
				}
				if n, failed := before[name]; waits && (!failed || i+1 < n) {
					m.Pass(&c, visits, begin, after)
				} else {
					m.Silence(&c, visits, begin, after)
				}
				if after-begin >= millisPerDay/2 {
					visits++
				}
			}
		}
		want := m.Report([]string{nameEbb, nameRFM, nameSilent, nameThird})
		ignore := cmpopts.IgnoreFields(silences.Report{}, "Tiers", "Scores")
		if diff := gocmp.Diff(want, got, sameFigures(), ignore); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
		// One-timers are alike to every pack.
		oneTimer, atRisk := got.Rules[silences.Raised].Classes[1], got.Tiers[1].Classes[1]
		oneTimer.Own = nil
		for _, j := range []*silences.Judgement{&oneTimer, &atRisk} { // to the day, and exact
			j.Lapses.MedianDays, j.Lapses.MedianGaps = 0, 0
		}
		if diff := gocmp.Diff(oneTimer, atRisk, sameFigures()); diff != "" {
			t.Fatalf("raised, and opening at at_risk (-raised +opening):\n%s", diff)
		}
	})
}

// TestLevels: a level is reached at a minute at which the score has it, and not a day earlier.
func TestLevels(t *testing.T) {
	pack := shopPack(t)
	rapid.Check(t, func(t *rapid.T) {
		log := drawLog(t)
		end := log[len(log)-1].at
		e := New(Config{Pack: pack, Active: 2 * pack.Horizon, End: time.UnixMilli(end)})
		for i := range log {
			e.Observe(&Event{Key: []byte(log[i].customer), Type: []byte(log[i].kind), Time: log[i].at})
		}
		e.each(func(c *customer) {
			e.reachLevels(c, end)
			from := max(c.profile.At/millisPerMinute+1, pack.Model.OverdueMinute(&c.profile))
			for i := range e.alerts.levels {
				l := &e.alerts.levels[i]
				minute := int64(c.silence.Reached(i))
				first := minute
				if minute == 0 {
					first = end / millisPerMinute
				}
				for at := from; at < first-1440; at += 600 {
					if s := e.standing(c, at); l.reached(&s) && s.sum > l.logOdds+0.02 && l.tier == profile.TierNone {
						t.Fatalf("%s is at %v at minute %d, level %s noted at %d", c.name, s.sum, at, l.name(), minute)
					}
				}
				if minute <= from { // by the state before its newest event
					continue
				}
				if s := e.standing(c, minute); !l.reached(&s) && (l.tier != profile.TierNone || s.sum < l.logOdds-0.02) {
					t.Fatalf("%s is at %v at minute %d, not at level %s", c.name, s.sum, minute, l.name())
				}
			}
		})
	})
}

// TestAlertsListed: the list of alerts is in order of time, holds every transition of a lapse, and needs no end of the
// log.
func TestAlertsListed(t *testing.T) {
	pack := shopPack(t)
	rapid.Check(t, func(t *rapid.T) {
		log := drawLog(t)
		e := New(Config{Pack: pack, Active: pack.Horizon, List: true})
		for i := range log {
			e.Observe(&Event{Key: []byte(log[i].customer), Type: []byte(log[i].kind), Time: log[i].at})
		}
		if r := e.Finish(); r.Alerts != nil {
			t.Fatal("judged without an end")
		}
		raised, last := map[string][]int64{}, int64(0)
		open := map[string]bool{}
		for a := range e.Alerts() {
			if a.At < last {
				t.Fatalf("%d after %d", a.At, last)
			}
			last = a.At
			switch a.Transition.String() {
			case "raised":
				raised[a.Key()] = append(raised[a.Key()], a.At)
				open[a.Key()] = true
			case "recovered":
				if !open[a.Key()] {
					t.Fatalf("%s recovers from nothing", a.Key())
				}
				open[a.Key()] = false
			}
		}
		if diff := gocmp.Diff(raisedIn(pack, log), raised, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

// TestInWords: the two lines are about all customers, and say so where few who left are ever named.
func TestInWords(t *testing.T) {
	j := silences.Judgement{Class: silences.All, Alerts: 4, Precision: .754}
	j.Lapses = silences.Caught{Lapses: 9, Horizon: .927, MedianDays: 58.6}
	r := &Report{
		HorizonDays: 90,
		Alerts:      &silences.Report{Rules: []silences.Rule{{Name: nameEbb, Classes: []silences.Judgement{j}}}},
	}
	want := []string{
		"Of 100 alerts 75 would be right: the customer does nothing for another 90 days.",
		"Of 100 customers who left (silent for more than 180 days) 93 would have been named by day 90, half of all by day 59.",
	}
	if diff := gocmp.Diff(want, r.InWords()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r.Alerts.Rules[0].Classes[0].Lapses.MedianDays = Figure(math.NaN())
	if got := r.InWords(); !strings.HasSuffix(got[1], "less than half of all by day 180.") {
		t.Errorf("%q", got)
	}
	r.Alerts.Rules[0].Classes[0].Alerts = 0
	if got := r.InWords(); len(got) != 1 ||
		!slices.Contains(got, "Not one alert would have been raised that can be judged.") {
		t.Errorf("%q", got)
	}
}
