package pack_test

import (
	"fmt"
	"strings"
	"testing"

	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

const factual = plain + "signals: {s: {types: [a]}, r: {types: [a], where: [{property: name, exists: true}]}}\n"

// TestCarryProblems: what a pack may not carry.
func TestCarryProblems(t *testing.T) {
	nine := ""
	for i := range profile.MaxFacts + 1 {
		nine += fmt.Sprintf("x%d: {of: s, property: p}, ", i)
	}
	for name, c := range map[string]struct{ carry, want string }{
		"one too many":    {nine, "$.carry: 9 facts, at most 8"},
		"no signal":       {"a: {property: p}", "$.carry.a.of: is missing"},
		"unknown signal":  {"a: {of: x, property: p}", `$.carry.a.of: no signal "x" is declared, there are r, s`},
		"no property":     {"a: {of: s}", `$.carry.a.property: "", must be the path`},
		"a bad name":      {"Last Item: {of: s, property: p}", "$.carry.Last Item: "},
		"a long name":     {strings.Repeat("a", 33) + ": {of: s, property: p}", "is a name of 33 bytes, at most 32"},
		"an unknown key":  {"a: {of: s, property: p, within: 3d}", `unknown key "within"`},
		"an address":      {"a: {of: s, property: email}", `$.carry.a.property: "email" names a person, an address or a secret (email)`},
		"in its fact":     {"phone: {of: s, property: p}", `$.carry.phone: "phone" names`},
		"in camel case":   {"a: {of: s, property: shippingAddress.city}", "(address)"},
		"in parts":        {"a: {of: s, property: e-mail}", "(mail)"},
		"in two words":    {"a: {of: s, property: card_number}", "(cardnumber)"},
		"a short word":    {"a: {of: s, property: user.ip}", "(ip)"},
		"in capitals":     {"a: {of: s, property: userIP}", "(ip)"},
		"the same number": {"", ""},
	} {
		text := factual + "carry: {" + c.carry + "}\n"
		if name == "the same number" {
			one, other := sameMark(t)
			text = factual + "carry: {" + one + ": {of: s, property: p}, " + other + ": {of: s, property: p}}\n"
			c.want = "is stored under the same number as"
		}
		_, err := scoringtest.LoadText(text, pack.Overrides{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	for _, property := range []string{"name", "product_id", "zipper", "iphone_model2", "ship.tip", "mailing"} {
		_, err := scoringtest.LoadText(factual+"carry: {a: {of: s, property: "+property+"}}\n", pack.Overrides{})
		if refused := property == "iphone_model2"; (err != nil) != refused { // it holds "phone"
			t.Errorf("%s: %v", property, err)
		}
	}
}

// sameMark finds two names with one mark.
func sameMark(t *testing.T) (one, other string) {
	t.Helper()
	names := map[uint16]string{}
	for i := range 1 << 16 {
		name := fmt.Sprintf("fact_%d", i)
		if before, ok := names[pack.MarkOf(name)]; ok {
			return before, name
		}
		names[pack.MarkOf(name)] = name
	}
	t.Fatal("no two names have one mark")
	return "", ""
}

// TestCarryOfAPack: which types are searched for texts, and that facts and the value action are part of the hash, in one
// order.
func TestCarryOfAPack(t *testing.T) {
	base := scoringtest.Must(scoringtest.LoadText(factual, pack.Overrides{}))
	k := scoringtest.Must(scoringtest.LoadText(
		factual+"carry: {z: {of: r, property: name}, item: {of: s, property: sku}}\nconverts: s\n", pack.Overrides{},
	))
	same := scoringtest.Must(scoringtest.LoadText(
		factual+"converts: s\ncarry: {item: {property: sku, of: s}, z: {of: r, property: name}}\n", pack.Overrides{},
	))
	if k.Hash != same.Hash || k.Hash == base.Hash {
		t.Error("the hash depends on the order, or not on the facts")
	}
	again := scoringtest.Must(pack.LoadCanonical(k.Canonical()))
	if again.Hash != k.Hash || again.Converts != k.Converts || len(again.Carry) != 2 || again.Converts == 0 {
		t.Errorf("read back: %+v", again.Carry)
	}
	if k.Carry[0].Name != "item" || k.Properties()[k.Carry[0].Property] != "sku" || !k.Carries(pack.MarkOf("z")) {
		t.Errorf("%+v of %v", k.Carry, k.Properties())
	}
	for name, want := range map[string]bool{"a": true, "b": false, "f": false, "other": false} {
		if k.CarriesFrom([]byte(name)) != want || base.CarriesFrom([]byte(name)) || want && !k.Uses([]byte(name)) {
			t.Errorf("of %s: %v", name, !want)
		}
	}
	if _, err := scoringtest.LoadText(factual+"converts: x\n", pack.Overrides{}); err == nil ||
		!strings.Contains(err.Error(), `$.converts: no signal "x" is declared`) {
		t.Errorf("a value action that is no signal: %v", err)
	}
}

// TestLongNames: whatever a pack names and alerts or states contain is bounded, and one byte more is refused.
func TestLongNames(t *testing.T) {
	for what, c := range map[string]struct {
		size int
		text string // with N for the name
	}{
		"name":            {64, strings.Replace(plain, "mine", "N", 1)},
		"version":         {64, strings.Replace(plain, "'7'", "N", 1)},
		"activity":        {256, strings.Replace(plain, "[b, a]", "[a, N]", 1)},
		"friction":        {256, strings.Replace(plain, "{f: 0.5}", "{N: 0.5}", 1)},
		"signal":          {64, plain + "signals: {N: {types: [a]}}\n"},
		"signal's type":   {256, plain + "signals: {s: {types: [N]}}\n"},
		"condition":       {128, plain + "signals: {s: {types: [a], where: [{property: N, exists: true}]}}\n"},
		"compared text":   {1024, plain + "signals: {s: {types: [a], where: [{property: p, equals: N}]}}\n"},
		"feature":         {64, factual + "features: {N: {kind: count, of: s, within: 30d}}\n"},
		"property":        {128, factual + "features: {x: {kind: distinct, of: s, within: 30d, property: N}}\n"},
		"fact":            {32, factual + "carry: {N: {of: s, property: p}}\n"},
		"fact's property": {128, factual + "carry: {x: {of: s, property: N}}\n"},
		"playbook":        {32, plain + "playbooks: [{when: [overdue], mid: {id: N, intent: offer, owner: crm, respond_within: 2d}}]\n"},
		"owner":           {32, plain + "playbooks: [{when: [overdue], mid: {id: x, intent: offer, owner: N, respond_within: 2d}}]\n"},
	} {
		for more := range 2 {
			text := strings.Replace(c.text, "N", strings.Repeat("n", c.size+more), 1)
			_, err := scoringtest.LoadText(text, pack.Overrides{})
			if (err != nil) != (more > 0) {
				t.Errorf("%s of %d bytes: %.200v", what, c.size+more, err)
			}
		}
	}
	for code := range pack.Reasons() {
		if len(code) > 32 {
			t.Errorf("the code %s has %d bytes, at most 32", code, len(code))
		}
	}
}

// TestBothActivityAndFriction: a type may be in both lists; by "*" trouble is no activity.
func TestBothActivityAndFriction(t *testing.T) {
	k := scoringtest.Must(scoringtest.LoadText(strings.Replace(plain, "{f: 0.5}", "{f: 0.5, b: 2}", 1), pack.Overrides{}))
	for name, want := range map[string]pack.Signal{
		"a": {Known: true, Activity: true},
		"b": {Known: true, Activity: true, Friction: 2, Trouble: pack.TroubleMark("b")},
		"f": {Known: true, Friction: 0.5, Trouble: pack.TroubleMark("f")},
	} {
		if got := k.Signal([]byte(name)); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	all := scoringtest.Must(scoringtest.LoadText(strings.Replace(plain, "[b, a]", "['*']", 1), pack.Overrides{}))
	if got := all.Signal([]byte("f")); got != (pack.Signal{Known: true, Friction: 0.5, Trouble: pack.TroubleMark("f")}) {
		t.Errorf("of everything: %+v", got)
	}
	both := scoringtest.Must(scoringtest.LoadText(plain, pack.Overrides{
		Activity: []string{"x"}, Friction: map[string]float64{"x": 1},
	}))
	if got := both.Signal(
		[]byte("x"),
	); got != (pack.Signal{Known: true, Activity: true, Friction: 1, Trouble: pack.TroubleMark("x")}) {
		t.Errorf("by overrides: %+v", got)
	}
	alone := scoringtest.Must(scoringtest.LoadText(plain, pack.Overrides{Activity: []string{"f"}}))
	if got := alone.Signal([]byte("f")); got != (pack.Signal{Known: true, Activity: true}) {
		t.Errorf("by an override of activity alone: %+v", got)
	}
}
