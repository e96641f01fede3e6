package scoring_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"ebb/scoring"
)

func TestDecisionRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.Float64()
		d := scoring.Decision{
			Transition: scoring.Transition(rapid.IntRange(1, int(scoring.NumTransitions)-1).Draw(t, "transition")),
			Tier:       scoring.Tier(rapid.IntRange(0, int(scoring.NumTiers)-1).Draw(t, "tier")),
			Previous:   scoring.Tier(rapid.IntRange(0, int(scoring.NumTiers)-1).Draw(t, "previous")),
			Episode:    rapid.Uint32().Draw(t, "episode"), Sequence: rapid.Uint32().Draw(t, "sequence"),
			At: rapid.Int64().Draw(t, "at"), Silence: rapid.Int64().Draw(t, "silence"),
			Score: scoring.Score{
				At: rapid.Int64().Draw(t, "score at"), LnTypical: number.Draw(t, "m"), Regularity: number.Draw(t, "k"), Silence: number.Draw(t, "r"),
				Level: number.Draw(t, "level"), Friction: number.Draw(t, "friction"), Idle: number.Draw(t, "idle"), Tenure: number.Draw(t, "tenure"),
				Visits: rapid.Uint32().Draw(t, "visits"),
			},
		}
		for i := range d.Score.Terms {
			d.Score.Terms[i] = number.Draw(t, "term")
		}
		b := scoring.AppendDecision(nil, &d)
		if len(b) != scoring.DecisionSize {
			t.Fatalf("%d bytes, want %d", len(b), scoring.DecisionSize)
		}
		var got scoring.Decision
		if err := scoring.ReadDecision(b, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(d, got, cmpopts.EquateNaNs()); diff != "" {
			t.Fatal(diff)
		}
		if scoring.ReadDecision(b[:rapid.IntRange(0, len(b)-1).Draw(t, "cut")], &got) == nil {
			t.Fatal("a part of a decision is taken for one")
		}
	})
}
