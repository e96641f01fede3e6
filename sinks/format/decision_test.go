package format_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"ebb/pipeline"
	"ebb/scoring"
	"ebb/scoring/profile"
	"ebb/sinks/format"
)

// ruled is an entry of the ledger: a lapse that a storm held.
func ruled(change func(*pipeline.Ruling)) *pipeline.Entry {
	e := &pipeline.Entry{
		Kind:   pipeline.EntryDecision,
		Offset: 9,
		Key:    pipeline.AppendKey(nil, []byte("acme"), []byte("c/1")),
	}
	d := scoring.Decision{
		Kind: profile.Lapse, Transition: scoring.Raised, Tier: profile.AtRisk, Episode: 2, Sequence: 1,
		At: 1_700_000_040_000, Since: 1_690_000_000_000,
	}
	e.Ruling = pipeline.RulingOf(pipeline.Hold, "storm", &d, 431)
	if change != nil {
		change(&e.Ruling)
	}
	return e
}

// TestRenderDecision shows a record of the ledger.
func TestRenderDecision(t *testing.T) {
	want := `topic ebb.decisions
partition -1
key "c/1"
value %q
timestamp 1700000040000
`
	value := `{"alert_id":"ID","episode_id":"EPISODE","tenant":"acme","customer":"c/1","kind":"lapse","episode":2,"sequence":1,` +
		`"transition":"raised","tier":"at_risk","priority":431,"outcome":"held","reason":"storm",` +
		`"decided_at":"2023-11-14T22:14:00Z","time":"2023-11-14T22:14:00Z","review_at":"2023-11-14T23:20:00Z"}`
	e := ruled(func(r *pipeline.Ruling) { r.Review = 28_333_400 })
	about := e.Ruling.About(pipeline.SplitKey(e.Key))
	value = strings.NewReplacer("EPISODE", about.EpisodeID().String(), "ID", about.ID().String()).Replace(value)
	got := render(e, nil)
	if diff := cmp.Diff(value, string(got.Value)); diff != "" {
		t.Error(diff)
	}
	got.Value = nil
	if diff := cmp.Diff(strings.Replace(want, "%q", `""`, 1), show(got)); diff != "" {
		t.Error(diff)
	}
}

// TestDecisionSchema: whatever the outcome, the record is what the schema says, and an alert of the raise has its id.
func TestDecisionSchema(t *testing.T) {
	s, err := jsonschema.NewCompiler().Compile("../../docs/decision.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, e := range map[string]*pipeline.Entry{
		"held":       ruled(nil),
		"until then": ruled(func(r *pipeline.Ruling) { r.Review = 28_333_400 }),
		"released":   ruled(func(r *pipeline.Ruling) { r.Outcome, r.At = pipeline.Released, r.At+1 }),
		"withdrawn":  ruled(func(r *pipeline.Ruling) { r.Outcome, r.End = pipeline.Withdrawn, "recovered" }),
		"gone":       ruled(func(r *pipeline.Ruling) { r.Outcome, r.End = pipeline.Withdrawn, pipeline.EndGone }),
		"for a budget": ruled(func(r *pipeline.Ruling) {
			r.Reason, r.Review, r.Place, r.Expires = "budget", 28_333_400, 7, 1_700_900_000_000
		}),
		"withheld": ruled(func(r *pipeline.Ruling) {
			r.Outcome, r.Reason, r.Transition, r.Kind = pipeline.Withheld, "unraised", scoring.Escalated, profile.Explicit
		}),
	} {
		value := render(e, nil).Value
		var read any
		var back format.Decision
		if err := json.Unmarshal(value, &read); err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(read); err != nil {
			t.Errorf("%s: %v\n%s", name, err, value)
		}
		if err := json.Unmarshal(value, &back); err != nil || back.Outcome != e.Ruling.Outcome.String() {
			t.Errorf("%s: %+v, %v", name, back, err)
		}
		a := raised().Alert
		a.Tenant, a.Customer = pipeline.SplitKey(e.Key)
		a.Since, a.Sequence, a.Transition = e.Ruling.Since, 1, scoring.Raised
		if name == "held" && back.AlertID != a.ID().String() {
			t.Errorf("%s: alert %s, want %s", name, back.AlertID, a.ID())
		}
	}
}

// TestDecisionReasons: the schema names every reason for which a raise may be held.
func TestDecisionReasons(t *testing.T) {
	text, err := os.ReadFile("../../docs/decision.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for r := pipeline.HeldHistory; r < pipeline.NumHoldReasons; r++ {
		if !strings.Contains(string(text), `"`+r.String()+`"`) {
			t.Errorf("the schema does not name %s", r)
		}
	}
}
