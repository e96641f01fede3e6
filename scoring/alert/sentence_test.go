package alert_test

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/feature"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// TestSentences: the text of any reason of any pack has no placeholder left, and singular and plural are right.
func TestSentences(t *testing.T) {
	wrong := regexp.MustCompile(`[{}]|\b1 (hours|days|visits)\b|\b([02-9]|\d\d+) (hour|day|visit)\b`)
	for _, name := range pack.Shipped() {
		k := scoringtest.Must(pack.Load(name, nil, pack.Overrides{}))
		for _, n := range []int64{0, 1, 999, 1500, 3600, 86_400, 7 * 86_400, 600 * 86_400} {
			for visits := range uint32(7) {
				days := float64(n) / 86_400
				d := scoring.Decision{Score: model.Score{
					Visits: visits, LnTypical: math.Log(days + 0.1), Silence: days, Tenure: days, Friction: 1.26,
					Values: slices.Repeat([]feature.Value{{N: n, OK: true}}, len(k.Features)),
				}, At: n * 1000}
				for code, said := range alert.NewRenderer(k).Sentences(&d) {
					if said == "" || wrong.MatchString(said) {
						t.Fatalf("%s: %s is %q", name, code, said)
					}
				}
			}
		}
	}
}

// TestPlurals: one takes the singular, and every other number the plural.
func TestPlurals(t *testing.T) {
	k := scoringtest.Must(pack.Load("retail", nil, pack.Overrides{}))
	for visits, want := range map[uint32]string{
		0: "0 visits", 1: "1 visit", 2: "2 visits", 11: "11 visits", 21: "21 visits", 1_000_001: "1000001 visits",
	} {
		d := scoring.Decision{Score: model.Score{Visits: visits, Silence: 1, LnTypical: 0, Friction: 1.26}}
		d.Trouble = profile.Trouble{Type: pack.TroubleMark("Order Cancelled"), At: 1_614_729_600_000}
		said := alert.NewRenderer(k).Sentences(&d)
		if got := said[pack.ReasonLittleActivity+" -1"]; got != "little recent activity: "+want+" in all, none for 1 day" {
			t.Errorf("%d visits: %q, want %q", visits, got, want)
		}
		if got := said[pack.ReasonRareVisitor+" -1"]; visits != 1 && !strings.HasSuffix(got, "than every day") {
			t.Errorf("every day: %q", got)
		}
		if got := said[pack.ReasonFriction+" -1"]; got != "Order Cancelled on 3 March 2021" {
			t.Errorf("friction: %q", got)
		}
	}
}
