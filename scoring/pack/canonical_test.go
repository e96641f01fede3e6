package pack_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"ebb/scoring/pack"
	"ebb/scoring/scoringtest"
)

// TestCanonical: a pack's canonical form is a pack with the same form, and so with the same hash, wherever the pack
// came from.
func TestCanonical(t *testing.T) {
	for _, name := range pack.Shipped() {
		for what, o := range map[string]pack.Overrides{
			"as shipped": {},
			"overridden": {
				Horizon:  36 * time.Hour,
				Activity: []string{"b", "a", `quo"te`},
				Friction: map[string]float64{"x": 0.1, "y": 0},
			},
			"no more": {Activity: []string{"*"}, Friction: map[string]float64{}},
		} {
			k, err := pack.Load(name, nil, o)
			if err != nil {
				t.Fatal(err)
			}
			back, err := pack.LoadCanonical(k.Canonical())
			if err != nil {
				t.Fatalf("%s, %s: %v", name, what, err)
			}
			if !bytes.Equal(back.Canonical(), k.Canonical()) || back.Hash != k.Hash || back.Version != k.Version ||
				back.Model.Cap != k.Model.Cap {
				t.Errorf("%s, %s: came back as\n%s\nwas\n%s", name, what, back.Canonical(), k.Canonical())
			}
		}
	}
}

// TestOtherCore: a pack of another core is told from a damaged one, also where a file holds it.
func TestOtherCore(t *testing.T) {
	canonical := scoringtest.Must(pack.Load("any", nil, pack.Overrides{})).Canonical()
	other := bytes.Replace(canonical, []byte(`{"core":3,`), []byte(`{"core":1,`), 1)
	if _, err := pack.LoadCanonical(other); !errors.Is(err, pack.ErrOtherCore) {
		t.Errorf("another core: %v", err)
	}
	if _, err := pack.LoadCanonical(other[:len(other)-1]); err == nil || errors.Is(err, pack.ErrOtherCore) {
		t.Errorf("damaged: %v", err)
	}
	read := func(string) ([]byte, error) { return other, nil }
	if _, err := pack.Load(
		"then.yaml",
		read,
		pack.Overrides{},
	); err == nil ||
		!strings.Contains(err.Error(), "version 1 of the core") {
		t.Errorf("as a file: %v", err)
	}
}

// TestCanonicalRefuses: a form that no build like this one has written is refused with its place.
func TestCanonicalRefuses(t *testing.T) {
	k := scoringtest.Must(pack.Load("retail", nil, pack.Overrides{}))
	good := string(k.Canonical())
	for name, c := range map[string]struct{ text, want string }{
		"a pack as people write it": {"name: x", "not the canonical form"},
		"cut short":                 {good[:len(good)-1], "unexpected EOF"},
		"something behind it":       {good + "{}", "something stands behind"},
		"a key of another build":    {strings.Replace(good, `"overdue"`, `"overdew"`, 1), "overdew"},
		"another core":              {strings.Replace(good, `{"core":3,`, `{"core":1,`, 1), "scored by version 1, this build has version 3"},
		"another spelling":          {strings.Replace(good, `,"version"`, `, "version"`, 1), "spells it otherwise"},
		"a setting out of bounds":   {strings.Replace(good, `"overdue":0.5`, `"overdue":2`, 1), "$.overdue: 2"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := pack.LoadCanonical([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one that says %q", err, c.want)
			}
		})
	}
}

const spelt = `name: spelt
version: "1"
horizon: 30d
activity: [b, a]
friction: {x: 1, y: 2}
signals:
  lists: {types: [p, q], where: [{property: n, at_least: 2}, {property: m, exists: true}, {property: n, at_most: 5}]}
  other: {types: [r]}
  third: {types: [s]}
features:
  n: {kind: count, of: lists, within: 30d}
factors:
  - {code: incident, feature: n, curve: [[0, 0], [1, 0.5]], stages: [active, new]}
  - {code: dispute_open, feature: n, curve: [[0, 0], [1, 0.5]]}
kinds:
  explicit:
    opens: [{signal: lists, floor: 60, code: cancellation_started, closes: [other, third]}, {signal: lists, feature: n, at_least: 2, floor: 80, code: cancellation_requested}]
    closes: [third, other]
playbooks:
  - {when: [overdue, explicit], mid: {id: a, intent: content, owner: b, respond_within: 1d}}
`

// TestCanonicalOrder: lists whose order is irrelevant have one order, so that the hash is the same; where order matters
// it stays.
func TestCanonicalOrder(t *testing.T) {
	load := func(text string) *pack.Pack {
		t.Helper()
		return scoringtest.Must(
			pack.Load("p.yaml", func(string) ([]byte, error) { return []byte(text), nil }, pack.Overrides{}),
		)
	}
	hash := load(spelt).Hash
	for _, c := range []struct {
		from, to string
		same     bool
	}{
		{"[b, a]", "[a, b]", true},
		{"[p, q]", "[q, p]", true},
		{
			"{property: n, at_least: 2}, {property: m, exists: true}",
			"{property: m, exists: true}, {property: n, at_least: 2}",
			true,
		},
		{"stages: [active, new]", "stages: [new, active]", true},
		{"stages: [active, new]", "stages: [active]", false},
		{
			"[1, 0.5]]}\nkinds",
			"[1, 0.5]], stages: [active, new, onboarding, at_risk, dormant, churned, resurrected]}\nkinds",
			true,
		},
		{"[other, third]", "[third, other]", true},
		{"[third, other]", "[other, third]", true},
		{"[overdue, explicit]", "[explicit, overdue]", true},
		{"code: incident", "code: ticket_unsolved", false},
		{"at_least: 2}, ", "at_least: 2.0}, ", true},
		{"within: 30d", "within: 31d", false},
		{"code: dispute_open", "code: incident", false},
	} {
		changed := strings.Replace(spelt, c.from, c.to, 1)
		if changed == spelt {
			t.Fatalf("there is no %s", c.from)
		}
		if got := load(changed); (got.Hash == hash) != c.same {
			t.Errorf("%s as %s: the same hash %v, want %v", c.from, c.to, got.Hash == hash, c.same)
		}
	}
	swapped := strings.Replace(
		strings.Replace(strings.Replace(spelt, "code: incident", "code: X", 1), "code: dispute_open", "code: incident", 1),
		"code: X",
		"code: dispute_open",
		1,
	)
	if load(swapped).Hash == hash {
		t.Error("factors in another order have the same hash")
	}
}
