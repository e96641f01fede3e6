package scoring_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ebb/scoring"
	"ebb/scoring/scoringtest"
)

func TestShippedPacks(t *testing.T) {
	if diff := cmp.Diff([]string{"any", "creator", "marketplace", "marketplace_seller", "retail", "saas"}, scoring.Shipped()); diff != "" {
		t.Error(diff)
	}
	const month = 30 * 24 * time.Hour
	horizons := map[string]time.Duration{
		"any": 3 * month, "creator": month, "marketplace": 3 * month, "marketplace_seller": 2 * month, "retail": 3 * month, "saas": month,
	}
	activity, known := scoring.Signal{Known: true, Activity: true}, scoring.Signal{Known: true}
	tests := []struct {
		pack, event string
		want        scoring.Signal
	}{
		{"retail", "Order Completed", activity},
		{"retail", "Product Viewed", activity},
		{"retail", "purchase", activity},
		{"retail", "Order Refunded", known},
		{"retail", "return", known},
		{"retail", "Support Ticket Opened", known},
		{"retail", "Payment Failed", known},
		{"retail", "Order Cancelled", scoring.Signal{Known: true, Friction: 1}},
		{"retail", "order completed", scoring.Signal{}},
		{"retail", "*", scoring.Signal{}},
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
		{"creator", "Cancellation Started", scoring.Signal{Known: true, Friction: 1}},
		{"any", "whatever", activity},
		{"any", "*", activity},
	}
	for _, tt := range tests {
		pack := scoringtest.Must(scoring.Load(tt.pack, nil, scoring.Overrides{}))
		if got := plainSignal(pack, tt.event); got != tt.want {
			t.Errorf("%s makes %+v of %s, want %+v", tt.pack, got, tt.event, tt.want)
		}
		if pack.Name != tt.pack || pack.Horizon != horizons[tt.pack] || pack.Overdue != 0.5 || pack.Tiers != (scoring.Tiers{Watch: 40, AtRisk: 60, Critical: 80}) {
			t.Errorf("%+v", pack)
		}
	}
}

// plainSignal is what the pack makes of an event, but for the signals of its own that the event is.
func plainSignal(pack *scoring.Pack, event string) scoring.Signal {
	s := pack.Signal([]byte(event))
	s.Named = 0
	return s
}

func TestOverrides(t *testing.T) {
	tests := []struct {
		name  string
		o     scoring.Overrides
		event string
		want  scoring.Signal
	}{
		{"activity replaced", scoring.Overrides{Activity: []string{"x"}}, "Cart Viewed", scoring.Signal{}},
		{"activity replaced, but a signal names it", scoring.Overrides{Activity: []string{"x"}}, "Order Completed", scoring.Signal{Known: true}},
		{"activity given", scoring.Overrides{Activity: []string{"x"}}, "x", scoring.Signal{Known: true, Activity: true}},
		{"friction stays beside new activity", scoring.Overrides{Activity: []string{"*"}}, "Order Cancelled", scoring.Signal{Known: true, Friction: 1}},
		{"everything else is activity", scoring.Overrides{Activity: []string{"*"}}, "y", scoring.Signal{Known: true, Activity: true}},
		{"friction made activity", scoring.Overrides{Activity: []string{"return"}}, "return", scoring.Signal{Known: true, Activity: true}},
		{"activity made friction", scoring.Overrides{Friction: map[string]float64{"purchase": 2}}, "purchase", scoring.Signal{Known: true, Friction: 2}},
		{"friction replaced", scoring.Overrides{Friction: map[string]float64{}}, "Order Cancelled", scoring.Signal{Known: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pack := scoringtest.Must(scoring.Load("retail", nil, tt.o))
			if got := plainSignal(pack, tt.event); got != tt.want {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
	if got := scoringtest.Must(scoring.Load("any", nil, scoring.Overrides{Horizon: 36 * time.Hour})).Horizon; got != 36*time.Hour {
		t.Errorf("horizon %v", got)
	}
}

const plain = "name: mine\nversion: '7'\nhorizon: 30d\nactivity: [b, a]\nfriction: {f: 0.5}\n"

func TestHash(t *testing.T) {
	hash := func(text string, o scoring.Overrides) string {
		return scoringtest.Must(scoringtest.LoadText(text, o)).Hash
	}
	base := hash(plain, scoring.Overrides{})
	same := map[string]string{
		"order":    "friction: {f: 0.5}\nactivity: [a, b]\nhorizon: 720h\nversion: '7'\nname: mine\n",
		"comments": "# mine\n" + plain,
		"defaults": plain + "overdue: 0.5\ntiers: {watch: 40, at_risk: 60, critical: 80}\n",
	}
	for name, text := range same {
		if hash(text, scoring.Overrides{}) != base {
			t.Errorf("%s changed the hash", name)
		}
	}
	if hash(plain, scoring.Overrides{Horizon: 30 * 24 * time.Hour, Activity: []string{"a", "b"}, Friction: map[string]float64{"f": 0.5}}) != base {
		t.Error("overrides that change nothing changed the hash")
	}
	seen := map[string]string{base: "plain"}
	for name, other := range map[string]string{
		"name":     hash(strings.Replace(plain, "mine", "ours", 1), scoring.Overrides{}),
		"version":  hash(strings.Replace(plain, "7", "8", 1), scoring.Overrides{}),
		"overdue":  hash(plain+"overdue: 0.6\n", scoring.Overrides{}),
		"tiers":    hash(plain+"tiers: {watch: 30, at_risk: 60, critical: 80}\n", scoring.Overrides{}),
		"horizon":  hash(plain, scoring.Overrides{Horizon: 24 * time.Hour}),
		"activity": hash(plain, scoring.Overrides{Activity: []string{"a"}}),
		"friction": hash(plain, scoring.Overrides{Friction: map[string]float64{"f": 1}}),
	} {
		if earlier, ok := seen[other]; ok {
			t.Errorf("%s has the hash of %s", name, earlier)
		}
		seen[other] = name
	}
	if got := scoringtest.Must(scoring.Load("retail", nil, scoring.Overrides{})).Hash; got != retailHash {
		t.Errorf("the retail pack has another hash, %s: give it another version too", got)
	}
}

// TestPackProblems: all at once, each with its place.
func TestPackProblems(t *testing.T) {
	tests := []struct {
		name, text string
		o          scoring.Overrides
		want       []string
	}{
		{
			"nothing", " \n",
			scoring.Overrides{},
			[]string{"$: the file is empty"},
		},
		{
			"a number that is too large", plain + "features: {a: {kind: tenure, least: 99999999999999999999}}",
			scoring.Overrides{},
			[]string{"$.features: [6:37] 99999999999999999999 is beyond what a number may be"},
		},
		{
			"a text in place of a number", plain + "cap: much",
			scoring.Overrides{},
			[]string{`$.cap: [6:6] "much" is no number`},
		},
		{
			"what is read wrongly is not missed elsewhere", plain + "signals: {s: {types: [x]}}\nfeatures: {f: {kind: count, of: s, within: 30d, wither: 3}}\n" +
				"factors: [{code: incident, feature: f, curve: [[0, 0], [1, 1]]}]\nvalue: {feature: f, high: 5, mid: 3}",
			scoring.Overrides{},
			[]string{"$.features: [7:"},
		},
		{
			"none is declared", plain + "features: {f: {kind: count, of: s, within: 30d}}",
			scoring.Overrides{},
			[]string{`$.features.f.of: no signal "s" is declared, nor any other`},
		},
		{
			"no YAML", "name: [",
			scoring.Overrides{},
			[]string{"$: [1:7] "},
		},
		{
			"a list", "- name",
			scoring.Overrides{},
			[]string{"$: must be a mapping"},
		},
		{
			"two documents", plain + "---\n" + plain,
			scoring.Overrides{},
			[]string{"$: 2 documents, must be one"},
		},
		{
			"a key twice", plain + "name: other\n",
			scoring.Overrides{},
			[]string{"$: [6:1] "},
		},
		{
			"everything missing", "overdue: 0.5",
			scoring.Overrides{},
			[]string{`$.name: "", must be`, `$.version: "", must be`, "$.horizon: must be a span", "$.activity: names no event type"},
		},
		{
			"everything wrong", "name: a b\nversion: [1]\nhorizon: soon\noverdue: 1.5\ntiers: {watch: 50, at_risk: 40, critical: 80, x: 1}\n" +
				"activity: [a, a, '', '*']\nfriction: {a: -1, '*': 1, b: .inf}\nhorizont: 3\n",
			scoring.Overrides{},
			[]string{
				`$.name: "a b", must be`, "$.version: [2:10] ", `$.horizon: "soon", must be a span`, "$.overdue: 1.5, must be", "$.tiers: [5:",
				"$.activity[1]: ", "$.activity[2]: ", "$.activity[3]: ", "$.friction.*: ", "$.friction.a: ", "$.friction.b: ",
				"$.horizont: unknown key, there are activity, cap, factors, features, friction, horizon, kinds, language, name, overdue, playbooks, signals, stages, tiers, value, version",
			},
		},
		{
			"YAML that is not plain", "name: &n a\nversion: !!str 1\nhorizon: 1d\nactivity: [a]\nfriction: {<<: {a: 1}}",
			scoring.Overrides{},
			[]string{"$.name: holds a tag, an anchor or an alias, ", "$.version: holds a tag", "$.friction: holds a tag"},
		},
		{
			"falling tiers", plain + "tiers: {watch: 50, at_risk: 40, critical: 80}",
			scoring.Overrides{},
			[]string{"$.tiers: watch 50, at_risk 40, critical 80: must rise"},
		},
		{
			"horizons", strings.Replace(plain, "30d", "731d", 1),
			scoring.Overrides{},
			[]string{"$.horizon: must be a span from 1d to 730d"},
		},
		{
			"a span of seconds", plain + "stages: {new: 1s}\n",
			scoring.Overrides{},
			[]string{`$.stages.new: "1s", must be a span from 1h to 3650d`},
		},
		{
			"wrong overrides", plain,
			scoring.Overrides{Horizon: time.Hour, Activity: []string{"x"}, Friction: map[string]float64{"x": 1}},
			[]string{"override of horizon: must be a span", "override of friction.x: is activity too"},
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

// TestVersionAsWritten: a version is text, with or without quotes, behind a mark of the byte order too.
func TestVersionAsWritten(t *testing.T) {
	for _, version := range []string{"1.10", "010", "1e3", "0x10", "2025-01-01", "true", "v1"} {
		for _, quote := range []string{"", `"`, "'"} {
			k, err := scoringtest.LoadText("\ufeffname: shop\nversion: "+quote+version+quote+" # the newest\nhorizon: 30d\nactivity: [a]\n", scoring.Overrides{})
			if err != nil || k.Version != version {
				t.Errorf("%s in quotes %q: %+v, %v", version, quote, k, err)
			}
		}
	}
}

func TestLoadSource(t *testing.T) {
	if _, err := scoring.Load("sass", nil, scoring.Overrides{}); err == nil || !strings.Contains(err.Error(), "any, creator, marketplace, marketplace_seller, retail, saas") {
		t.Errorf("error %v", err)
	}
	for _, path := range []string{"packs/mine", "mine.yaml", "mine.yml"} {
		_, err := scoring.Load(path, func(string) ([]byte, error) { return nil, fs.ErrNotExist }, scoring.Overrides{})
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
		pack, err := scoringtest.LoadText(text, scoring.Overrides{})
		if err != nil {
			return
		}
		again, err := scoringtest.LoadText(text, scoring.Overrides{Horizon: pack.Horizon, Activity: pack.Activity, Friction: pack.Friction})
		if err != nil || again.Hash != pack.Hash {
			t.Fatalf("what was accepted is not when said again: %v", err)
		}
		s := scoringtest.Story{Pack: pack}
		s.Event(0, scoringtest.Bought)
		s.Event(20, scoringtest.Failed)
		s.SilentUntil(300)
	})
}

const retailHash = "744e625ac727c9a8d086ab5b1067cb8f757eb0bc0f3d782b0635d00aa98bc3aa"
