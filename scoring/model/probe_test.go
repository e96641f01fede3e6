package model_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ebb/scoring"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// history is the times of a customer's visits, in order.
func history(t *rapid.T) []int64 {
	at := scoringtest.Begin
	var times []int64
	for range rapid.IntRange(1, 20).Draw(t, "visits") {
		at += rapid.Int64Range(
			0,
			rapid.SampledFrom([]int64{scoringtest.Day, 30 * scoringtest.Day, 400 * scoringtest.Day}).Draw(t, "scale"),
		).
			Draw(t, "gap")
		times = append(times, at)
	}
	return times
}

// TestProbe: whenever a customer is looked at, its probes are those of the definition: at every instant drawn for it,
// as seldom as the table requires, up to two horizons of silence, the score at that time, and whether there was an
// event within the horizon after. ProbeMinute is the next moment with anything to do.
func TestProbe(t *testing.T) {
	pack := scoringtest.Must(pack.Load("retail", nil, pack.Overrides{Horizon: 40 * 24 * time.Hour}))
	const horizon, minute = 40 * scoringtest.Day, 60_000
	rapid.Check(t, func(t *rapid.T) {
		times := history(t)
		end := times[len(times)-1] + rapid.Int64Range(0, 5*horizon).Draw(t, "rest")
		seldom := rapid.Uint8Range(0, 3).Draw(t, "seldom")
		step := int64(horizon) << seldom
		got := model.Calibration{Seldom: seldom}
		var pop profile.Population
		scorer := scoring.NewScorer(pack)
		p := scoringtest.Eligible()
		c := profile.Customer{Profile: &p, Hash: rapid.Uint64().Draw(t, "draw")}
		look := func(until int64) {
			before, counted := *c.Profile, got
			due := pack.Model.ProbeMinute(c.Profile)
			scorer.Eval.Probe(&c, until, &got)
			changed := before.Probe != c.Probe
			if want := due != 0 && due*minute <= until; changed != want {
				t.Fatalf("due in minute %d, looked at by %d: changed %v", due, until, changed)
			}
			if c.Probe = before.Probe; *c.Profile != before || !changed && got != counted {
				t.Fatal("a look changed something else")
			}
			scorer.Eval.Probe(&c, until, &counted)
		}
		profiles := make([]profile.Profile, 0, len(times)) // after each visit
		for i, at := range times {
			if i > 0 && at > times[i-1] && rapid.Bool().Draw(t, "look") {
				look(rapid.Int64Range(times[i-1], at-1).Draw(t, "look at"))
			}
			look(at - 1)
			scorer.Observe(&c, &pop, &scoring.Observation{Time: at, Signal: scoringtest.Bought})
			profiles = append(profiles, *c.Profile)
		}
		look(end)
		due := pack.Model.ProbeMinute(c.Profile)
		if due != 0 && (due*minute <= end || due*minute > end+step) || seldom == 0 && due == 0 && end-c.Last < horizon {
			t.Fatalf("due in minute %d at the end, in ms %d", due, end)
		}

		want := model.Calibration{Seldom: seldom}
		phase := int64(c.Hash%uint64(step/minute)) * minute
		first := times[0] + (phase-times[0]%step+step)%step
		for start := first; start <= end; start += step {
			known, silent := 0, true
			for i, at := range times {
				if at <= start {
					known = i
				} else if at <= start+horizon {
					silent = false
				}
			}
			if start-times[known] > 2*horizon {
				continue
			}
			want.Begun++
			if start+horizon > end {
				continue
			}
			s := scoringtest.ScoreOf(pack, &profiles[known], start)
			want.Add(s.Sum(), silent)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("probes (-want +got):\n%s", diff)
		}
	})
}

// TestProbesEnd: a customer who has left is soon probed no more, and is probed again when it is back.
func TestProbesEnd(t *testing.T) {
	pack := scoringtest.Must(pack.Load("retail", nil, pack.Overrides{}))
	rapid.Check(t, func(t *rapid.T) {
		scorer := scoring.NewScorer(pack)
		p := scoringtest.Eligible()
		c := profile.Customer{Profile: &p, Hash: rapid.Uint64().Draw(t, "draw")}
		var pop profile.Population
		var table model.Calibration
		at := scoringtest.Begin
		for range rapid.IntRange(1, 5).Draw(t, "visits") {
			at += rapid.Int64Range(0, 800*scoringtest.Day).Draw(t, "gap")
			for looks, due := 0, pack.Model.ProbeMinute(c.Profile); due != 0 && due*60_000 < at; due = pack.Model.ProbeMinute(c.Profile) {
				if looks++; looks > 4 {
					t.Fatalf("looked at %d times in one silence", looks)
				}
				scorer.Eval.Probe(&c, due*60_000, &table)
			}
			scorer.Eval.Probe(&c, at-1, &table)
			scorer.Observe(&c, &pop, &scoring.Observation{Time: at, Signal: scoringtest.Bought})
			if due := pack.Model.ProbeMinute(c.Profile); due == 0 {
				t.Fatal("back, and not probed")
			}
		}
	})
}

// TestProbeEdges: activity at the very instant is part of the probe that begins there, and a customer who has been
// silent for exactly two horizons is probed once more.
func TestProbeEdges(t *testing.T) {
	pack := scoringtest.PackOf(t, "1")
	const horizon = 30 * scoringtest.Day
	var c model.Calibration
	var p profile.Profile
	instant := (scoringtest.Begin/horizon + 1) * horizon
	scoringtest.Observe(pack, &p, &profile.Population{}, scoring.Observation{Time: instant, Signal: scoringtest.Bought})
	scoringtest.Probe(pack, &p, instant+horizon, &c)
	first := scoringtest.ScoreOf(pack, &p, instant)
	want := model.Calibration{Begun: 2}
	want.Add(first.Sum(), true)
	if c != want {
		t.Errorf("a horizon later %+v, want %+v", c, want)
	}
	scoringtest.Probe(pack, &p, instant+4*horizon, &c)
	if c.Begun != 3 {
		t.Errorf("%d probes, want those at the instants 0, 1 and 2 horizons after the last activity", c.Begun)
	}
}
