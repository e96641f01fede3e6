package strictyaml_test

import (
	"errors"
	"strings"
	"testing"

	"ebb/scoring/strictyaml"
)

// parse is the one document of a text.
func parse(t *testing.T, text string) strictyaml.Node {
	t.Helper()
	docs, err := strictyaml.Parse([]byte(text))
	if err != nil || len(docs) != 1 {
		t.Fatalf("%q: %d documents, error %v", text, len(docs), err)
	}
	return docs[0]
}

// TestDocuments: those that are not empty, each with its line. Text that is no YAML is reported with its place.
func TestDocuments(t *testing.T) {
	for text, want := range map[string][]int{
		"":                                nil,
		" \n# nothing\n":                  nil,
		"---\n":                           nil,
		"a: 1\n---\n":                     {1},
		"\ufeffa: 1\n":                    {1},
		"# first\na: 1\n---\nb: 1\n---\n": {2, 4},
		"a: 1\n...\nb: 1\n":               {1, 3},
	} {
		docs, err := strictyaml.Parse([]byte(text))
		if err != nil || len(docs) != len(want) {
			t.Errorf("%q: %d documents, error %v", text, len(docs), err)
			continue
		}
		for i, d := range docs {
			if d.Line != want[i] {
				t.Errorf("%q: document %d on line %d, want %d", text, i, d.Line, want[i])
			}
		}
	}
	for text, want := range map[string]string{
		"a: [":                 "[1:4] not YAML: ",
		"a:\n\tb: 1\n":         "[2:1] not YAML: a tab stands where a line is indented",
		"a: 1\n  b: 2\n":       "[1:4] not YAML: ",
		"---\n---\na: 1\n":     "[2:1] nothing stands before this line of dashes",
		"a: 1\n---\n---\nb: 2": "[3:1] nothing stands before this line of dashes",
		"a: 1\nb: \xff\n":      "[2:1] not UTF-8",
		"\xff\xfea\x00:\x00":   "[1:1] not UTF-8",
		"a:\n  &x b: 1\n":      "[2:3] the key is an anchor, an alias or a tag",
		"a: [{*x : 1}]\n":      "[1:6] the key is an anchor, an alias or a tag",
		"!!str a: 1\n":         "[1:1] the key is an anchor, an alias or a tag",
	} {
		_, err := strictyaml.Parse([]byte(text))
		if _, ok := errors.AsType[*strictyaml.Problem](err); !ok || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}

// TestEntries: keys in the order of the file, as text, and the line of an earlier entry with the same key.
func TestEntries(t *testing.T) {
	entries, ok := parse(t, "b: 1\n1: x\n<<: {a: 1}\n\"b\": 2\n? b\n: 3\n").Entries()
	if !ok || len(entries) != 5 {
		t.Fatalf("%v", entries)
	}
	for i, want := range []strictyaml.Entry{
		{Place: strictyaml.Place{Line: 1, Column: 1}, Key: "b"},
		{Place: strictyaml.Place{Line: 2, Column: 1}, Key: "1"},
		{Place: strictyaml.Place{Line: 3, Column: 1}, Key: strictyaml.MergeKey},
		{Place: strictyaml.Place{Line: 4, Column: 1}, Key: "b", First: 1},
		{Place: strictyaml.Place{Line: 5, Column: 3}, Key: "b", First: 1},
	} {
		if got := entries[i]; got.Place != want.Place || got.Key != want.Key || got.First != want.First {
			t.Errorf("%d: %+v, want %+v", i, got, want)
		}
	}
}

// TestValues: the kind of a value, and the text of a single one.
func TestValues(t *testing.T) {
	for value, want := range map[string]struct {
		scalar, words string
		plain         bool
	}{
		"text":          {"text", `"text"`, true},
		"'quo ted'":     {"quo ted", `"quo ted"`, true},
		"1.10":          {"1.10", `"1.10"`, true},
		"0x10":          {"0x10", `"0x10"`, true},
		"yes":           {"yes", `"yes"`, true},
		"true":          {"true", `"true"`, true},
		".inf":          {".inf", `".inf"`, true},
		"|\n  a\n  b\n": {"a\nb\n", `"a\nb\n"`, true},
		"":              {"", "nothing", true},
		"[1, a]":        {"", "a list", true},
		"{a: 1}":        {"", "keys below it", true},
		"{<<: {a: 1}}":  {"", "keys below it", false},
		"&x 1":          {"", "an anchor or alias, which are not read", false},
		"*x":            {"", "an anchor or alias, which are not read", false},
		"!!str 1":       {"", "a tag, which is not read", false},
	} {
		entries, _ := parse(t, "a: "+value+"\n").Entries()
		n := entries[0].Value
		text, scalar := n.Scalar()
		list, isList := n.List()
		if text != want.scalar || scalar != (want.words[0] == '"') || n.String() != want.words ||
			n.IsPlain() != want.plain ||
			n.IsNull() != (value == "") || isList != (len(list) == 2) {
			t.Errorf("%s: %q (%t), %s, plain %t, list %v", value, text, scalar, n, n.IsPlain(), list)
		}
	}
}

type parts struct {
	Within string   `yaml:"within"`
	Least  int64    `yaml:"least"`
	Share  float64  `yaml:"share"`
	Hourly *bool    `yaml:"hourly"`
	Of     []parts2 `yaml:"of"`
}

type parts2 struct {
	Signal string `yaml:"signal"`
}

// TestDecode: a value that does not fit is reported with its place, in words of the file.
func TestDecode(t *testing.T) {
	var all map[string]parts
	err := parse(t, "a: {within: 30d, least: 1, of: [{signal: s}]}").Decode(&all)
	if err != nil || all["a"].Within != "30d" || all["a"].Of[0].Signal != "s" {
		t.Errorf("%+v, error %v", all, err)
	}
	for text, want := range map[string]string{
		"a: {wither: 1}":                       `[1:5] unknown key "wither", did you mean within?`,
		"a: {of: [{signals: s}]}":              `[1:11] unknown key "signals", did you mean signal?`,
		"a: {signal: s}":                       `[1:5] unknown key "signal"`,
		"a: {shoe_size: 1}":                    `[1:5] unknown key "shoe_size"`,
		"a: {least: many}":                     `[1:12] "many" is no number`,
		"a: {share: [1]}":                      `[1:12] "[" is no number`,
		"a: {hourly: 1}":                       `[1:13] "1" is no true or false`,
		"a: {least: 99999999999999999999}":     "[1:12] 99999999999999999999 is beyond what a number may be",
		"a: {least: 1, least: 2}":              `[1:15] duplicate key "least"`,
		"a: 1\nb: {within: 1d}\na: {least: 1}": "[3:1] duplicate key",
	} {
		var all map[string]parts
		err := parse(t, text).Decode(&all)
		if _, ok := errors.AsType[*strictyaml.Problem](err); !ok || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
}
