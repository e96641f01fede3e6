package scoring_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ebb/scoring"
)

// TestReasons: which are given, in which order, and how they read.
func TestReasons(t *testing.T) {
	score := scoring.Score{
		LnTypical: math.Log(12), Silence: 31, Visits: 3, Tenure: 400, Friction: 2, Idle: 0,
		Terms: [scoring.NumTerms]float64{
			scoring.TermRhythm: -3, scoring.TermSilence: 2, scoring.TermLevel: -1, scoring.TermTenure: -0.2, scoring.TermFriction: 0,
		},
	}
	tests := []struct {
		name   string
		change func(d *scoring.Decision)
		want   []string
	}{
		{"nothing but silence", func(*scoring.Decision) {}, []string{"overdue: usually back every 12 days, silent for 31 days"}},
		{"overdue though silence says little", func(d *scoring.Decision) {
			d.Score.Terms[scoring.TermSilence] = -0.1
			d.Score.Terms[scoring.TermRhythm] = 0.5
		}, []string{"overdue: usually back every 12 days, silent for 31 days", "rare_visitor: comes back no more often than every 12 days"}},
		{"the weightiest three of the others", func(d *scoring.Decision) {
			d.Score.Terms[scoring.TermRhythm], d.Score.Terms[scoring.TermLevel] = -1, 0.5
			d.Score.Terms[scoring.TermTenure], d.Score.Terms[scoring.TermFriction] = 0.1, 0.6
		}, []string{
			"overdue: usually back every 12 days, silent for 31 days", "little_activity: little recent activity: 3 visits in all, none for 31 days",
			"friction: recent trouble of weight 2.0",
			"rare_visitor: comes back no more often than every 12 days",
		}},
		{"a new customer", func(d *scoring.Decision) {
			d.Score.Terms[scoring.TermTenure], d.Score.Terms[scoring.TermLevel] = 0.12, 0.2
			d.Score.Tenure, d.Score.Silence, d.Score.LnTypical, d.Score.Visits = 1.3, 1.2, math.Log(0.7), 1
		}, []string{
			"overdue: came once, silent for 29 hours", "little_activity: little recent activity: 1 visit in all, none for 29 hours",
			"new_customer: still new: first seen 31 hours ago",
		}},
		{"a day, said plainly", func(d *scoring.Decision) { d.Score.Silence, d.Score.LnTypical = 1.6, math.Log(1.01) }, []string{
			"overdue: usually back every day, silent for 2 days",
		}},
		{"an hour", func(d *scoring.Decision) { d.Score.Silence, d.Score.LnTypical = 1, math.Log(0.001) }, []string{
			"overdue: usually back every hour, silent for 1 day",
		}},
		{"back", func(d *scoring.Decision) { d.Transition, d.Silence = scoring.Recovered, 40*day+day/3 }, []string{"back: back after 40 days"}},
	}
	pack := must(scoring.Load("retail", nil, scoring.Overrides{}))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := scoring.Alert{Decision: scoring.Decision{Transition: scoring.Raised, Score: score}, Customer: []byte("c")}
			tt.change(&a.Decision)
			var got struct{ Reasons []struct{ Code, Text string } }
			if err := json.Unmarshal(pack.AppendAlert(nil, &a, a.ID()), &got); err != nil {
				t.Fatal(err)
			}
			var lines []string
			for _, r := range got.Reasons {
				lines = append(lines, r.Code+": "+r.Text)
			}
			if diff := cmp.Diff(tt.want, lines); diff != "" {
				t.Error(diff)
			}
		})
	}
}
