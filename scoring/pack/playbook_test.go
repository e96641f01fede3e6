package pack_test

import (
	"bytes"
	"strings"
	"testing"

	"ebb/scoring/feature"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// played is a pack whose playbooks have these conditions, with the ids p0, p1 and so on.
func played(whens ...string) string {
	text := `name: played
version: 1
horizon: 30d
activity: [a]
friction: {f: 1, g: 2, none: 0}
signals:
  s: {types: [x]}
  u: {types: [y]}
features:
  n: {kind: count, of: s, within: 30d}
  waits: {kind: open, of: s, until: u}
  stars: {kind: last, of: s, property: stars, within: 30d}
factors:
  - {code: incident, feature: n, curve: [[0, 0], [1, 0.5]]}
  - {code: ticket_unsolved, feature: waits, curve: [[1h, 0], [2h, 0.05]]}
  - {code: low_rating, feature: stars, curve: [[2, 0.5], [3, 0]]}
kinds:
  explicit: {opens: [{signal: s, floor: 60, code: cancellation_started}], closes: [u]}
stages: {new: 7d, dormant: 30d}
value: {feature: n, high: 20, mid: 10}
playbooks:
`
	for i, when := range whens {
		text += "  - {when: " + when + ", mid: {id: p" + string(
			rune('0'+i),
		) + ", intent: call, owner: o, respond_within: 1d}}\n"
	}
	return text
}

// caseOf is a lapse at at_risk after 20 days, with one event of s and three visits; change changes it.
func caseOf(change func(*pack.Case)) *pack.Case {
	c := &pack.Case{Tier: profile.AtRisk, Value: pack.ValueLow, Score: &model.Score{
		Silence: 20, Visits: 3, Values: []feature.Value{{N: 1, OK: true}, {N: 4500, OK: true}, {N: 7200, OK: true}},
	}}
	if change != nil {
		change(c)
	}
	return c
}

// TestChoose: which playbook applies, by the reasons in their order and then by the order of the file.
func TestChoose(t *testing.T) {
	silent := func(days float64) func(*pack.Case) { return func(c *pack.Case) { c.Score.Silence = days } }
	explicit := func(c *pack.Case) { c.Kind = profile.Explicit }
	for _, tt := range []struct {
		name   string
		whens  []string
		change func(*pack.Case)
		codes  string
		want   string
	}{
		{"the first reason", []string{"[overdue]", "[incident]"}, nil, "incident overdue", "p1"},
		{"the next where none applies", []string{"[overdue]", "{reason: incident, tier: watch}"}, nil, "incident overdue", "p0"},
		{"the first of the file", []string{"[incident]", "{reason: [overdue, incident]}"}, nil, "incident overdue", "p0"},
		{"any reason", []string{"{kind: lapse}", "[incident]"}, nil, "incident overdue", "p0"},
		{"any reason, later", []string{"[incident]", "{kind: lapse}"}, nil, "incident overdue", "p0"},
		{"none", []string{"[friction]", "{kind: explicit}"}, nil, "incident overdue", ""},
		{"one of several", []string{"[friction, {tier: watch}, {visits: 3}]"}, nil, "overdue", "p0"},
		{"all of several", []string{"{visits: 3, n: 2}"}, nil, "overdue", ""},
		{"a kind in short", []string{"[overdue, explicit]"}, explicit, "cancellation_started", "p0"},
		{"another kind", []string{"{kind: [lapse]}"}, explicit, "cancellation_started", ""},
		{"tiers", []string{"{tier: [watch, critical]}", "{tier: at_risk}"}, nil, "overdue", "p1"},
		{"value tiers", []string{"{value: [unknown, mid, high]}", "{value: low}"}, nil, "overdue", "p1"},
		{"stages", []string{"{stage: new}", "{stage: active}"}, nil, "overdue", "p1"},
		{"no stage", []string{"{stage: active}"}, func(c *pack.Case) { c.Score.Visits = 0 }, "overdue", ""},
		{"visits", []string{"{visits: 2}", "{visits: {at_least: 4}}", "{visits: {at_most: 3}}"}, nil, "overdue", "p2"},
		{"a feature", []string{"{n: {at_least: 2}}", "{n: {at_least: 1, at_most: 1}}"}, nil, "overdue", "p1"},
		{"a feature without data", []string{"{n: {at_most: 9}}"}, func(c *pack.Case) { c.Score.Values[0].OK = false }, "overdue", ""},
		{"thousandths", []string{"{stars: 4}", "{stars: 4.5}"}, nil, "overdue", "p1"},
		{"a span", []string{"{waits: {at_least: 3h}}", "{waits: 2h}"}, nil, "overdue", "p1"},
		{"silence, below", []string{"{silent: {at_least: 2 horizons}}"}, silent(59.9), "overdue", ""},
		{"silence, above", []string{"{silent: {at_least: 2 horizons}}"}, silent(60), "overdue", "p0"},
		{"silence in days", []string{"{silent: {at_least: 10d, at_most: 1.5 horizons}}"}, nil, "overdue", "p0"},
		{"silence of nobody", []string{"{silent: {at_most: 1 horizon}}"}, func(c *pack.Case) { c.Score.Visits = 0 }, "overdue", ""},
		{
			"the event",
			[]string{"{reason: friction, event: f}", "{reason: friction, event: [none, g]}", "[friction]"},
			func(c *pack.Case) { c.Trouble = pack.TroubleMark("g") }, "friction overdue", "p1",
		},
		{
			"another event",
			[]string{"{reason: friction, event: f}", "[friction]"},
			func(c *pack.Case) { c.Trouble = pack.TroubleMark("g") }, "friction overdue", "p1",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := scoringtest.Must(scoringtest.LoadText(played(tt.whens...), pack.Overrides{}))
			id := ""
			if ref := k.Choose(caseOf(tt.change), strings.Fields(tt.codes)...); ref != 0 {
				id = k.Play(ref).ID
			}
			if id != tt.want {
				t.Errorf("%q, want %q", id, tt.want)
			}
			back, err := pack.LoadCanonical(k.Canonical())
			if err != nil || !bytes.Equal(back.Canonical(), k.Canonical()) {
				t.Fatalf("%v: came back otherwise than\n%s", err, k.Canonical())
			}
			if again := back.Choose(caseOf(tt.change), strings.Fields(tt.codes)...); again != k.Choose(
				caseOf(tt.change), strings.Fields(tt.codes)...) {
				t.Errorf("the canonical form chooses %d", again)
			}
		})
	}
}

// TestPlaybooksAreRefused: what is wrong with a playbook is said with its place.
func TestPlaybooksAreRefused(t *testing.T) {
	for when, want := range map[string]string{
		"[]":              ".when: states no condition",
		"{}":              ".when: states no condition",
		"[{}]":            ".when: states no condition",
		"5":               ".when: must be a mapping",
		"[[overdue]]":     ".when: must be a mapping",
		"[nothing]":       `.when.reason: "nothing" is no reason`,
		"{reason: []}":    ".when.reason: must be a name or a list",
		"{reason: [1]}":   ".when.reason: must be a name or a list",
		"{kind: leaving}": `.when.kind: "leaving", must be one of lapse, explicit`,
		"{stage: old}":    `.when.stage: "old", must be one of active`,
		"{tier: healthy}": `.when.tier: "healthy", must be one of watch, at_risk, critical`,
		"{value: top}":    `.when.value: "top", must be one of unknown, low`,
		"{event: f}":      ".when.event: goes with the reason friction alone",
		"{reason: [friction, overdue], event: f}": ".when.event: goes with the reason friction alone",
		"{reason: friction, event: ''}":           `.when.event: "", must be an event type`,
		"{orders: 1}":                             ".when.orders: is no condition and no feature",
		"{n: lots}":                               ".when.n: lots, must be a whole number",
		"{n: {more_than: 1}}":                     ".when.n: has more_than, must have at_least or at_most",
		"{n: {}}":                                 ".when.n: must have at_least or at_most",
		"{waits: 5}":                              ".when.waits: 5, must be a span",
		"{visits: -1}":                            ".when.visits: -1, must be a whole number",
		"{visits: 1.5}":                           ".when.visits: 1.5, must be a whole number",
		"{silent: 2 horizons}":                    ".when.silent: must have at_least or at_most",
		"{silent: {at_least: 2}}":                 ".when.silent: 2, must be a span such as 30d, or as 2 horizons",
		"{silent: {at_least: no horizons}}":       ".when.silent: no horizons, must be a span",
		"{visits: 1, visits: 2}":                  `: [22:24] duplicate key "visits"`,
		"{visits: {at_least: 2, at_least: 1}}":    `: [22:35] duplicate key "at_least"`,
	} {
		_, err := scoringtest.LoadText(played(when), pack.Overrides{})
		if !strings.HasPrefix(want, ":") {
			want = "[0]" + want
		}
		if err == nil || !strings.Contains(err.Error(), "playbooks"+want) {
			t.Errorf("%s: error %v, want one that says %q", when, err, want)
		}
	}
	for play, want := range map[string]string{
		"{id: p, owner: o, respond_within: 1d}":                  `.mid.intent: "", must be one of service`,
		"{id: p, intent: nag, owner: o, respond_within: 1d}":     `.mid.intent: "nag", must be one of service`,
		"{id: p, intent: none, owner: o, respond_within: 1d}":    ".mid: has an owner or a time to respond",
		"{id: p, intent: offer}":                                 ".mid.owner: ",
		"{id: p, intent: offer, owner: o}":                       ".mid.respond_within: ",
		"{id: 'P', intent: none}":                                ".mid.id: ",
		"{id: p, intent: offer, owner: o, respond_within: 1000}": ".mid.respond_within: ",
	} {
		text := played() + "  - {when: [overdue], mid: " + play + "}\n"
		if _, err := scoringtest.LoadText(
			text,
			pack.Overrides{},
		); err == nil ||
			!strings.Contains(err.Error(), "playbooks[0]"+want) {
			t.Errorf("%s: error %v, want one that says %q", play, err, want)
		}
	}
}

// TestPlaybooksInOneSpelling: the same conditions have the same hash.
func TestPlaybooksInOneSpelling(t *testing.T) {
	for _, same := range [][2]string{
		{"[overdue, explicit, incident]", "[{reason: [incident, overdue]}, {kind: [explicit]}]"},
		{"{reason: overdue}", "[{reason: [overdue, overdue]}]"},
		{"{visits: 1}", "{visits: {at_most: 1, at_least: 1}}"},
		{"{waits: {at_least: 24h}}", "{waits: {at_least: 1d}}"},
		{"{silent: {at_least: 1 horizon, at_most: 2.50 horizons}}", "{silent: {at_most: 2.5 horizons, at_least: 1 horizons}}"},
		{"[{tier: watch}, {tier: critical}]", "[{tier: critical}, {tier: watch}]"},
	} {
		a := scoringtest.Must(scoringtest.LoadText(played(same[0]), pack.Overrides{}))
		if b := scoringtest.Must(scoringtest.LoadText(played(same[1]), pack.Overrides{})); a.Hash != b.Hash {
			t.Errorf("%s\n%s\nand\n%s", same, a.Canonical(), b.Canonical())
		}
	}
}

// TestPlaybookLint: playbooks that are never reached, and conditions that cannot hold.
func TestPlaybookLint(t *testing.T) {
	for _, tt := range []struct {
		whens []string
		want  string // part of the only finding; "": there is none
	}{
		{[]string{"[overdue]", "[incident, {kind: explicit}]", "{reason: friction, event: g}", "[friction]"}, ""},
		{[]string{"[overdue, friction]", "[incident, overdue]"}, "playbooks[1], overdue: is never reached, [0] has it already"},
		{[]string{"{kind: lapse}", "{reason: overdue, tier: critical}"}, "playbooks[1], overdue: is never reached, [0]"},
		{[]string{"{silent: {at_least: 30d}}", "{silent: {at_least: 2 horizons}}"}, "playbooks[1], lapse, explicit"},
		{[]string{"{silent: {at_least: 2 horizons}}", "{silent: {at_least: 30d}}"}, ""},
		{[]string{"{reason: overdue, visits: {at_most: 3}}", "{reason: overdue, visits: 1, tier: critical}"}, "playbooks[1], overdue: is never"},
		{[]string{"{reason: overdue, tier: critical}", "[overdue]"}, ""},
		{[]string{"[friction]", "{reason: friction, event: g}"}, "playbooks[1], friction: is never reached"},
		{[]string{"{reason: friction, event: none}"}, "playbooks[0], friction: no such event has friction"},
		{[]string{"{reason: overdue, kind: explicit}"}, "playbooks[0], overdue: no alert of the pack gives it"},
		{[]string{"{kind: involuntary}"}, "playbooks[0], involuntary: no alert of the pack is of that kind"},
		{[]string{"[ticket_unsolved]"}, "playbooks[0], ticket_unsolved: its factor adds 0.05 at most"},
		{[]string{"[delivery_late]"}, "playbooks[0], delivery_late: no alert of the pack gives it"},
		{[]string{"{reason: overdue, tier: watch}"}, "playbooks[0], overdue: no lapse is raised as early as that tier"},
		{[]string{"{kind: explicit, tier: watch}"}, ""},
		{[]string{"{reason: overdue, stage: churned}"}, "playbooks[0], overdue: the pack does not have that stage"},
		{[]string{"{reason: overdue, n: {at_least: 3, at_most: 2}}"}, "playbooks[0], overdue: no number satisfies what it asks of n"},
		{[]string{"{reason: overdue, n: {at_most: -1}}"}, "playbooks[0], overdue: no number satisfies what it asks of n"},
	} {
		found := scoringtest.Must(scoringtest.LoadText(played(tt.whens...), pack.Overrides{})).Lint()
		for i := range found {
			if strings.HasPrefix(found[i], "factor ") {
				found[i] = ""
			}
		}
		if got := strings.TrimSpace(
			strings.Join(found, "\n"),
		); tt.want == "" && got != "" || !strings.HasPrefix(got, tt.want) ||
			strings.Contains(got, "\n") {
			t.Errorf("%s: %q, want %q", tt.whens, got, tt.want)
		}
	}
	valueless := strings.Replace(
		played("{reason: overdue, value: high}"),
		"value: {feature: n, high: 20, mid: 10}\n",
		"",
		1,
	)
	if got := strings.Join(
		scoringtest.Must(scoringtest.LoadText(valueless, pack.Overrides{})).Lint(),
		"\n",
	); !strings.Contains(
		got,
		"playbooks[0], overdue: the pack declares no value",
	) {
		t.Errorf("without value: %q", got)
	}
}
