package pack_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ebb/scoring/pack"
	"ebb/scoring/scoringtest"
)

func TestShippedPacks(t *testing.T) {
	diff := cmp.Diff([]string{"any", "creator", "marketplace", "marketplace_seller", "retail", "saas"}, pack.Shipped())
	if diff != "" {
		t.Error(diff)
	}
	const month = 30 * 24 * time.Hour
	horizons := map[string]time.Duration{
		"any":                3 * month,
		"creator":            month,
		"marketplace":        3 * month,
		"marketplace_seller": 2 * month,
		"retail":             3 * month,
		"saas":               month,
	}
	activity, known := pack.Signal{Known: true, Activity: true}, pack.Signal{Known: true}
	tests := []struct {
		pack, event string
		want        pack.Signal
	}{
		{"retail", "Order Completed", activity},
		{"retail", "Product Viewed", activity},
		{"retail", "purchase", activity},
		{"retail", "Order Refunded", known},
		{"retail", "return", known},
		{"retail", "Support Ticket Opened", known},
		{"retail", "Payment Failed", known},
		{"retail", "Order Cancelled", pack.Signal{Known: true, Friction: 1}},
		{"retail", "order completed", pack.Signal{}},
		{"retail", "*", pack.Signal{}},
		{"saas", "Feature Used", activity},
		{"saas", "Signed Out", known},
		{"saas", "Plan Downgraded", known},
		{"marketplace", "Listings Searched", activity},
		{"marketplace", "Dispute Opened", known},
		{"marketplace_seller", "Listing Created", activity},
		{"marketplace_seller", "Sale Completed", known},
		{"creator", "Content Viewed", activity},
		{"creator", "Content Published", known},
		{"creator", "Payment Failed", known},
		{"creator", "Cancellation Started", pack.Signal{Known: true, Friction: 1}},
		{"any", "whatever", activity},
		{"any", "*", activity},
	}
	for _, tt := range tests {
		k := scoringtest.Must(pack.Load(tt.pack, nil, pack.Overrides{}))
		if got := plainSignal(k, tt.event); got != tt.want {
			t.Errorf("%s makes %+v of %s, want %+v", tt.pack, got, tt.event, tt.want)
		}
		if k.Name != tt.pack || k.Horizon != horizons[tt.pack] || k.Overdue != 0.5 ||
			k.Tiers != (pack.Tiers{Watch: 40, AtRisk: 60, Critical: 80}) {
			t.Errorf("%+v", k)
		}
	}
}

// plainSignal is the pack's classification of an event, without the pack's own signals and the mark of its type.
func plainSignal(pack *pack.Pack, event string) pack.Signal {
	s := pack.Signal([]byte(event))
	if eventType, _ := pack.TroubleOf(s.Trouble); s.Friction > 0 && eventType != event {
		panic("the mark is of " + eventType)
	}
	s.Named, s.Trouble = 0, 0
	return s
}

func TestOverrides(t *testing.T) {
	tests := []struct {
		name  string
		o     pack.Overrides
		event string
		want  pack.Signal
	}{
		{"activity replaced", pack.Overrides{Activity: []string{"x"}}, "Cart Viewed", pack.Signal{}},
		{
			"activity replaced, but a signal names it",
			pack.Overrides{Activity: []string{"x"}},
			"Order Completed",
			pack.Signal{Known: true},
		},
		{"activity given", pack.Overrides{Activity: []string{"x"}}, "x", pack.Signal{Known: true, Activity: true}},
		{
			"friction stays beside new activity",
			pack.Overrides{Activity: []string{"*"}},
			"Order Cancelled",
			pack.Signal{Known: true, Friction: 1},
		},
		{
			"everything else is activity",
			pack.Overrides{Activity: []string{"*"}},
			"y",
			pack.Signal{Known: true, Activity: true},
		},
		{
			"friction made activity",
			pack.Overrides{Activity: []string{"return"}},
			"return",
			pack.Signal{Known: true, Activity: true},
		},
		{
			"activity made friction",
			pack.Overrides{Friction: map[string]float64{"purchase": 2}},
			"purchase",
			pack.Signal{Known: true, Friction: 2},
		},
		{"friction replaced", pack.Overrides{Friction: map[string]float64{}}, "Order Cancelled", pack.Signal{Known: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pack := scoringtest.Must(pack.Load("retail", nil, tt.o))
			if got := plainSignal(pack, tt.event); got != tt.want {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
	got := scoringtest.Must(pack.Load("any", nil, pack.Overrides{Horizon: 36 * time.Hour})).Horizon
	if got != 36*time.Hour {
		t.Errorf("horizon %v", got)
	}
}

const plain = "name: mine\nversion: '7'\nhorizon: 30d\nactivity: [b, a]\nfriction: {f: 0.5}\n"

func TestHash(t *testing.T) {
	hash := func(text string, o pack.Overrides) string {
		return scoringtest.Must(scoringtest.LoadText(text, o)).Hash
	}
	base := hash(plain, pack.Overrides{})
	same := map[string]string{
		"order":    "friction: {f: 0.5}\nactivity: [a, b]\nhorizon: 720h\nversion: '7'\nname: mine\n",
		"comments": "# mine\n" + plain,
		"defaults": plain + "overdue: 0.5\ntiers: {watch: 40, at_risk: 60, critical: 80}\n",
	}
	for name, text := range same {
		if hash(text, pack.Overrides{}) != base {
			t.Errorf("%s changed the hash", name)
		}
	}
	if hash(
		plain,
		pack.Overrides{Horizon: 30 * 24 * time.Hour, Activity: []string{"a", "b"}, Friction: map[string]float64{"f": 0.5}},
	) != base {
		t.Error("overrides that change nothing changed the hash")
	}
	seen := map[string]string{base: "plain"}
	for name, other := range map[string]string{
		"name":     hash(strings.Replace(plain, "mine", "ours", 1), pack.Overrides{}),
		"version":  hash(strings.Replace(plain, "7", "8", 1), pack.Overrides{}),
		"overdue":  hash(plain+"overdue: 0.6\n", pack.Overrides{}),
		"tiers":    hash(plain+"tiers: {watch: 30, at_risk: 60, critical: 80}\n", pack.Overrides{}),
		"horizon":  hash(plain, pack.Overrides{Horizon: 24 * time.Hour}),
		"activity": hash(plain, pack.Overrides{Activity: []string{"a"}}),
		"friction": hash(plain, pack.Overrides{Friction: map[string]float64{"f": 1}}),
	} {
		if earlier, ok := seen[other]; ok {
			t.Errorf("%s has the hash of %s", name, earlier)
		}
		seen[other] = name
	}
	if got := scoringtest.Must(pack.Load("retail", nil, pack.Overrides{})).Hash; got != retailHash {
		t.Errorf("the retail pack has another hash, %s: give it another version too", got)
	}
}

// TestPackProblems: all at once, each with its place.
func TestPackProblems(t *testing.T) {
	tests := []struct {
		name, text string
		o          pack.Overrides
		want       []string
	}{
		{
			"nothing", " \n",
			pack.Overrides{},
			[]string{"$: the file is empty"},
		},
		{
			"a number that is too large", plain + "features: {a: {kind: tenure, least: 99999999999999999999}}",
			pack.Overrides{},
			[]string{"$.features: [6:37] 99999999999999999999 is beyond what a number may be"},
		},
		{
			"a text in place of a number", plain + "cap: much",
			pack.Overrides{},
			[]string{`$.cap: [6:6] "much" is no number`},
		},
		{
			"what is read wrongly is not missed elsewhere",
			plain + "signals: {s: {types: [x]}}\nfeatures: {f: {kind: count, of: s, within: 30d, wither: 3}}\n" +
				"factors: [{code: incident, feature: f, curve: [[0, 0], [1, 1]]}]\nvalue: {feature: f, high: 5, mid: 3}",
			pack.Overrides{},
			[]string{"$.features: [7:"},
		},
		{
			"misspelt keys", plain + "horizont: 3\nsize: 44\nfeatures: {f: {kind: count, of: s, wihtin: 30d}}",
			pack.Overrides{},
			[]string{
				"version (did you mean horizon?)", "$.size: unknown key, there are activity",
				`$.features: [8:36] unknown key "wihtin", did you mean within?`,
			},
		},
		{
			"keys twice, and what else is wrong", plain + "name: other\ncap: much\nfactors: [{code: a, code: b}]",
			pack.Overrides{},
			[]string{
				"$: [6:1] name is set a second time, the first is on line 1", `$.cap: [7:6] "much" is no number`,
				`$.factors: [8:21] duplicate key "code"`,
			},
		},
		{
			"none is declared", plain + "features: {f: {kind: count, of: s, within: 30d}}",
			pack.Overrides{},
			[]string{`$.features.f.of: no signal "s" is declared, nor any other`},
		},
		{
			"no YAML", "name: [",
			pack.Overrides{},
			[]string{"$: [1:7] "},
		},
		{
			"a list", "- name",
			pack.Overrides{},
			[]string{"$: must be a mapping"},
		},
		{
			"two documents", plain + "---\n" + plain,
			pack.Overrides{},
			[]string{"$: 2 documents, must be one"},
		},
		{
			"a key twice", plain + "name: other\n",
			pack.Overrides{},
			[]string{"$: [6:1] "},
		},
		{
			"everything missing",
			"overdue: 0.5",
			pack.Overrides{},
			[]string{
				`$.name: "", must be`,
				`$.version: "", must be`,
				"$.horizon: must be a span",
				"$.activity: names no event type",
			},
		},
		{
			"everything wrong",
			"name: a b\nversion: [1]\nhorizon: soon\noverdue: 1.5\ntiers: {watch: 50, at_risk: 40, critical: 80, x: 1}\n" +
				"activity: [a, a, '', '*']\nfriction: {a: -1, '*': 1, b: .inf, c: ~, d: }\nhorizont: 3\n",
			pack.Overrides{},
			[]string{
				`$.name: "a b", must be`,
				"$.version: [2:10] ",
				`$.horizon: "soon", must be a span`,
				"$.overdue: 1.5, must be",
				"$.tiers: [5:",
				"$.activity[1]: ",
				"$.activity[2]: ",
				"$.activity[3]: ",
				"$.friction.*: ",
				"$.friction.a: ",
				"$.friction.b: ",
				"$.friction.c: is missing, must be a weight from 0 to 100",
				"$.friction.d: is missing",
				"$.horizont: unknown key, there are activity, cap, carry, churned, converts, eligible, factors, features, friction, horizon, kinds, " +
					"language, name, overdue, playbooks, raise, signals, stages, tiers, value, version",
			},
		},
		{
			"YAML that is not plain", "name: &n a\nversion: !!str 1\nhorizon: 1d\nactivity: [a]\nfriction: {<<: {a: 1}}",
			pack.Overrides{},
			[]string{"$.name: holds a tag, an anchor or an alias, ", "$.version: holds a tag", "$.friction: holds a tag"},
		},
		{
			"falling tiers", plain + "tiers: {watch: 50, at_risk: 40, critical: 80}",
			pack.Overrides{},
			[]string{"$.tiers: watch 50, at_risk 40, critical 80: must rise"},
		},
		{
			"horizons", strings.Replace(plain, "30d", "731d", 1),
			pack.Overrides{},
			[]string{"$.horizon: must be a span from 1d to 730d"},
		},
		{
			"a span of seconds", plain + "stages: {new: 1s}\n",
			pack.Overrides{},
			[]string{`$.stages.new: "1s", must be a span from 1h to 3650d`},
		},
		{
			"wrong overrides", plain,
			pack.Overrides{Horizon: time.Hour, Activity: []string{"x"}, Friction: map[string]float64{"x": 1}},
			[]string{"override of horizon: must be a span"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := scoringtest.LoadText(tt.text, tt.o)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no %q in %q", want, err)
				}
			}
			if n := strings.Count(err.Error(), "; ") + 1; n != len(tt.want) {
				t.Errorf("%d problems, want %d: %q", n, len(tt.want), err)
			}
		})
	}
}

// TestVersionAsWritten: a version is text, with or without quotes, also after a byte order mark.
func TestVersionAsWritten(t *testing.T) {
	for _, version := range []string{"1.10", "010", "1e3", "0x10", "2025-01-01", "true", "v1"} {
		for _, quote := range []string{"", `"`, "'"} {
			k, err := scoringtest.LoadText(
				"\ufeffname: shop\nversion: "+quote+version+quote+" # the newest\nhorizon: 30d\nactivity: [a]\n",
				pack.Overrides{},
			)
			if err != nil || k.Version != version {
				t.Errorf("%s in quotes %q: %+v, %v", version, quote, k, err)
			}
		}
	}
}

func TestLoadSource(t *testing.T) {
	_, err := pack.Load("sass", nil, pack.Overrides{})
	if err == nil || !strings.Contains(err.Error(), "any, creator, marketplace, marketplace_seller, retail, saas") {
		t.Errorf("error %v", err)
	}
	for _, path := range []string{"packs/mine", "mine.yaml", "mine.yml"} {
		_, err := pack.Load(path, func(string) ([]byte, error) { return nil, fs.ErrNotExist }, pack.Overrides{})
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: error %v", path, err)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(plain)
	f.Add("name: a\nversion: 1\nhorizon: 1d\nactivity: ['*']\noverdue: 0.01\ntiers: {watch: 1, at_risk: 2, critical: 3}")
	f.Add("a: &a [*a]")
	f.Fuzz(func(t *testing.T, text string) {
		k, err := scoringtest.LoadText(text, pack.Overrides{})
		if err != nil {
			return
		}
		again, err := scoringtest.LoadText(
			text,
			pack.Overrides{Horizon: k.Horizon, Activity: k.Activity, Friction: k.Friction},
		)
		if err != nil || again.Hash != k.Hash {
			t.Fatalf("what was accepted is not when said again: %v", err)
		}
		s := scoringtest.Story{Pack: k}
		s.Event(0, scoringtest.Bought)
		s.Event(20, scoringtest.Failed)
		s.SilentUntil(300)
	})
}

const retailHash = "0b7ed897ca44cfadc77c517ef1e7863c7aeef3d02f56b5be51dd5dcba64da539"
