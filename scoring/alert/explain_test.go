package alert_test

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"ebb/scoring/alert"
	"ebb/scoring/pack"
	"ebb/scoring/scoringtest"
)

func TestExplainFindsAnotherInput(t *testing.T) {
	pack, all := alerts(t)
	r := alert.NewRenderer(pack)
	b := string(r.AppendAlert(nil, &all[4], all[4].ID()))
	for _, name := range []string{"level", "tenure_ms", "friction", "idle_ms", "regularity", "ln_gap"} {
		found := regexp.MustCompile(`"` + name + `":[0-9.]+`)
		if !found.MatchString(b) {
			t.Fatalf("no %s in %s", name, b)
		}
		x, err := r.Explain([]byte(found.ReplaceAllString(b, `"`+name+`":1`)))
		if err != nil || !strings.Contains(fmt.Sprint(x.Differences), "/score/terms/") {
			t.Errorf("%s changed: %+v, %v", name, x, err)
		}
	}
}

func TestExplainRefuses(t *testing.T) {
	k, all := alerts(t)
	r := alert.NewRenderer(k)
	hash := k.Hash[:12]
	whole := string(r.AppendAlert(nil, &all[1], all[1].ID()))
	without := func(part string) string {
		found := regexp.MustCompile(part)
		if !found.MatchString(whole) {
			t.Fatalf("no %s in %s", part, whole)
		}
		return found.ReplaceAllString(whole, "")
	}
	for name, c := range map[string]struct {
		alert, why string
		is         error
	}{
		"no JSON":         {`what`, "invalid character", alert.ErrNoAlert},
		"another JSON":    {`{"customer":"c-1","pack":{"hash":"` + hash + `"}}`, "it has no began_at, opened_at, time, score", alert.ErrNoAlert},
		"no pack":         {`{"customer":"c-1"}`, "another pack", alert.ErrOtherPack},
		"another pack":    {strings.ReplaceAll(whole, hash, strings.Repeat("0", 12)), "another pack: 000000000000", alert.ErrOtherPack},
		"another core":    {strings.Replace(whole, `"core":3`, `"core":4`, 1), "version 4, this build has 3", alert.ErrOtherCore},
		"an input gone":   {without(`,"tenure_ms":\d+`), "it has no score/inputs/tenure_ms", alert.ErrNoAlert},
		"inputs gone":     {without(`,"inputs":{[^}]*}`), "it has no score/inputs", alert.ErrNoAlert},
		"a time gone":     {without(`,"opened_at":"[^"]*"`), "it has no opened_at", alert.ErrNoAlert},
		"a list":          {`[]`, "no JSON object", alert.ErrNoAlert},
		"a text in place": {`{"score":"none"}`, "/score cannot be string", alert.ErrNoAlert},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := r.Explain([]byte(c.alert))
			if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.why) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// FuzzExplain: every text that is read as an alert is explained in finite numbers, and the alert that follows from it
// proves itself.
func FuzzExplain(f *testing.F) {
	trial, all := alerts(f)
	for _, a := range all {
		f.Add(alert.NewRenderer(trial).AppendAlert(nil, &a, a.ID()))
	}
	retail := scoringtest.Must(pack.Load("retail", nil, pack.Overrides{}))
	kindless := scoringtest.Must(pack.Load("any", nil, pack.Overrides{}))
	for _, b := range manyAlerts(f, retail)[:40] {
		f.Add(b)
		f.Add(bytes.ReplaceAll(b, []byte(retail.Hash[:12]), []byte(kindless.Hash[:12])))
		f.Add(regexp.MustCompile(`"id":"(\w+)"`).ReplaceAll(b, []byte(`"id":"$1$1"`)))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, k := range []*pack.Pack{trial, retail, kindless} {
			r := alert.NewRenderer(k)
			x, err := r.Explain(text)
			switch {
			case err == nil:
			case errors.Is(err, alert.ErrNoAlert), errors.Is(err, alert.ErrOtherPack), errors.Is(err, alert.ErrOtherCore):
				continue
			default:
				t.Fatalf("error %v", err)
			}
			again, err := r.Follows(text)
			if err != nil {
				t.Fatalf("%+v, and then %v", x, err)
			}
			if x, err := r.Explain(again); err != nil || len(x.Differences) > 0 {
				t.Fatalf("does not prove itself: %s: %+v, error %v", again, x, err)
			}
		}
	})
}
