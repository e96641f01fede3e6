package pack_test

import (
	"slices"
	"strings"
	"testing"

	"ebb/scoring/pack"
	"ebb/scoring/scoringtest"
)

const linted = `name: linted
version: 1
horizon: 30d
activity: [a]
signals:
  s: {types: [x]}
  u: {types: [y]}
features:
  n: {kind: count, of: s, within: 30d}
  days: {kind: active_days, of: s, within: 30d}
  share: {kind: ratio, of: n, to: days}
  ago: {kind: since, of: s}
  waits: {kind: open, of: s, until: u}
factors:
  - {code: incident, feature: n, curve: [[0, 0], [1, 0.5]]}
  - {code: dispute_open, feature: share, curve: [[0, 0], [1000, 0.5]]}
  - {code: ticket_unsolved, feature: waits, curve: [[1h, 0], [2h, 0.5]]}
  - {code: out_of_stock, feature: ago, curve: [[1d, 0], [2d, 0.5]]}
kinds:
  explicit:
    opens: [{signal: s, feature: days, at_least: 2, floor: 60, code: cancellation_started}, {signal: s, feature: days, at_least: 30, floor: 80, code: cancellation_requested}]
    closes: [u]
stages: {new: 7d, onboarding: {within: 30d}}
value: {feature: n, high: 30, mid: 10}
playbooks:
  - {when: [overdue, explicit, incident], mid: {id: a, intent: content, owner: b, respond_within: 1d}}
`

// TestLint: declarations without effect are doubtful, and a pack without any is not.
func TestLint(t *testing.T) {
	lint := func(text string) []string {
		t.Helper()
		return scoringtest.Must(pack.Load(
			"p.yaml",
			func(string) ([]byte, error) { return []byte(text), nil },
			pack.Overrides{},
		)).
			Lint()
	}
	if found := lint(linted); len(found) > 0 {
		t.Fatal(found)
	}
	where := func(conditions string) [2]string {
		return [2]string{"s: {types: [x]}", "s: {types: [x], where: [" + conditions + "]}"}
	}
	for name, c := range map[string]struct {
		change [2]string
		want   string // part of the finding; "": none
	}{
		"a shorter onboarding": {[2]string{"within: 30d}}", "within: 7d}}"}, "stage onboarding: nobody is in it"},
		"a stage of a factor": {
			[2]string{"[1, 0.5]]}", "[1, 0.5]], stages: [dormant]}"},
			"incident: counts in stage dormant",
		},
		"tiers of no stage": {
			[2]string{"stages: {", "stages: {tiers: {churned: {watch: 30, at_risk: 50, critical: 70}}, "},
			"stage churned: has tiers",
		},
		"an opening behind another": {
			[2]string{"at_least: 30", "at_least: 2"},
			"explicit.opens[0]: its floor never stands, since [1]",
		},
		"an opening without": {
			[2]string{"feature: days, at_least: 30, ", ""},
			"explicit.opens[0]: its floor never stands, since [1]",
		},
		"an opening that outlasts": {[2]string{
			"feature: days, at_least: 30, floor: 80, code: cancellation_requested}]\n    closes: [u]",
			"floor: 80, code: cancellation_requested, closes: [u]}]\n    expires: 30d",
		}, ""},
		"a cap of nothing": {[2]string{"signals:", "cap: 0\nsignals:"}, "cap: 0, so that no factor adds anything"},
		"too many days": {
			[2]string{"at_least: 30", "at_least: 31"},
			"explicit.opens[1]: days is never 31, 30 at most",
		},
		"hours of days": {
			[2]string{"[1d, 0]", "[10h, 0]"},
			"out_of_stock: the point at 36000 s is none that ago has: it counts whole days",
		},
		"minutes of hours": {
			[2]string{"[1h, 0]", "[1m, 0]"},
			"ticket_unsolved: the point at 60 s is none that waits has: it counts whole hours",
		},
		"a share below none": {
			[2]string{"[0, 0], [1000", "[-5, 0], [1000"},
			"dispute_open: the point at -5 lies below what share can be, 0",
		},
		"a curve out of reach": {[2]string{"[0, 0], [1000, 0.5]", "[-5, 0.5], [0, 0]"}, "dispute_open: adds nothing"},
		"a flat curve":         {[2]string{"[0, 0], [1000, 0.5]", "[0, 0], [1000, 0]"}, "dispute_open: adds nothing"},
		"too much for days":    {[2]string{"feature: n, high: 30", "feature: days, high: 31"}, "value: days is never 31"},
		"a reason never given": {
			[2]string{"explicit, incident]", "explicit, delivery_late]"},
			"playbooks[0], delivery_late: no alert",
		},
		"a kind never raised": {
			[2]string{"explicit, incident]", "involuntary, incident]"},
			"playbooks[0], involuntary: no alert",
		},
		"a reason too light": {
			[2]string{"[1, 0.5]]}\n  - {code: dispute", "[1, 0.05]]}\n  - {code: dispute"},
			"playbooks[0], incident: its factor adds 0.05 at most",
		},
		"friction of nothing": {[2]string{"explicit, incident]", "explicit, friction]"}, "playbooks[0], friction: no alert"},
		"a low floor":         {[2]string{"floor: 60", "floor: 39"}, "explicit.opens[0]: its floor of 39 lies below"},
		"high tiers": {
			[2]string{"signals:", "tiers: {watch: 40, at_risk: 60, critical: 99.7}\nsignals:"},
			"tier critical: begins at 99.7",
		},
		"more than less": {
			where("{property: p, at_least: 5}, {property: p, at_most: 3}"),
			"signal s: no event meets what it asks of p",
		},
		"missing and there":  {where("{property: p, exists: false}, {property: p, equals: x}"), "signal s: no event"},
		"equal to two":       {where("{property: p, equals: x}, {property: p, equals: y}"), "signal s: no event"},
		"a number beyond":    {where("{property: p, equals: 7}, {property: p, at_most: 3}"), "signal s: no event"},
		"a text as a number": {where("{property: p, equals: x}, {property: p, at_most: 3}"), "signal s: no event"},
		"a number within": {
			where("{property: p, equals: 3}, {property: p, at_most: 3}, {property: p, exists: true}"),
			"",
		},
		"of two properties": {where("{property: p, exists: false}, {property: q, equals: x}"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			changed := strings.Replace(linted, c.change[0], c.change[1], 1)
			if changed == linted {
				t.Fatalf("there is no %s", c.change[0])
			}
			found := lint(changed)
			if c.want == "" && len(found) > 0 ||
				c.want != "" && !slices.ContainsFunc(found, func(s string) bool { return strings.Contains(s, c.want) }) {
				t.Errorf("doubtful: %q, want %q", found, c.want)
			}
		})
	}
}

// TestShippedPacksAreNotDoubtful: everything in the shipped packs is reached, raised and used.
func TestShippedPacksAreNotDoubtful(t *testing.T) {
	for _, name := range pack.Shipped() {
		if found := scoringtest.Must(pack.Load(name, nil, pack.Overrides{})).Lint(); len(found) > 0 {
			t.Errorf("%s: %q", name, found)
		}
	}
}
