package scoring_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"ebb/scoring"
)

var (
	bought = scoring.Signal{Known: true, Activity: true}
	failed = scoring.Signal{Known: true, Friction: 1}
)

// story folds what happens to one customer, in days from its beginning, and tells the transitions.
type story struct {
	pack    *scoring.Pack
	profile scoring.Profile
	pop     scoring.Population
	told    []string
}

const begin = int64(1_600_000_020_000) // a whole minute

func (s *story) tell(d *scoring.Decision) {
	s.told = append(s.told, fmt.Sprintf("day %.2f: %v, episode %d.%d, %v after %v", float64(d.At-begin)/day, d.Transition,
		d.Episode, d.Sequence, d.Tier, d.Previous))
}

func (s *story) silentUntil(at float64) {
	for p := &s.profile; p.Armed != 0 && p.Armed <= (begin+int64(at*day))/60_000; {
		if d, ok := wake(s.pack, p); ok {
			s.tell(&d)
		}
	}
}

func (s *story) event(at float64, signal scoring.Signal) {
	if d, ok := observe(s.pack, &s.profile, &s.pop, scoring.Observation{Time: begin + int64(at*day), Signal: signal}); ok {
		s.tell(&d)
	}
}

// weekly is a customer who bought on ten days, a week apart, the last on day 63.
func weekly() *story {
	s := &story{pack: must(scoring.Load("retail", nil, scoring.Overrides{}))}
	for week := range 10 {
		s.silentUntil(float64(7 * week))
		s.event(float64(7*week), bought)
	}
	return s
}

func TestLifeCycle(t *testing.T) {
	tests := []struct {
		name string
		then func(s *story)
		want string
	}{
		{"silent for good", func(s *story) { s.silentUntil(3000) }, `
			day 267.61: raised, episode 1.1, at_risk after healthy
			day 497.37: escalated, episode 1.2, critical after at_risk`},
		{"back before anything happens", func(s *story) {
			s.silentUntil(200)
			s.event(200, bought)
		}, ``},
		{"back while at risk", func(s *story) {
			s.silentUntil(300)
			s.event(300, bought)
		}, `
			day 267.61: raised, episode 1.1, at_risk after healthy
			day 300.00: recovered, episode 1.2, healthy after at_risk`},
		{"back while critical, and gone again", func(s *story) {
			s.silentUntil(600)
			s.event(600, bought)
			s.silentUntil(3000)
		}, `
			day 267.61: raised, episode 1.1, at_risk after healthy
			day 497.37: escalated, episode 1.2, critical after at_risk
			day 600.00: recovered, episode 1.3, healthy after critical
			day 639.47: raised, episode 2.1, at_risk after healthy
			day 765.94: escalated, episode 2.2, critical after at_risk`},
		{"trouble makes it come sooner", func(s *story) {
			s.silentUntil(150)
			s.event(150, failed)
			s.silentUntil(260)
		}, `
			day 240.32: raised, episode 1.1, at_risk after watch`},
		{"trouble while at risk, heard of late, counts from the last transition on", func(s *story) {
			s.silentUntil(268)
			s.event(230, scoring.Signal{Known: true, Friction: 20})
			s.silentUntil(268)
		}, `
			day 267.61: raised, episode 1.1, at_risk after healthy
			day 267.61: escalated, episode 1.2, critical after at_risk`},
		{"an activity heard of late ends no silence that it does not break", func(s *story) {
			s.silentUntil(300)
			s.event(62, bought)
			s.event(63, bought)
			s.silentUntil(310)
		}, `
			day 267.61: raised, episode 1.1, at_risk after healthy`},
		{"an activity heard of late ends the silence that it breaks", func(s *story) {
			s.silentUntil(300)
			s.event(80, bought)
			s.silentUntil(250)
		}, `
			day 267.61: raised, episode 1.1, at_risk after healthy
			day 80.00: recovered, episode 1.2, healthy after at_risk`},
		{"what has no effect changes nothing", func(s *story) {
			before := s.profile
			s.event(70, scoring.Signal{Known: true})
			s.event(75, scoring.Signal{})
			if s.profile != before {
				s.told = append(s.told, "the profile changed")
			}
		}, ``},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := weekly()
			tt.then(s)
			want := strings.ReplaceAll(strings.TrimSpace(tt.want), "\t", "")
			if diff := cmp.Diff(want, strings.Join(s.told, "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNothingIsArmedWhereNothingCanHappen(t *testing.T) {
	s := &story{pack: must(scoring.Load("retail", nil, scoring.Overrides{}))}
	s.event(0, failed)
	if s.profile.Armed != 0 {
		t.Errorf("armed for minute %d without activity", s.profile.Armed)
	}
	if got := scoreOf(s.pack, &s.profile, begin); got.Sum() != 0 {
		t.Errorf("score %v without activity", got)
	}
	s = weekly()
	s.silentUntil(3000)
	if s.profile.Episode.Tier != scoring.Critical || s.profile.Armed != 0 {
		t.Errorf("armed for minute %d in %+v", s.profile.Armed, s.profile.Episode)
	}
	s.event(3000, failed)
	if s.profile.Armed != 0 {
		t.Errorf("armed for minute %d by friction while critical", s.profile.Armed)
	}
	if _, ok := wake(s.pack, &s.profile); ok {
		t.Error("woken though nothing was armed")
	}
}

// TestLateEvents: activity that is not newer than the last adds no gap and takes away no level.
func TestLateEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pack, pop := drawPack(t), drawPopulation(t)
		var p scoring.Profile
		now := int64(1_600_000_000_000)
		observe(pack, &p, pop, scoring.Observation{Time: now, Signal: bought})
		for range rapid.IntRange(0, 6).Draw(t, "events") {
			o := drawEvent(t, now)
			observe(pack, &p, pop, o)
			now = max(now, o.Time)
		}
		before, others := p, *pop
		late := p.Last - rapid.Int64Range(0, 100*day).Draw(t, "late")
		observe(pack, &p, pop, scoring.Observation{Time: late, Signal: scoring.Signal{Known: true, Activity: true, Friction: 0.5}})
		want := before
		want.Friction += 0.5
		if diff := cmp.Diff(want, p, cmpopts.IgnoreFields(scoring.Profile{}, "M", "K", "Armed", "IDs")); diff != "" {
			t.Fatal(diff)
		}
		if *pop != others {
			t.Fatal("a late event changed what others are like")
		}
	})
}

// TestScoreIsAFunction: of profile and time alone, whatever was asked before, with terms that add up.
func TestScoreIsAFunction(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pack, pop := drawPack(t), drawPopulation(t)
		var p scoring.Profile
		now := int64(1_600_000_000_000)
		for range rapid.IntRange(1, 6).Draw(t, "events") {
			o := drawEvent(t, now)
			observe(pack, &p, pop, o)
			now = max(now, o.Time)
		}
		before := p
		times := rapid.SliceOfN(rapid.Int64Range(now-10*day, now+4000*day), 2, 6).Draw(t, "times")
		scores := map[int64]scoring.Score{}
		for _, at := range times {
			scores[at] = scoreOf(pack, &p, at)
		}
		for _, time := range slices.Backward(times) {
			s := scoreOf(pack, &p, time)
			if s.Terms != scores[time].Terms {
				t.Fatalf("%+v, then %+v", scores[time], s)
			}
			sum := 0.0
			for _, term := range s.Terms {
				sum += term
			}
			risk := 100_000 / (1 + math.Exp(-sum))
			if s.Sum() != sum || math.IsNaN(sum) || math.Abs(float64(s.Risk())-risk) > 0.501 || math.Abs(s.Probability()*1e5-risk) > 1e-6 {
				t.Fatalf("%+v: sum %v, risk %v, probability %v", s, s.Sum(), s.Risk(), s.Probability())
			}
		}
		if p != before {
			t.Fatal("asking for a score changed the profile")
		}
	})
}
