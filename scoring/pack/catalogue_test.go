package pack_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"ebb/scoring/pack"
	"ebb/scoring/scoringtest"
)

// TestLanguageIsEnglish: a pack may name English, and is the same pack; no other language is accepted.
func TestLanguageIsEnglish(t *testing.T) {
	unsaid := scoringtest.Must(scoringtest.LoadText(plain, pack.Overrides{}))
	said := scoringtest.Must(scoringtest.LoadText(plain+"language: en\n", pack.Overrides{}))
	if said.Hash != unsaid.Hash || bytes.Contains(said.Canonical(), []byte("language")) {
		t.Errorf("hash %.8s of %s, was %.8s", said.Hash, said.Canonical(), unsaid.Hash)
	}
	for _, other := range []string{"ru", "EN", `""`} {
		_, err := scoringtest.LoadText(plain+"language: "+other+"\n", pack.Overrides{})
		if err == nil || !strings.Contains(err.Error(), `$.language: "`+strings.Trim(other, `"`)+`", must be en: `) {
			t.Errorf("%s: %v", other, err)
		}
	}
	canonical := append(bytes.TrimSuffix(said.Canonical(), []byte("}")), `,"language":"ru"}`...)
	if _, err := pack.LoadCanonical(canonical); err == nil || !strings.Contains(err.Error(), `unknown field "language"`) {
		t.Errorf("canonical: %v", err)
	}
}

// TestCatalogueProblems: a catalogue that lacks something, or holds something that is never used, is refused with the
// key.
func TestCatalogueProblems(t *testing.T) {
	english := scoringtest.Must(os.ReadFile("reasons/en.yaml"))
	for name, c := range map[string]struct{ key, text, want string }{
		"a code without a sentence":      {"overdue", "", "no sentence for overdue"},
		"another sentence for nothing":   {"overdew.once", "x", "overdew.once: another sentence for nothing"},
		"a variant that there is not":    {"back.twice", "x", "back.twice: nothing is called so"},
		"a sentence of two variants":     {"overdue.few.once", "x", "overdue.few.once: nothing is called so"},
		"no word for a class":            {"whose.regular", "", "no whose.regular"},
		"an unknown placeholder":         {"back", "x {days}", "back: no placeholder {days}"},
		"an open placeholder":            {"back", "x {away", "back: no placeholder {away}"},
		"a missing plural":               {"unit.day.other", "", "no unit.day.other"},
		"a missing singular":             {"unit.day.one", "", "no unit.day.one"},
		"a plural that it does not have": {"unit.day.two", "{n} x", "unit.day.two: nothing is called so"},
		"a plural without its number":    {"unit.day.other", "x", `unit.day.other: "x", without {n}`},
		"another placeholder in a word":  {"unit.day.other", "{span} x", "unit.day.other: "},
		"two numbers in a word":          {"unit.day.other", "{n} {n}", "unit.day.other: "},
		"a time ago without a span":      {"ago.span", "x", `ago.span: "x", without {span}`},
		"per cent without a number":      {"number.percent", "x", `number.percent: "x", without {n}`},
		"no word for today":              {"ago.today", "", "no ago.today"},
		"a number in today":              {"ago.today", "{n}", "ago.today: "},
		"what JSON would escape":         {"back", `x "{away}"`, "back: "},
	} {
		t.Run(name, func(t *testing.T) {
			texts := map[string]string{}
			if err := yaml.Unmarshal(english, &texts); err != nil {
				t.Fatal(err)
			}
			if texts[c.key] = c.text; c.text == "" {
				delete(texts, c.key)
			}
			err := pack.ParseCatalogue(scoringtest.Must(yaml.Marshal(texts)))
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	for name, text := range map[string]string{
		"a key twice": string(english) + "back: x {away}\n",
		"no text":     string(english) + "new: [1]\n",
		"nothing":     "",
		"no mapping":  "- back\n",
	} {
		if err := pack.ParseCatalogue([]byte(text)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestMarksTellReasonsApart: the mark that identifies an opening in states and ids leads back to its code, for every
// code.
func TestMarksTellReasonsApart(t *testing.T) {
	k := scoringtest.Must(pack.Load("any", nil, pack.Overrides{}))
	for code := range pack.Reasons() {
		if mark := pack.MarkOf(code); mark == 0 || k.Catalogue.Marked(mark) != code {
			t.Errorf("the mark of %s is %d, that of %q", code, mark, k.Catalogue.Marked(mark))
		}
	}
}
