package model_test

import (
	"math"
	"testing"
	"time"

	"ebb/scoring"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// buy observes activity at the given ms after the beginning.
func buy(s *scoringtest.Story, ms ...int64) {
	for _, at := range ms {
		scoringtest.Observe(
			s.Pack,
			&s.Profile,
			&s.Pop,
			scoring.Observation{Time: scoringtest.Begin + at, Signal: scoringtest.Bought},
		)
	}
}

func TestVisits(t *testing.T) {
	const half, spell = int64(scoringtest.Day / 2), int64(scoringtest.Day * 15 / 2)
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
			s := &scoringtest.Story{
				Pack: scoringtest.Must(pack.Load("retail", nil, pack.Overrides{})), Profile: scoringtest.Eligible(),
			}
			buy(s, tt.at...)
			p := &s.Profile
			if p.Visits != tt.visits {
				t.Errorf("%d visits, want %d", p.Visits, tt.visits)
			}
			scoringtest.CloseTo(t, "level", p.Level, tt.level)
			scoringtest.CloseTo(t, "mean of ln(gap)", p.Mu, tt.lnGap)
		})
	}
}

// TestNobodyIsGivenUp: a silent customer who is ever overdue has become critical before the last look at it, for any
// horizon and any number and regularity of visits.
func TestNobodyIsGivenUp(t *testing.T) {
	for _, days := range []int64{1, 30, 182, 183, 365, 730} {
		pack := scoringtest.Must(pack.Load("any", nil, pack.Overrides{Horizon: time.Duration(days) * 24 * time.Hour}))
		for m := -0.5; m < 8; m += 0.5 {
			for k := 0.02; k < 16; k *= 1.3 {
				p := profile.Profile{Visits: 9, First: scoringtest.Begin, Counted: scoringtest.Begin, W: 5, Level: 48, M: m, K: k}
				p.Last = scoringtest.Begin + 20*365*scoringtest.Day
				p.At = p.Last
				s := scoringtest.ScoreOf(pack, &p, p.Last+(max(3650, 20*days)-1)*scoringtest.Day)
				if s.Sum() < math.Log(4) {
					t.Fatalf("horizon %d days, m %v, k %v: score %v", days, m, k, s.Sum())
				}
			}
		}
	}
}

// TestBounds: counts stay within the codec's limits, whatever is observed.
func TestBounds(t *testing.T) {
	s := &scoringtest.Story{
		Pack: scoringtest.Must(pack.Load("retail", nil, pack.Overrides{})), Profile: scoringtest.Eligible(),
	}
	buy(s, 0)
	s.Profile.Level, s.Profile.Friction = 64, 1e9
	scoringtest.Observe(
		s.Pack,
		&s.Profile,
		&s.Pop,
		scoring.Observation{Time: scoringtest.Begin + 8*scoringtest.Day, Signal: scoringtest.Bought},
	)
	s.Profile.Level = 64
	scoringtest.Observe(
		s.Pack,
		&s.Profile,
		&s.Pop,
		scoring.Observation{Time: scoringtest.Begin + 16*scoringtest.Day, Signal: pack.Signal{Activity: true, Friction: 1e9}},
	)
	scoringtest.Observe(
		s.Pack,
		&s.Profile,
		&s.Pop,
		scoring.Observation{Time: scoringtest.Begin + 16*scoringtest.Day, Signal: pack.Signal{Friction: 1e9}},
	)
	if !scoringtest.Readable(&s.Profile) {
		t.Errorf("%+v", s.Profile)
	}
}
