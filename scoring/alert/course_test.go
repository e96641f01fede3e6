package alert_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// goingOn is a pack whose lapses go on by themselves.
func goingOn(t testing.TB) *pack.Pack {
	t.Helper()
	return scoringtest.PackOf(t, "1", append(
		scoringtest.Lapsing(),
		"churned: true",
		"raise: {otherwise: watch}",
		"playbooks: [{when: {kind: lapse}, mid: {id: write, "+
			"intent: content, owner: crm, respond_within: 1d, steps: ["+
			"{after: 3d, action: an_offer, intent: offer, owner: sales, respond_within: 2d}, "+
			"{after: 20d, action: rest, intent: none}]}}]",
	)...)
}

// TestCourse: the alerts of a play's steps and of a lapse's end fit the schema and are explained; they say which step it
// is, and what does not follow is found.
func TestCourse(t *testing.T) {
	k := goingOn(t)
	renderer, described := alert.NewRenderer(k), schema(t)
	type playbook struct {
		ID, Action, Intent, Owner string
		Step                      int
		RespondBy                 string `json:"respond_by"`
	}
	type said struct {
		Transition string
		Reasons    []struct{ Code, Text string }
		Playbook   *playbook
		ExpiresAt  string `json:"expires_at"`
	}
	var all []said
	var step, end []byte
	for _, d := range scoringtest.Decided(k, []scoringtest.Happening{
		{At: 0, Type: "buy"}, {At: 3 * scoringtest.Day, Type: "buy"}, {At: 5 * scoringtest.Day, Type: "ticket"},
	}, 400) {
		if d.Kind != profile.Lapse {
			continue
		}
		a := alert.Alert{Decision: d, Customer: []byte("c"), Cause: alert.Cause{Deadline: true, Time: d.At}}
		b := renderer.AppendAlert(nil, &a, a.ID())
		var v any
		var s said
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
		if err := described.Validate(v); err != nil {
			t.Errorf("%v: %s", err, b)
		}
		if x, err := renderer.Explain(b); err != nil || len(x.Differences) > 0 {
			t.Fatalf("%+v, %v: %s", x.Differences, err, b)
		}
		if err := json.Unmarshal(b, &s); err != nil {
			t.Fatal(err)
		}
		switch d.Transition {
		case scoring.Reminded:
			step = b
		case scoring.Churned:
			end = b
		default:
		}
		s.Reasons = s.Reasons[:1]
		all = append(all, s)
	}
	want := []string{
		"raised, until 2020-11-17T12:27:00Z, 2 visits in 3 days, then silent for 32 days; " +
			"{ID:write Action: Intent:content Owner:crm Step:1 RespondBy:2020-10-19T12:27:00Z}",
		"reminded, until 2020-11-17T12:27:00Z, 2 visits in 3 days, then silent for 35 days; " +
			"{ID:write Action:an_offer Intent:offer Owner:sales Step:2 RespondBy:2020-10-23T12:27:00Z}",
		"escalated, until 2020-11-17T12:27:00Z, 2 visits in 3 days, then silent for 42 days; " +
			"{ID:write Action:an_offer Intent:offer Owner:sales Step:2 RespondBy:2020-10-30T19:45:00Z}",
		"reminded, until 2020-11-17T12:27:00Z, 2 visits in 3 days, then silent for 52 days; " +
			"{ID:write Action:rest Intent:none Owner: Step:3 RespondBy:}",
		"churned, until , raised on 18 October 2020, and no activity for 30 days since",
	}
	var got []string
	for _, s := range all {
		text := fmt.Sprintf("%s, until %s, %s", s.Transition, s.ExpiresAt, s.Reasons[0].Text)
		if s.Playbook != nil {
			text += fmt.Sprintf("; %+v", *s.Playbook)
		}
		got = append(got, text)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for name, change := range map[string]func(a map[string]any){
		"another action":     func(a map[string]any) { a["playbook"].(map[string]any)["action"] = "an_offer" },
		"a step too many":    func(a map[string]any) { a["playbook"].(map[string]any)["step"] = 4 },
		"the first step":     func(a map[string]any) { a["playbook"].(map[string]any)["step"] = 1 },
		"another expiry":     func(a map[string]any) { a["expires_at"] = a["time"] },
		"a lower tier":       func(a map[string]any) { a["tier"], a["previous_tier"] = "healthy", "healthy" },
		"a tier that sinks":  func(a map[string]any) { a["previous_tier"] = "watch" },
		"another transition": func(a map[string]any) { a["transition"] = "escalated" },
	} {
		if x, err := renderer.Explain(altered(t, step, change)); err == nil && len(x.Differences) == 0 {
			t.Errorf("%s is not found: %s", name, step)
		}
	}
	if x, err := renderer.Explain(
		altered(t, end, func(a map[string]any) { a["opened_at"] = a["began_at"] }),
	); err == nil &&
		len(x.Differences) == 0 {
		t.Errorf("an end before the horizon is not found: %s", end)
	}
}
