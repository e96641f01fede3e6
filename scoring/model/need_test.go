package model_test

import (
	"testing"

	"pgregory.net/rapid"

	"ebb/scoring"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// TestNeed: with every shipped pack and any history of a customer, the needed sum is constant from one step to just
// before the next, and is never below its bound.
func TestNeed(t *testing.T) {
	const hour = 60
	for _, name := range pack.Shipped() {
		t.Run(name, func(t *testing.T) {
			pack := scoringtest.Must(pack.Load(name, nil, pack.Overrides{}))
			rapid.Check(t, func(t *rapid.T) {
				w := scoringtest.NewWalk(pack)
				for range rapid.IntRange(1, 40).Draw(t, "events") {
					w.Event(t)
				}
				if w.Customer.Visits == 0 {
					return // it is never needed
				}
				from := w.Customer.At/60_000 + 1 + rapid.Int64Range(0, 300*24*hour).Draw(t, "later")
				to := from + rapid.SampledFrom([]int64{0, hour, 24 * hour, 60 * 24 * hour, 500 * 24 * hour}).Draw(t, "span")
				aim := model.Aim{Tier: profile.AtRisk}
				if rapid.Bool().Draw(t, "opens") {
					aim = model.Aim{Tier: profile.Watch, Opens: true}
				}
				least := w.Judge.Eval.LeastNeed(&w.Customer, aim, from, to)
				for steps := 0; from <= to && steps < 100; steps++ {
					need, until := w.Scorer.Eval.Need(&w.Customer, aim, from)
					if until <= from {
						t.Fatalf("a step from minute %d to %d", from, until)
					}
					last := min(until-1, from+900*24*hour)
					for _, minute := range []int64{from, last, from + rapid.Int64Range(0, last-from).Draw(t, "between")} {
						at := w.Judge.Eval.NeedAt(&w.Customer, aim, minute)
						if at != need {
							t.Fatalf("%v in minute %d, %v in minute %d, of one step from %d to %d", need, from, at, minute, from, until)
						}
						if minute <= to && at < least {
							t.Fatalf("%v in minute %d, below the bound %v", at, minute, least)
						}
					}
					from = until
				}
			})
		})
	}
}

// TestNeedWhereASumRises: a ratio without data gets some without an event where a refund leaves the window of the sum
// in its denominator.
func TestNeedWhereASumRises(t *testing.T) {
	pack := scoringtest.PackOf(
		t,
		"1",
		"signals:",
		"  buy: {types: [buy]}",
		"features:",
		"  buys: {kind: count, of: buy, within: 90d}",
		"  spent: {kind: sum, of: buy, within: 30d}",
		"  dear: {kind: ratio, of: buys, to: spent, least: 50}",
		"cap: 1",
		"factors:",
		"  - {code: friction, feature: dear, curve: [[0, 0.5], [1000, 0.5]]}",
	)
	w := scoringtest.NewWalk(pack)
	for _, e := range []struct{ day, money int64 }{{0, -200}, {10, 100}} {
		w.Scorer.Observe(&w.Customer, &profile.Population{}, &scoring.Observation{
			Time: scoringtest.Begin + e.day*scoringtest.Day, Value: e.money, HasValue: true, Signal: pack.Signal([]byte("buy")),
		})
	}
	from, end := int64(scoringtest.Begin+11*scoringtest.Day)/60_000, int64(scoringtest.Begin+80*scoringtest.Day)/60_000
	steps := 0
	for minute := from; minute < end; steps++ {
		need, until := w.Scorer.Eval.Need(&w.Customer, model.Aim{Tier: profile.AtRisk}, minute)
		for ; minute < min(until, end); minute += 60 {
			if at := w.Judge.Eval.NeedAt(&w.Customer, model.Aim{Tier: profile.AtRisk}, minute); at != need {
				t.Fatalf("%v in minute %d of a step that ends with %d, and %v when it begins", at, minute, until, need)
			}
		}
		minute = until
	}
	if steps < 3 {
		t.Errorf("%d steps: without, with and again without data", steps)
	}
}
