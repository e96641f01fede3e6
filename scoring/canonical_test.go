package scoring_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"ebb/scoring"
)

// TestCanonical: a pack's canonical form is a pack with the same form, and so with the same hash, however the pack came about.
func TestCanonical(t *testing.T) {
	for _, name := range scoring.Shipped() {
		for what, o := range map[string]scoring.Overrides{
			"as shipped": {},
			"overridden": {Horizon: 36 * time.Hour, Activity: []string{"b", "a", `quo"te`}, Friction: map[string]float64{"x": 0.1, "y": 0}},
			"no more":    {Activity: []string{"*"}, Friction: map[string]float64{}},
		} {
			k, err := scoring.Load(name, nil, o)
			if err != nil {
				t.Fatal(err)
			}
			back, err := scoring.LoadCanonical(k.Canonical())
			if err != nil {
				t.Fatalf("%s, %s: %v", name, what, err)
			}
			if !bytes.Equal(back.Canonical(), k.Canonical()) || back.Hash != k.Hash || back.Version != k.Version || back.Cap != k.Cap {
				t.Errorf("%s, %s: came back as\n%s\nwas\n%s", name, what, back.Canonical(), k.Canonical())
			}
		}
	}
}

// TestCanonicalRefuses: what no build like this one has written is refused with its place.
func TestCanonicalRefuses(t *testing.T) {
	k := must(scoring.Load("retail", nil, scoring.Overrides{}))
	good := string(k.Canonical())
	for name, c := range map[string]struct{ text, want string }{
		"a pack as people write it": {"name: x", "not the canonical form"},
		"cut short":                 {good[:len(good)-1], "unexpected EOF"},
		"something behind it":       {good + "{}", "something stands behind"},
		"a key of another build":    {strings.Replace(good, `"overdue"`, `"overdew"`, 1), "overdew"},
		"another core":              {strings.Replace(good, `{"core":1,`, `{"core":99,`, 1), "core, this build has"},
		"another spelling":          {strings.Replace(good, `,"version"`, `, "version"`, 1), "spells it otherwise"},
		"a setting out of bounds":   {strings.Replace(good, `"overdue":0.5`, `"overdue":2`, 1), "$.overdue: 2"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := scoring.LoadCanonical([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one that says %q", err, c.want)
			}
		})
	}
}
