package alert_test

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/feature"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
	"ebb/scoring/scoringtest/golden"
)

// TestSentences: the text of any reason of any pack has no placeholder left, singular and plural are right, and none is
// longer than about 90 characters.
func TestSentences(t *testing.T) {
	const units = "(hour|day|month|year|visit|time)"
	wrong := regexp.MustCompile(`[{}]|\b1 ` + units + `s\b|\b([02-9]|\d\d+) ` + units + `\b`)
	for _, name := range pack.Shipped() {
		k := scoringtest.Must(pack.Load(name, nil, pack.Overrides{}))
		for _, n := range []int64{0, 1, 999, 1500, 3600, 86_400, 7 * 86_400, 135 * 86_400, 600 * 86_400, 2000 * 86_400} {
			for visits := range uint32(7) {
				days := float64(n) / 86_400
				d := scoring.Decision{Score: model.Score{
					Visits: visits, LnTypical: math.Log(days + 0.1), Silence: days, Tenure: days, Friction: 1.26,
					Values: slices.Repeat([]feature.Value{{N: n, OK: true}}, len(k.Features)),
				}, At: n * 1000, Reading: learnt(12_345, 0.5, visits%2 > 0)}
				for code, said := range alert.NewRenderer(k).Sentences(&d) {
					if said == "" || wrong.MatchString(said) || utf8.RuneCountInString(said) > 90 {
						t.Fatalf("%s: %s is %q", name, code, said)
					}
				}
			}
		}
	}
}

// TestSentencesGolden: every sentence of the catalogue about somebody, to be read by a person. What a factor says is
// said where it weighs most.
func TestSentencesGolden(t *testing.T) {
	var b strings.Builder
	write := func(k *pack.Pack, code string, at int, d *scoring.Decision) {
		fmt.Fprintf(&b, "%s: %s\n", code, alert.NewRenderer(k).Sentences(d)[fmt.Sprint(code, " ", at)])
	}
	retail := scoringtest.Must(pack.Load("retail", nil, pack.Overrides{}))
	for _, c := range []struct {
		visits                   uint32
		typical, silence, tenure float64 // days
	}{{1, 30, 267, 0}, {2, 40, 60, 1}, {3, 30, 130, 45}, {4, 12, 31, 40}, {30, 0.5, 1.4, 100}, {200, 7, 60, 1500}, {6, 200, 500, 1200}} {
		d := scoring.Decision{Score: model.Score{
			Visits: c.visits, LnTypical: math.Log(c.typical), Silence: c.silence, Tenure: c.tenure, Friction: 1.26,
		}, At: int64(c.silence * scoringtest.Day), Reading: learnt(1240, 0.624, c.visits != 6)}
		fmt.Fprintf(&b, "%d visits, every %v days, silent for %v, known for %v:\n", c.visits, c.typical, c.silence, c.tenure)
		for _, code := range []string{
			pack.ReasonOverdue, pack.ReasonSuchSilences, pack.ReasonFewSilences, pack.ReasonLittleActivity,
			pack.ReasonNewCustomer, pack.ReasonFriction, pack.ReasonBack,
		} {
			write(retail, code, -1, &d)
		}
	}
	for _, name := range pack.Shipped() {
		k := scoringtest.Must(pack.Load(name, nil, pack.Overrides{}))
		fmt.Fprintf(&b, "%s:\n", name)
		for i := range k.Model.Factors {
			f := &k.Model.Factors[i]
			most := slices.MaxFunc(f.Curve, func(a, b feature.CurvePoint) int { return int(1e6 * (a.LogOdds - b.LogOdds)) })
			if most.LogOdds < pack.MinShare {
				continue // no reason
			}
			d := scoring.Decision{Score: model.Score{Visits: 9, Values: make([]feature.Value, len(k.Features))}}
			d.Score.Values[f.Feature] = feature.Value{N: most.Value, OK: true}
			write(k, f.Code, f.Feature, &d)
		}
		for n := range k.Kinds {
			for _, o := range k.Kinds[n].Opens {
				d := scoring.Decision{Score: model.Score{Visits: 9, Values: make([]feature.Value, len(k.Features))}}
				if o.Feature >= 0 {
					d.Score.Values[o.Feature] = feature.Value{N: o.AtLeast, OK: true}
				}
				write(k, o.Code, o.Feature, &d)
			}
		}
	}
	golden.File(t, "sentences.txt", b.String())
}

// TestPlurals: one takes the singular, and every other number the plural.
func TestPlurals(t *testing.T) {
	k := scoringtest.Must(pack.Load("retail", nil, pack.Overrides{}))
	for visits, want := range map[uint32]string{
		0: "0 visits", 2: "2 visits", 11: "11 visits", 21: "21 visits", 1_000_001: "1,000,001 visits",
	} {
		d := scoring.Decision{Score: model.Score{Visits: visits, Silence: 1, Tenure: 1, LnTypical: 0, Friction: 1.26}}
		d.Trouble = profile.Trouble{Type: pack.TroubleMark("Order Cancelled"), At: 1_614_729_600_000}
		said := alert.NewRenderer(k).Sentences(&d)
		if got := said[pack.ReasonLittleActivity+" -1"]; got != want+" in all, over 1 day" {
			t.Errorf("%d visits: %q, want %q", visits, got, want)
		}
		if got := said[pack.ReasonOverdue+" -1"]; visits > 3 && got != "usually back every day, silent for 1 day" {
			t.Errorf("every day: %q", got)
		}
		if got := said[pack.ReasonFriction+" -1"]; got != "Order Cancelled on 3 March 2021" {
			t.Errorf("friction: %q", got)
		}
	}
}
