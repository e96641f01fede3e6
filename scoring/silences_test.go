package scoring_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"ebb/scoring"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
	"ebb/scoring/scoringtest/golden"
)

// TestSilences is for a person to read after a change of the score: how many days eight kinds of customers are silent
// until they are overdue and in each tier, with a horizon of 90 days. The shop's customers come back after 21 days in
// the middle; ln(gap) varies by 0.8 within a customer and between customers.
func TestSilences(t *testing.T) {
	repeated := func(n int, gaps ...float64) (all []float64) {
		for range n {
			all = append(all, gaps...)
		}
		return all
	}
	kinds := []struct {
		name string
		gaps []float64 // days from each visit to the next
	}{
		{"daily", repeated(60, 1)},
		{"weekly, exactly", repeated(40, 7)},
		{"weekly, loosely", repeated(8, 5, 11, 7, 4, 8)},
		{"fortnightly, exactly", repeated(20, 14)},
		{"monthly, exactly", repeated(9, 30)},
		{"quarterly", repeated(4, 90)},
		{"came twice", []float64{25}},
		{"came once", nil},
	}
	k := scoringtest.Must(scoringtest.LoadText(
		"name: silences\nversion: 1\nhorizon: 90d\nactivity: [a]\nraise: {otherwise: watch}", pack.Overrides{}))
	var b strings.Builder
	fmt.Fprintf(
		&b,
		"%-22s%8s%14s%8s%9s%10s  %s\n",
		"customer",
		"visits",
		"typical days",
		"watch",
		"at_risk",
		"critical",
		"opens at",
	)
	for _, kind := range kinds {
		c := profile.Customer{Profile: &profile.Profile{}}
		at := int64(scoringtest.Begin)
		pop := profile.Population{ // of so many others that this customer changes nothing
			N: 1e9, NAt: at, Mean: math.Log(21.3), Total: 1.37, NGaps: 1e9, GapsAt: at, Within: 0.69,
		}
		scorer := scoring.NewScorer(k)
		visit := func() {
			for c.Armed != 0 && c.Armed <= at/60_000 {
				scorer.Wake(&c)
			}
			scorer.Observe(&c, &pop, &scoring.Observation{Time: at, Signal: scoringtest.Bought})
		}
		visit()
		for _, gap := range kind.gaps {
			at += int64(gap * scoringtest.Day)
			visit()
		}
		var days [profile.NumTiers]float64
		for c.Armed != 0 {
			for _, d := range scorer.Wake(&c) {
				from := d.Previous + 1
				if d.Transition == scoring.Raised {
					from = profile.Watch
				}
				for tier := from; tier <= d.Tier; tier++ {
					days[tier] = float64(d.At-c.Last) / scoringtest.Day
				}
			}
		}
		opens := "at_risk"
		if k.Model.Regular(c.Visits, c.M) {
			opens = "watch, a regular"
		}
		fmt.Fprintf(&b, "%-22s%8d%14.1f%8.0f%9.0f%10.0f  %s\n", kind.name, c.Visits, math.Exp(c.M),
			days[profile.Watch], days[profile.AtRisk], days[profile.Critical], opens)
	}
	golden.File(t, "silences.txt", b.String())
}
