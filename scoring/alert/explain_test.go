package alert_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"

	"ebb/scoring/alert"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/scoringtest"
)

// TestExplainFindsEveryBit: a number of a term, its result or the sum that is off by the last bit is found.
func TestExplainFindsEveryBit(t *testing.T) {
	pack, all := alerts(t)
	for _, a := range all {
		b := alert.NewRenderer(pack).AppendAlert(nil, &a, a.ID())
		var text map[string]any
		if err := json.Unmarshal(b, &text); err != nil {
			t.Fatal(err)
		}
		numbers := 0
		check := func(field string, holder map[string]any, key string) {
			t.Helper()
			was, ok := holder[key].(float64)
			if !ok {
				t.Fatalf("%s is no number", field)
			}
			numbers++
			holder[key] = math.Nextafter(was, math.Inf(1))
			defer func() { holder[key] = was }()
			changed, err := json.Marshal(text)
			if err != nil {
				t.Fatal(err)
			}
			x, err := alert.Explain(changed)
			if err != nil {
				t.Fatal(err)
			}
			result := strings.HasSuffix(field, "log_odds") || strings.Count(field, "/") == 1
			if result && len(x.Differences) == 0 {
				t.Errorf("%s is off by a bit, and nothing is found", field)
			}
			again := (alert.Difference{Field: field, Says: holder[key].(float64), Recomputed: was})
			if len(x.Differences) == 1 && x.Differences[0] != again {
				t.Errorf("%s: %+v, want %+v", field, x.Differences[0], again)
			}
		}
		for _, field := range []string{"log_odds", "risk_score", "churn_probability"} {
			check("/"+field, text, field)
		}
		for i, term := range text["terms"].([]any) {
			check(fmt.Sprintf("/terms/%d/log_odds", i), term.(map[string]any), "log_odds")
		}
		if numbers != 3+int(model.NumTerms) {
			t.Fatalf("%d numbers", numbers)
		}
	}
}

func TestExplainFindsAnotherInput(t *testing.T) {
	pack, all := alerts(t)
	b := string(alert.NewRenderer(pack).AppendAlert(nil, &all[0], all[0].ID()))
	for _, change := range []string{
		`"level":|4`,
		`"outgrown":|5`,
		`"tenure_days":|6`,
		`"friction":|0`,
		`"silent_days":|4`,
		`"regularity":|2`,
		`"fade_days":|3`,
		`"floor":|0.2`,
		`"outgrown_fade":|0.2`,
		`"max_regularity":|2.5`,
		`"clockwork_to":|3`,
	} {
		name, value, _ := strings.Cut(change, "|")
		if !strings.Contains(b, name+value) {
			t.Fatalf("no %s%s in %s", name, value, b)
		}
		x, err := alert.Explain([]byte(strings.Replace(b, name+value, name+"1", 1)))
		if err != nil || len(x.Differences) == 0 || !strings.HasPrefix(x.Differences[0].Field, "/terms/") {
			t.Errorf("%s changed: %+v, %v", name, x, err)
		}
	}
}

func TestExplainRefuses(t *testing.T) {
	for name, c := range map[string]struct{ alert, why string }{
		"no JSON":      {`what`, "invalid character"},
		"another JSON": {`{"customer":"c-1"}`, "no terms"},
		"a term unknown": {
			`{"terms":[{"name":"weather","log_odds":1}],"log_odds":1,"risk_score":1,"churn_probability":1}`,
			`/terms/0: term "weather"`,
		},
		"an input gone": {
			`{"terms":[{"name":"tenure","log_odds":1,"coefficients":{"weight":1,"offset":1,"horizon_days":1}}],"log_odds":1,"risk_score":1,"churn_probability":1}`,
			"/inputs/tenure_days is missing",
		},
		"a coefficient": {
			`{"terms":[{"name":"base","log_odds":1}],"log_odds":1,"risk_score":1,"churn_probability":1}`,
			"/coefficients/base is missing",
		},
		"a list":          {`[]`, "no JSON object"},
		"a text in place": {`{"terms":"none"}`, "/terms cannot be string"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := alert.Explain([]byte(c.alert))
			if !errors.Is(err, alert.ErrNoAlert) || !strings.Contains(err.Error(), c.why) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// FuzzExplain: every text that is read as an alert is explained in finite numbers, and an alert with the recomputed
// content proves itself.
func FuzzExplain(f *testing.F) {
	trial, all := alerts(f)
	for _, a := range all {
		f.Add(alert.NewRenderer(trial).AppendAlert(nil, &a, a.ID()))
	}
	f.Add(
		[]byte(
			`{"terms":[{"name":"rhythm","coefficients":{"horizon_days":-1}}],"log_odds":0,"risk_score":0,"churn_probability":0}`,
		),
	)
	retail := scoringtest.Must(pack.Load("retail", nil, pack.Overrides{}))
	kindless := scoringtest.Must(pack.Load("any", nil, pack.Overrides{}))
	for _, b := range manyAlerts(f, retail)[:40] {
		f.Add(b)
		f.Add(bytes.ReplaceAll(b, []byte(retail.Hash), []byte(kindless.Hash)))
		f.Add(regexp.MustCompile(`"id":"(\w+)"`).ReplaceAll(b, []byte(`"id":"$1$1"`)))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, k := range []*pack.Pack{retail, kindless} {
			if _, err := alert.NewRenderer(k).Explain(text); err != nil && !errors.Is(err, alert.ErrNoAlert) {
				t.Fatalf("by its pack: error %v", err)
			}
		}
		x, err := alert.Explain(text)
		if err != nil {
			if !errors.Is(err, alert.ErrNoAlert) {
				t.Fatalf("error %v", err)
			}
			return
		}
		b, err := json.Marshal(x) // it has the same fields as an alert
		if err != nil {
			t.Fatalf("not to be shown: %v", err)
		}
		b = bytes.Replace(b, []byte(`"unscored":true`), []byte(`"scored":false`), 1) // but for this one
		again, err := alert.Explain(b)
		if err != nil || len(again.Differences) > 0 {
			t.Fatalf("does not prove itself: %s: %+v, error %v", b, again, err)
		}
	})
}
