package scoring_test

import (
	"math"
	"testing"
	"time"

	"ebb/scoring"
)

// bought observes activity at the given ms after the beginning.
func (s *story) bought(ms ...int64) {
	for _, at := range ms {
		observe(s.pack, &s.profile, &s.pop, scoring.Observation{Time: begin + at, Signal: bought})
	}
}

func TestVisits(t *testing.T) {
	const half, spell = int64(day / 2), int64(day * 15 / 2)
	tests := []struct {
		name   string
		at     []int64
		visits uint32
		level  float64 // as of the last event
		lnGap  float64 // mean
	}{
		{"one event", []int64{0}, 1, 1, 0},
		{"less than half a day apart", []int64{0, half - 1}, 1, math.Exp(-0.5 / 360), 0},
		{"a chain of events close together", []int64{0, half - 1, 2*half - 2, 3*half - 3}, 1, math.Exp(-1.5 / 360), 0},
		{"half a day apart", []int64{0, half}, 2, math.Exp(-0.5 / 360), math.Log(0.5)},
		{"less than a spell apart", []int64{0, spell - 1}, 2, math.Exp(-7.5 / 360), math.Log(7.5)},
		{"a spell apart", []int64{0, spell}, 2, math.Exp(-7.5/360) + 1, math.Log(7.5)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &story{pack: must(scoring.Load("retail", nil, scoring.Overrides{}))}
			s.bought(tt.at...)
			p := &s.profile
			if p.Visits != tt.visits {
				t.Errorf("%d visits, want %d", p.Visits, tt.visits)
			}
			closeTo(t, "level", p.Level, tt.level)
			closeTo(t, "mean of ln(gap)", p.Mu, tt.lnGap)
		})
	}
}

// TestNobodyIsGivenUp: by the time after which nobody is looked at any more, a silent customer has become critical however
// long the horizon, however much it did and however regularly, if it is ever overdue.
func TestNobodyIsGivenUp(t *testing.T) {
	for _, days := range []int64{1, 30, 182, 183, 365, 730} {
		pack := must(scoring.Load("any", nil, scoring.Overrides{Horizon: time.Duration(days) * 24 * time.Hour}))
		for m := -0.5; m < 8; m += 0.5 {
			for k := 0.02; k < 16; k *= 1.3 {
				p := scoring.Profile{Visits: 9, First: begin, Counted: begin, W: 5, Level: 48, M: m, K: k}
				p.Last = begin + 20*365*day
				p.At = p.Last
				s := scoreOf(pack, &p, p.Last+(max(3650, 20*days)-1)*day)
				if s.Sum() < math.Log(4) {
					t.Fatalf("horizon %d days, m %v, k %v: score %v", days, m, k, s.Sum())
				}
			}
		}
	}
}

// TestBounds: what is counted stays within what the codec takes, whatever is observed.
func TestBounds(t *testing.T) {
	s := &story{pack: must(scoring.Load("retail", nil, scoring.Overrides{}))}
	s.bought(0)
	s.profile.Level, s.profile.Friction = 64, 1e9
	observe(s.pack, &s.profile, &s.pop, scoring.Observation{Time: begin + 8*day, Signal: bought})
	s.profile.Level = 64
	observe(s.pack, &s.profile, &s.pop, scoring.Observation{Time: begin + 16*day, Signal: scoring.Signal{Activity: true, Friction: 1e9}})
	observe(s.pack, &s.profile, &s.pop, scoring.Observation{Time: begin + 16*day, Signal: scoring.Signal{Friction: 1e9}})
	if !s.profile.Valid() {
		t.Errorf("%+v", s.profile)
	}
}
