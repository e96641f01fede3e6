package pack_test

import (
	"slices"
	"strings"
	"testing"

	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// raising is a pack with a value and a section raise.
func raising(raise string) (*pack.Pack, error) {
	return scoringtest.LoadText(strings.Join([]string{
		"name: p", "version: 1", "horizon: 30d", "activity: [a]", "signals: {buy: {types: [a]}}",
		"features: {spent: {kind: sum, of: buy, within: 90d}}", "value: {feature: spent, high: 200, mid: 100}", raise,
	}, "\n"), pack.Overrides{})
}

func TestRaise(t *testing.T) {
	for _, c := range []struct {
		raise                        string
		regular, high, mid, othewise profile.Tier
	}{
		{"", 0, 0, 0, profile.AtRisk},
		{"raise: {regular: watch}", profile.Watch, 0, 0, profile.AtRisk},
		{
			"raise: {regular: watch, high: at_risk, mid: watch, otherwise: critical}",
			profile.Watch, profile.AtRisk, profile.Watch, profile.Critical,
		},
	} {
		k, err := raising(c.raise)
		if err != nil {
			t.Fatal(err)
		}
		r := k.Model.Raise
		if r.Regular != c.regular || r.High != c.high || r.Mid != c.mid || r.Otherwise != c.othewise {
			t.Errorf("%s: %+v", c.raise, r)
		}
		back := scoringtest.Must(pack.LoadCanonical(k.Canonical()))
		if back.Hash != k.Hash || back.Model.Raise != r {
			t.Errorf("%s: came back as %+v", c.raise, back.Model.Raise)
		}
	}
}

// TestRaiseHash: what is so without being said does not change the hash, anything else does.
func TestRaiseHash(t *testing.T) {
	hash := func(raise string) string { return scoringtest.Must(raising(raise)).Hash }
	plain := hash("")
	for _, same := range []string{"raise: {}", "raise: {otherwise: at_risk}"} {
		if hash(same) != plain {
			t.Errorf("%s changed the hash", same)
		}
	}
	regular := hash("raise: {regular: watch}")
	if regular == plain || regular != hash("raise: {otherwise: at_risk, regular: watch}") {
		t.Error("raise: {regular: watch} has the hash of no raise, or another one where otherwise is said")
	}
}

func TestRaiseProblems(t *testing.T) {
	_, err := raising("raise: {regular: healthy, mid: soon, often: watch}")
	for _, want := range []string{
		`unknown key "often"`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %s in %v", want, err)
		}
	}
	_, err = raising("raise: {regular: healthy, mid: soon}")
	for _, want := range []string{
		`$.raise.regular: "healthy", must be one of watch, at_risk, critical`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %s in %v", want, err)
		}
	}
	_, err = scoringtest.LoadText(
		"name: p\nversion: 1\nhorizon: 30d\nactivity: [a]\nraise: {high: watch}",
		pack.Overrides{},
	)
	if err == nil || !strings.Contains(err.Error(), "$.raise.high: is a value tier, and the pack declares no value") {
		t.Error(err)
	}
}

func TestRaiseLint(t *testing.T) {
	k := scoringtest.Must(raising("raise: {regular: at_risk, high: at_risk, mid: watch}"))
	for _, want := range []string{
		"raise.regular: at_risk is not earlier than at_risk, as for all others",
		"raise.mid: watch is earlier than at_risk, as for high",
	} {
		if !slices.Contains(k.Lint(), want) {
			t.Errorf("no %q in %q", want, k.Lint())
		}
	}
}
