package alert_test

import (
	"encoding/json"
	"testing"

	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// TestCorrectedNamesItsRaise: a correction is proved like any alert, names the alert that it takes back, and says in
// words what was believed and what was so.
func TestCorrectedNamesItsRaise(t *testing.T) {
	k := scoringtest.PackOf(t, "1", scoringtest.Lapsing()...)
	var events []scoringtest.Happening
	for week := range int64(9) {
		events = append(events, scoringtest.Happening{At: 7 * week * scoringtest.Day, Type: "buy"})
	}
	late := scoringtest.Happening{At: 80 * scoringtest.Day, Type: "view"}
	events = append(events, scoringtest.Happening{At: 200 * scoringtest.Day, Type: "other"}, late)
	var raise alert.ID
	for _, d := range scoringtest.Decided(k, events, 0) {
		a := alert.Alert{Decision: d, Customer: []byte("c"), Cause: alert.Cause{EventType: []byte("view"), Time: d.At}}
		if d.Kind == profile.Lapse && d.Transition == scoring.Raised {
			raise = a.ID()
			continue
		}
		if d.Transition != scoring.Corrected {
			continue
		}
		b := alert.NewRenderer(k).AppendAlert(nil, &a, a.ID())
		var v struct {
			Corrects string
			Reasons  []struct{ Text string }
		}
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		want := "was back on 2 December 2020, reported late: silent for 16 days when raised, not 40 days"
		if v.Corrects != raise.String() || len(v.Reasons) != 1 || v.Reasons[0].Text != want {
			t.Errorf("%s\ncorrects %s, want %s", b, v.Corrects, raise)
		}
		if x, err := alert.NewRenderer(k).Explain(b); err != nil || len(x.Differences) > 0 {
			t.Errorf("%v, error %v", x.Differences, err)
		}
		return
	}
	t.Error("nothing was corrected")
}
