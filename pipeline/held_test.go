package pipeline_test

import (
	"bytes"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ebb/pipeline"
	"ebb/scoring/profile"
)

// TestHeldBytes: a held raise reads back as it was, in as few bytes as is said.
func TestHeldBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		since := rapid.Int64Range(1_000_000_000_000, 2_000_000_000_000).Draw(t, "since")
		h := pipeline.Held{
			Reason:   pipeline.HoldReason(rapid.IntRange(1, int(pipeline.NumHoldReasons)-1).Draw(t, "reason")),
			Tier:     profile.Tier(rapid.IntRange(0, int(profile.NumTiers)-1).Draw(t, "tier")),
			Priority: rapid.IntRange(0, 1000).Draw(t, "priority"), Since: since,
			Episode: rapid.Uint32Max(1<<21).Draw(t, "episode"), Opener: rapid.Uint16().Draw(t, "opener"),
			At:     since + rapid.Int64Range(0, 400*pipeline.DayMillis).Draw(t, "after"),
			Review: rapid.Int64Range(0, 40_000_000).Draw(t, "review"),
		}
		h.Initial = h.Reason == pipeline.HeldHistory
		most := 27
		if h.Reason == pipeline.HeldSilence {
			h.Silence, h.Initial, most = rapid.Int64Range(1, 1<<20).Draw(t, "silence"), rapid.Bool().Draw(t, "initial"), 32
		}
		if h.Reason == pipeline.HeldBudget {
			h.Lane, h.Initial, most = rapid.StringN(1, 9, 9).Draw(t, "lane"), rapid.Bool().Draw(t, "initial"), 45
			h.Expires = h.At + rapid.Int64Range(0, 400*pipeline.DayMillis).Draw(t, "expires")
		}
		e := pipeline.HeldEntry{
			Key:   pipeline.AppendHeldKey(nil, []byte("\x00c"), profile.Lapse),
			Value: pipeline.AppendHeld(nil, h),
		}
		if back, err := pipeline.ReadHeld(e); err != nil || back != h {
			t.Fatalf("%+v, %v, want %+v", back, err, h)
		}
		if n := len(e.Value); n > most || n < 12 {
			t.Fatalf("%d bytes", n)
		}
	})
	for r := pipeline.HoldReason(1); r < pipeline.NumHoldReasons; r++ {
		if pipeline.HoldReasonOf(r.String()) != r {
			t.Errorf("%v does not read back", r)
		}
	}
	if pipeline.HoldReasonOf("") != 0 || pipeline.HoldReasonOf("drought") != 0 {
		t.Error("a reason that nobody knows")
	}
}

// FuzzHeld: whatever the bytes, they are refused or stand for themselves.
func FuzzHeld(f *testing.F) {
	f.Add(pipeline.AppendHeld(nil, pipeline.Held{Reason: pipeline.HeldStorm, Priority: 9, Since: 7, At: 8, Review: 9}))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := pipeline.ReadHeld(pipeline.HeldEntry{Key: []byte("\x00c\x00"), Value: b})
		if again := pipeline.AppendHeld(nil, h); err == nil && !bytes.Equal(again, b) {
			t.Fatalf("% x, want % x", again, b)
		}
	})
}

// TestAskedBytes: what is asked reads back; what this build does not know is refused in words.
func TestAskedBytes(t *testing.T) {
	a := pipeline.Asked{ID: "x", Kind: pipeline.AskRelease, Reason: "storm", By: "ann", Why: "they have left"}
	if back, err := pipeline.ReadAsked("x", a.Encode()); err != nil || back != a {
		t.Errorf("%+v, %v", back, err)
	}
	end := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	a = pipeline.Asked{
		ID: "y", Kind: pipeline.AskSilence, By: "ann",
		Silence: pipeline.Silence{ID: "s", Match: pipeline.Match{Kind: "lapse"}, Until: end},
	}
	if back, err := pipeline.ReadAsked("y", a.Encode()); err != nil || back != a {
		t.Errorf("%+v, %v", back, err)
	}
	for _, other := range []string{
		`{"kind":"hush"}`, `{"kind":"silence"}`, `{"kind":"silence","by":"ann","silence":{"id":"x"}}`,
		`{"kind":"release","reason":"drought"}`, `{"kind":"release"}`, "", "[]",
	} {
		if back, err := pipeline.ReadAsked("x", []byte(other)); err == nil {
			t.Errorf("%s reads as %+v", other, back)
		}
	}
}
