package alert_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/scoringtest"
)

// TestArmOfAlert: an alert says the arm of its customer, and that which begins an episode how it was drawn. It proves
// itself with them as without, and without a holdout has the bytes that it had before there were any.
func TestArmOfAlert(t *testing.T) {
	k, described := scoringtest.PackOf(t, "1", scoringtest.Lapsing()...), schema(t)
	r := alert.NewRenderer(k)
	a := alert.Alert{
		Customer: []byte("c"),
		Decision: scoring.Decision{Transition: scoring.Raised, Episode: 1, Sequence: 1},
	}
	a.Cause.Deadline = true
	plain := r.AppendAlert(nil, &a, a.ID())
	for want, arm := range map[string]alert.Assignment{
		"":                 {},
		`,"arm":"treated"`: {Arm: alert.Treated},
		`,"arm":"holdout"`: {Arm: alert.HeldOut},
		`,"arm":"treated","arm_epoch":229,"arm_share":0.1`:    {Arm: alert.Treated, Epoch: 229, Share: 100_000},
		`,"arm":"holdout","arm_epoch":1,"arm_share":0.000001`: {Arm: alert.HeldOut, Epoch: 1, Share: 1},
		`,"arm":"holdout","arm_epoch":1,"arm_share":0.333333`: {Arm: alert.HeldOut, Epoch: 1, Share: 333_333},
	} {
		a.Assigned = arm
		b := r.AppendAlert(nil, &a, a.ID())
		if arm == (alert.Assignment{}) {
			if !bytes.Equal(b, plain) || strings.Contains(string(b), `"arm`) {
				t.Errorf("without an arm: %s", b)
			}
			continue
		}
		if got := strings.Replace(string(b), want, "", 1); got != string(plain) {
			t.Errorf("want %s in %s", want, b)
		}
		var v any
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
		if err := described.Validate(v); err != nil {
			t.Errorf("%s: %v", b, err)
		}
		if x, err := r.Explain(b); err != nil || strings.Contains(fmt.Sprint(x.Differences), "/arm") {
			t.Errorf("%s: %v, error %v", b, x, err)
		}
	}
}
