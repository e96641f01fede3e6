package scoring_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"ebb/scoring"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// a whole minute

func TestLifeCycle(t *testing.T) {
	tests := []struct {
		name string
		then func(s *scoringtest.Story)
		want string
	}{
		{"silent for good", func(s *scoringtest.Story) { s.SilentUntil(3000) }, `
			day 112.57: raised, episode 1.1, watch after healthy
			day 140.79: escalated, episode 1.2, at_risk after watch
			day 147.79: reminded, episode 1.3, at_risk after at_risk
			day 161.79: reminded, episode 1.4, at_risk after at_risk
			day 196.05: escalated, episode 1.5, critical after at_risk`},
		{"back before anything happens", func(s *scoringtest.Story) {
			s.SilentUntil(112)
			s.Event(112, scoringtest.Bought)
		}, ``},
		{"back while watched", func(s *scoringtest.Story) {
			s.SilentUntil(130)
			s.Event(130, scoringtest.Bought)
		}, `
			day 112.57: raised, episode 1.1, watch after healthy
			day 130.00: recovered, episode 1.2, healthy after watch`},
		{"back while critical, and gone again", func(s *scoringtest.Story) {
			s.SilentUntil(600)
			s.Event(600, scoringtest.Bought)
			s.SilentUntil(3000)
		}, `
			day 112.57: raised, episode 1.1, watch after healthy
			day 140.79: escalated, episode 1.2, at_risk after watch
			day 147.79: reminded, episode 1.3, at_risk after at_risk
			day 161.79: reminded, episode 1.4, at_risk after at_risk
			day 196.05: escalated, episode 1.5, critical after at_risk
			day 600.00: recovered, episode 1.6, healthy after critical
			day 612.47: raised, episode 2.1, watch after healthy
			day 646.60: escalated, episode 2.2, at_risk after watch
			day 653.60: reminded, episode 2.3, at_risk after at_risk
			day 667.60: reminded, episode 2.4, at_risk after at_risk
			day 744.80: escalated, episode 2.5, critical after at_risk`},
		{"trouble makes it come sooner", func(s *scoringtest.Story) {
			s.SilentUntil(80)
			s.Event(80, scoringtest.Failed)
			s.SilentUntil(130)
		}, `
			day 105.36: raised, episode 1.1, watch after healthy`},
		{"trouble while at risk, heard of late, counts from the last transition on", func(s *scoringtest.Story) {
			s.SilentUntil(150)
			s.Event(120, pack.Signal{Known: true, Friction: 20})
			s.SilentUntil(150)
		}, `
			day 112.57: raised, episode 1.1, watch after healthy
			day 140.79: escalated, episode 1.2, at_risk after watch
			day 147.79: reminded, episode 1.3, at_risk after at_risk
			day 147.79: escalated, episode 1.4, critical after at_risk`},
		{"trouble takes it over a tier", func(s *scoringtest.Story) {
			s.SilentUntil(120)
			s.Event(120, pack.Signal{Known: true, Friction: 60})
			s.SilentUntil(130)
		}, `
			day 112.57: raised, episode 1.1, watch after healthy
			day 120.00: escalated, episode 1.2, critical after watch`},
		{"an activity heard of late ends no silence that it does not break", func(s *scoringtest.Story) {
			s.SilentUntil(120)
			s.Event(62, scoringtest.Bought)
			s.Event(63, scoringtest.Bought)
			s.SilentUntil(130)
		}, `
			day 112.57: raised, episode 1.1, watch after healthy`},
		{"an activity heard of late shows that a raise was wrong", func(s *scoringtest.Story) {
			s.SilentUntil(120)
			s.Event(80, scoringtest.Bought)
			s.SilentUntil(110)
		}, `
			day 112.57: raised, episode 1.1, watch after healthy
			day 112.57: corrected, episode 1.2, healthy after watch`},
		{"the same after an escalation, and the silence goes on", func(s *scoringtest.Story) {
			s.SilentUntil(150)
			s.Event(80, scoringtest.Bought)
			s.SilentUntil(160)
		}, `
			day 112.57: raised, episode 1.1, watch after healthy
			day 140.79: escalated, episode 1.2, at_risk after watch
			day 147.79: reminded, episode 1.3, at_risk after at_risk
			day 112.57: corrected, episode 1.4, healthy after at_risk
			day 143.04: raised, episode 2.1, watch after healthy`},
		{"an activity heard of late that lies behind the raise ends a silence like any", func(s *scoringtest.Story) {
			s.SilentUntil(150)
			s.Event(113, scoringtest.Bought)
			s.SilentUntil(150)
		}, `
			day 112.57: raised, episode 1.1, watch after healthy
			day 140.79: escalated, episode 1.2, at_risk after watch
			day 147.79: reminded, episode 1.3, at_risk after at_risk
			day 113.00: recovered, episode 1.4, healthy after at_risk`},
		{"trouble after the raise is as if it had been before: with it the raise was right", func(s *scoringtest.Story) {
			s.SilentUntil(114)
			s.Event(114, pack.Signal{Known: true, Friction: 60})
			s.Event(80, scoringtest.Bought)
			s.SilentUntil(114)
		}, `
			day 112.57: raised, episode 1.1, watch after healthy
			day 80.00: recovered, episode 1.2, healthy after watch
			day 114.00: raised, episode 2.1, at_risk after at_risk`},
		{"what has no effect changes nothing", func(s *scoringtest.Story) {
			before := s.Profile
			s.Event(70, pack.Signal{Known: true})
			s.Event(75, pack.Signal{})
			if s.Profile != before {
				s.Transitions = append(s.Transitions, "the profile changed")
			}
		}, ``},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := scoringtest.Weekly()
			tt.then(s)
			want := strings.ReplaceAll(strings.TrimSpace(tt.want), "\t", "")
			if diff := cmp.Diff(want, strings.Join(s.Transitions, "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNothingIsArmedWhereNothingCanHappen(t *testing.T) {
	s := &scoringtest.Story{
		Pack: scoringtest.Must(pack.Load("retail", nil, pack.Overrides{})), Profile: scoringtest.Eligible(),
	}
	s.Event(0, scoringtest.Failed)
	if s.Profile.Armed != 0 {
		t.Errorf("armed for minute %d without activity", s.Profile.Armed)
	}
	if got := scoringtest.ScoreOf(s.Pack, &s.Profile, scoringtest.Begin); got.Sum() != 0 {
		t.Errorf("score %v without activity", got)
	}
	s = scoringtest.Weekly()
	s.SilentUntil(3000)
	if s.Profile.Lapse.Tier != profile.Critical || s.Profile.Armed != 0 {
		t.Errorf("armed for minute %d in %+v", s.Profile.Armed, s.Profile.Lapse)
	}
	s.Event(3000, scoringtest.Failed)
	if s.Profile.Armed != 0 {
		t.Errorf("armed for minute %d by friction while critical", s.Profile.Armed)
	}
	if _, ok := scoringtest.Wake(s.Pack, &s.Profile); ok {
		t.Error("woken though nothing was armed")
	}
}

// TestLateEvents: activity that is not newer than the last adds no gap and reduces no level.
func TestLateEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k, pop := scoringtest.DrawPack(t), scoringtest.DrawPopulation(t)
		var p profile.Profile
		now := int64(1_600_000_000_000)
		scoringtest.Observe(k, &p, pop, scoring.Observation{Time: now, Signal: scoringtest.Bought})
		for range rapid.IntRange(0, 6).Draw(t, "events") {
			o := scoringtest.DrawEvent(t, now)
			scoringtest.Observe(k, &p, pop, o)
			now = max(now, o.Time)
		}
		before, others := p, *pop
		late := p.Last - rapid.Int64Range(0, 100*scoringtest.Day).Draw(t, "late")
		scoringtest.Observe(
			k,
			&p,
			pop,
			scoring.Observation{Time: late, Signal: pack.Signal{Known: true, Activity: true, Friction: 0.5}},
		)
		want := before
		want.Friction += 0.5
		if diff := cmp.Diff(want, p, cmpopts.IgnoreFields(profile.Profile{}, "M", "K", "Armed", "IDs")); diff != "" {
			t.Fatal(diff)
		}
		if *pop != others {
			t.Fatal("a late event changed what others are like")
		}
	})
}

// TestScoreIsAFunction: the score depends on profile and time alone, and on no earlier call, and its terms add up.
func TestScoreIsAFunction(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pack, pop := scoringtest.DrawPack(t), scoringtest.DrawPopulation(t)
		var p profile.Profile
		now := int64(1_600_000_000_000)
		for range rapid.IntRange(1, 6).Draw(t, "events") {
			o := scoringtest.DrawEvent(t, now)
			scoringtest.Observe(pack, &p, pop, o)
			now = max(now, o.Time)
		}
		before := p
		times := rapid.SliceOfN(rapid.Int64Range(now-10*scoringtest.Day, now+4000*scoringtest.Day), 2, 6).Draw(t, "times")
		scores := map[int64]model.Score{}
		for _, at := range times {
			scores[at] = scoringtest.ScoreOf(pack, &p, at)
		}
		for _, time := range slices.Backward(times) {
			s := scoringtest.ScoreOf(pack, &p, time)
			if s.Terms != scores[time].Terms {
				t.Fatalf("%+v, then %+v", scores[time], s)
			}
			sum := 0.0
			for _, term := range s.Terms {
				sum += term
			}
			risk := 100_000 / (1 + math.Exp(-sum))
			if s.Sum() != sum || math.IsNaN(sum) || math.Abs(float64(s.Risk())-risk) > 0.501 ||
				math.Abs(s.Probability()*1e5-risk) > 1e-6 {
				t.Fatalf("%+v: sum %v, risk %v, probability %v", s, s.Sum(), s.Risk(), s.Probability())
			}
		}
		if p != before {
			t.Fatal("asking for a score changed the profile")
		}
	})
}
