package alert_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/feature"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// TestReasons: which reasons an alert has, in which order, and their sentences.
func TestReasons(t *testing.T) {
	score := model.Score{
		LnTypical: math.Log(12), Silence: 31, Visits: 30, Tenure: 400, Friction: 2, Idle: 0,
		Terms: [model.NumTerms]float64{
			model.TermRhythm: -3, model.TermSilence: 2, model.TermLevel: -1, model.TermTenure: -0.2, model.TermFriction: 0,
		},
	}
	tests := []struct {
		name   string
		change func(d *scoring.Decision)
		want   []string
	}{
		{
			"nothing but silence",
			func(*scoring.Decision) {},
			[]string{
				"overdue: usually back every 12 days, silent for 31 days",
				"few_silences: too few such silences yet to say how many return",
			},
		},
		{"overdue though silence says little", func(d *scoring.Decision) {
			d.Score.Terms[model.TermSilence] = -0.1
			d.Score.Terms[model.TermRhythm] = 0.5
		}, []string{
			"overdue: usually back every 12 days, silent for 31 days",
			"few_silences: too few such silences yet to say how many return",
		}},
		{
			"the others by weight",
			func(d *scoring.Decision) {
				d.Score.Terms[model.TermLevel], d.Score.Terms[model.TermFriction] = 0.7, 0.6
				d.Trouble = profile.Trouble{Type: pack.TroubleMark("Order Cancelled"), At: 1_614_729_600_000}
			},
			[]string{
				"overdue: usually back every 12 days, silent for 31 days",
				"few_silences: too few such silences yet to say how many return",
				"little_activity: 30 visits in all, over 13 months",
				"friction: Order Cancelled on 3 March 2021",
			},
		},
		{
			"learnt from all customers",
			func(d *scoring.Decision) { d.Reading = learnt(1240, 0.624, false) },
			[]string{
				"overdue: usually back every 12 days, silent for 31 days",
				"such_silences: of 1,240 such silences here, 62 in 100 lasted another 90 days",
			},
		},
		{
			"learnt from regulars, and next to certain",
			func(d *scoring.Decision) { d.Reading = learnt(999, 0.997, true) },
			[]string{
				"overdue: usually back every 12 days, silent for 31 days",
				"such_silences: of 999 such silences of regulars, 99 in 100 lasted another 90 days",
			},
		},
		{
			"learnt from those who came once",
			func(d *scoring.Decision) { d.Score.Visits, d.Reading = 1, learnt(1_234_567, 0.001, true) },
			[]string{
				"overdue: came once, silent for 31 days",
				"such_silences: of 1,234,567 such silences after a single visit, 1 in 100 lasted another 90 days",
			},
		},
		{
			"too few visits for a rhythm",
			func(d *scoring.Decision) {
				d.Score.Terms[model.TermTenure], d.Score.Terms[model.TermLevel] = 0.12, 0.2
				d.Score.Visits, d.Score.Tenure = 3, 45
			},
			[]string{
				"overdue: 3 visits in 45 days, then silent for 31 days",
				"few_silences: too few such silences yet to say how many return",
			},
		},
		{
			"a short history, told once",
			func(d *scoring.Decision) {
				d.Score.Terms[model.TermTenure], d.Score.Terms[model.TermLevel] = 0.12, 0
				d.Score.Visits, d.Score.Tenure = 4, 45
			},
			[]string{
				"overdue: usually back every 12 days, silent for 31 days",
				"few_silences: too few such silences yet to say how many return",
				"little_activity: 4 visits in all, over 45 days",
			},
		},
		{
			"a customer still new",
			func(d *scoring.Decision) {
				d.Score.Terms[model.TermTenure], d.Score.Terms[model.TermLevel] = 0.12, -0.1
				d.Score.Visits, d.Score.Tenure = 4, 45
			},
			[]string{
				"overdue: usually back every 12 days, silent for 31 days",
				"few_silences: too few such silences yet to say how many return",
				"new_customer: still new: first seen 76 days ago, 4 visits so far",
			},
		},
		{
			"no customer is new after a horizon",
			func(d *scoring.Decision) { d.Score.Terms[model.TermTenure], d.Score.Tenure = 0.12, 60 },
			[]string{
				"overdue: usually back every 12 days, silent for 31 days",
				"few_silences: too few such silences yet to say how many return",
			},
		},
		{
			"a new customer",
			func(d *scoring.Decision) {
				d.Score.Terms[model.TermTenure], d.Score.Terms[model.TermLevel] = 0.12, 0.2
				d.Score.Tenure, d.Score.Silence, d.Score.LnTypical, d.Score.Visits = 0.1, 1.2, math.Log(0.7), 1
			},
			[]string{
				"overdue: came once, silent for 29 hours",
				"few_silences: too few such silences yet to say how many return",
			},
		},
		{
			"a day, said plainly",
			func(d *scoring.Decision) { d.Score.Silence, d.Score.LnTypical = 1.6, math.Log(1.01) },
			[]string{
				"overdue: usually back every day, silent for 2 days",
				"few_silences: too few such silences yet to say how many return",
			},
		},
		{"an hour", func(d *scoring.Decision) { d.Score.Silence, d.Score.LnTypical = 1, math.Log(0.001) }, []string{
			"overdue: usually back every hour, silent for 1 day",
			"few_silences: too few such silences yet to say how many return",
		}},
		{"back", func(d *scoring.Decision) {
			d.Transition, d.At = scoring.Recovered, d.Since+40*scoringtest.Day+scoringtest.Day/3
		}, []string{"back: back after 40 days"}},
	}
	pack := scoringtest.Must(pack.Load("retail", nil, pack.Overrides{}))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := alert.Alert{Decision: scoring.Decision{Transition: scoring.Raised, Score: score}, Customer: []byte("c")}
			tt.change(&a.Decision)
			var got struct{ Reasons []struct{ Code, Text string } }
			if err := json.Unmarshal(alert.NewRenderer(pack).AppendAlert(nil, &a, a.ID()), &got); err != nil {
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

// learnt is a reading of one point.
func learnt(probes uint32, probability float64, ofClass bool) model.Reading {
	return model.Reading{
		Probes:  probes,
		Number:  1,
		Points:  [2]model.ReadPoint{{Probability: probability}},
		OfClass: ofClass,
	}
}

// TestSentencesOfFeatures: the words for a feature's value and window.
func TestSentencesOfFeatures(t *testing.T) {
	pack := scoringtest.PackOf(t, "1", "signals: {buy: {types: [buy]}, view: {types: [view]}}", "features:",
		"  seen: {kind: since, of: view}",
		"  pending: {kind: open, of: buy, until: view}",
		"  short: {kind: count, of: buy, within: 30d}",
		"  long: {kind: count, of: buy, within: 60d}",
		"  share: {kind: ratio, of: short, to: long}",
		"factors:",
		"  - {code: out_of_stock, feature: seen, curve: [[0d, 0.5]]}",
		"  - {code: not_welcomed, feature: pending, curve: [[0h, 0.5]]}",
		"  - {code: returns_high, feature: share, curve: [[0, 0.5]]}",
	)
	for name, c := range map[string]struct {
		seen, pending int64 // seconds
		want          []string
	}{
		"on the day": {
			0,
			0,
			[]string{
				"found something out of stock today",
				"joined 1 hour ago and has seen nothing yet",
				"sent back 50% of the orders of the last 30 days",
			},
		},
		"a day": {
			86_400,
			3600 * 30,
			[]string{
				"found something out of stock 1 day ago",
				"joined 30 hours ago and has seen nothing yet",
				"sent back 50% of the orders of the last 30 days",
			},
		},
		"days": {
			3 * 86_400,
			86_400 * 5,
			[]string{
				"found something out of stock 3 days ago",
				"joined 5 days ago and has seen nothing yet",
				"sent back 50% of the orders of the last 30 days",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := alert.Alert{
				Decision: scoring.Decision{Transition: scoring.Raised, Score: model.Score{Visits: 2}},
				Customer: []byte("c"),
			}
			a.Score.Terms[model.TermRhythm], a.Score.Terms[model.TermLevel], a.Score.Terms[model.TermTenure] = -5, -5, -5
			for i := range pack.Features {
				values := map[string]int64{"seen": c.seen, "pending": c.pending, "short": 1, "long": 2, "share": 500}
				a.Score.Values = append(a.Score.Values, feature.Value{N: values[pack.Features[i].Name], OK: true})
			}
			var got struct{ Reasons []struct{ Text string } }
			if err := json.Unmarshal(alert.NewRenderer(pack).AppendAlert(nil, &a, a.ID()), &got); err != nil {
				t.Fatal(err)
			}
			var lines []string
			for _, r := range got.Reasons[2:] {
				lines = append(lines, r.Text)
			}
			if diff := cmp.Diff(c.want, lines); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestReasonsThatCannotBeSaid: a code is refused if its sentence has a placeholder without a value.
func TestReasonsThatCannotBeSaid(t *testing.T) {
	const head = "name: trial\nversion: 1\nhorizon: 30d\nactivity: [buy]\nsignals: {buy: {types: [buy]}, ask: {types: " +
		"[ask]}}\n" +
		"features: {ago: {kind: since, of: ask}, n: {kind: count, of: ask, within: 7d}, days: {kind: tenure}, share: " +
		"{kind: ratio, of: n, to: days}, odd: {kind: ratio, of: days, to: n}}\n"
	factor := func(code, feature string) string {
		curve := "[[0, 1]]"
		if feature == "ago" {
			curve = "[[0d, 1]]"
		}
		return head + "factors: [{code: " + code + ", feature: " + feature + ", curve: " + curve + "}]\n"
	}
	opening := func(what string) string {
		return head + "kinds: {explicit: {opens: [{signal: ask, floor: 50, " + what + "}], expires: 30d}}\n"
	}
	for name, c := range map[string]struct{ text, want string }{
		"a window that a feature has":      {factor("obstacles", "n"), ""},
		"a window of what a ratio divides": {factor("returns_high", "share"), ""},
		"a window of a ratio without one": {
			factor("returns_high", "odd"),
			"$.factors[0].code: the sentence of returns_high holds {within}, which odd does not give here",
		},
		"a window of a span":    {factor("obstacles", "ago"), "{times}, which ago does not give"},
		"a time ago":            {factor("out_of_stock", "ago"), ""},
		"a count as a time ago": {factor("out_of_stock", "n"), "{ago}, which n does not give"},
		"the core's numbers":    {factor("little_activity", "n"), ""},
		"an opening":            {opening("code: payment_failed"), ""},
		"an opening's value": {
			opening("code: ticket_unsolved"),
			"$.kinds.explicit.opens[0].code: the sentence of ticket_unsolved holds {value}, which no feature gives here",
		},
		"a code of two openings": {
			head + "kinds: {explicit: {opens: [{signal: ask, floor: 50, code: stayed}, {signal: ask, floor: 60, code: " +
				"stayed}], expires: 30d}}\n",
			`$.kinds.explicit.opens[1].code: "stayed" is opens[0]'s, must tell it from the others of its kind`,
		},
		"an opening's feature": {opening("feature: n, at_least: 2, code: obstacles"), ""},
		"an opening's window": {
			opening("feature: ago, at_least: 2d, code: obstacles"),
			"{times}, which ago does not give",
		},
		"the core's, of who has no score": {opening("code: little_activity"), "{visits}, which no feature gives"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := pack.Load("trial.yaml", func(string) ([]byte, error) { return []byte(c.text), nil }, pack.Overrides{})
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// TestFeatureText: each kind of feature in its own form, including money divided by a number of something.
func TestFeatureText(t *testing.T) {
	retail := scoringtest.Must(pack.Load("retail", nil, pack.Overrides{}))
	for _, tt := range []struct {
		feature string
		n       int64
		want    string
	}{
		{"orders_365d", 3, "3"},
		{"spend_365d", 123_450, "1234.50"},
		{"order_value_365d", 2_599_000, "25.99"},
		{"order_value_trend", 750, "75%"},
		{"discount_share", 333, "33%"},
		{"refund_open", 0, "0 hours"}, // nothing is open
		{"refund_open", 7200, "2 hours"},
	} {
		if got, ok := alert.NewRenderer(retail).FeatureText(tt.feature, tt.n); !ok || got != tt.want {
			t.Errorf("%s of %d reads %q, want %q", tt.feature, tt.n, got, tt.want)
		}
	}
	if _, ok := alert.NewRenderer(retail).FeatureText("no_such", 1); ok {
		t.Error("a feature that there is not has a text")
	}
}
