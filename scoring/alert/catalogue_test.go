package alert_test

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/feature"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/scoringtest"
)

// markers is the English catalogue with every word, sign and unit replaced by what English does not have.
func markers(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	if err := yaml.Unmarshal(scoringtest.Must(os.ReadFile("../pack/reasons/en.yaml")), &texts); err != nil {
		t.Fatal(err)
	}
	strange := regexp.MustCompile(`\{[a-z]+\}|[^ {}0-9]+`)
	for key, text := range texts {
		texts[key] = strange.ReplaceAllStringFunc(text, func(s string) string {
			if s[0] == '{' {
				return s
			}
			return "я"
		})
	}
	maps.DeleteFunc(
		texts,
		func(key, _ string) bool { return strings.HasPrefix(key, "unit.") || strings.HasPrefix(key, "every.") },
	)
	for _, word := range []string{"unit.hour", "unit.day", "unit.visit", "every.hour", "every.day"} {
		for _, form := range []string{"one", "few", "many"} {
			texts[word+"."+form] = map[string]string{"one": "{n} а", "few": "{n} б", "many": "{n} в"}[form]
		}
	}
	texts["every.day.1"], texts["number.decimal"] = "ж", "٫"
	return texts
}

// catalogues are the English one and another in Russian's place.
func catalogues(other map[string]string) fstest.MapFS {
	return fstest.MapFS{
		"reasons/en.yaml": {Data: scoringtest.Must(os.ReadFile("../pack/reasons/en.yaml"))},
		"reasons/ru.yaml": {Data: scoringtest.Must(yaml.Marshal(other))},
	}
}

func inRussian(t *testing.T, files fstest.MapFS, name string) (*pack.Pack, error) {
	t.Helper()
	return pack.LoadIn(files, "p.yaml", func(string) ([]byte, error) {
		return append(scoringtest.Must(pack.Source(name, nil)), "\nlanguage: ru\n"...), nil
	}, pack.Overrides{})
}

// TestTranslation: with one file more, whatever a reader sees of any reason of any pack is in the other language,
// with the same numbers.
func TestTranslation(t *testing.T) {
	files, digits := catalogues(markers(t)), regexp.MustCompile(`[0-9]+`)
	english := regexp.MustCompile(`[A-Za-z.%:,()]`)
	for _, name := range pack.Shipped() {
		first := scoringtest.Must(pack.Load(name, nil, pack.Overrides{}))
		k, err := inRussian(t, files, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int64{0, 1, 999, 1500, 3600, 86_400, 7 * 86_400, 600 * 86_400} {
			for visits := range uint32(7) {
				days := float64(n) / 86_400
				d := scoring.Decision{Score: model.Score{
					Visits: visits, LnTypical: math.Log(days + 0.1), Silence: days, Tenure: days, Friction: 1.26,
					Values: slices.Repeat([]feature.Value{{N: n, OK: true}}, len(k.Features)),
				}, At: n * 1000}
				was := alert.NewRenderer(first).Sentences(&d)
				for code, said := range alert.NewRenderer(k).Sentences(&d) {
					if english.MatchString(said) || said == "" {
						t.Fatalf("%s: %s is %q", name, code, said)
					}
					if want, got := digits.FindAllString(
						was[code],
						-1,
					), digits.FindAllString(
						said,
						-1,
					); !cmp.Equal(
						without1(want),
						without1(got),
					) {
						t.Fatalf("%s: %s is %q, of %q", name, code, said, was[code])
					}
				}
			}
		}
	}
}

// without1 takes out the number that one language may leave unsaid.
func without1(numbers []string) []string {
	return slices.DeleteFunc(numbers, func(s string) bool { return s == "1" })
}

// TestPlurals: the forms are those of the language.
func TestPlurals(t *testing.T) {
	k, err := inRussian(t, catalogues(markers(t)), "retail")
	if err != nil {
		t.Fatal(err)
	}
	for visits, want := range map[uint32]string{
		1:         "1 а",
		2:         "2 б",
		5:         "5 в",
		11:        "11 в",
		21:        "21 а",
		121:       "121 а",
		122:       "122 б",
		131:       "131 а",
		1_000_005: "1000005 в",
		1_000_021: "1000021 а",
	} {
		d := scoring.Decision{Score: model.Score{Visits: visits, Silence: 1, LnTypical: 0, Friction: 1.26}}
		said := alert.NewRenderer(k).Sentences(&d)
		if got := said[pack.ReasonLittleActivity+" -1"]; !strings.Contains(got, want+" ") {
			t.Errorf("%d visits: %q, want %q", visits, got, want)
		}
		if got := said[pack.ReasonRareVisitor+" -1"]; visits > 1 && !strings.HasSuffix(got, "я ж") {
			t.Errorf("every day: %q", got)
		}
		if got := said[pack.ReasonFriction+" -1"]; !strings.HasSuffix(got, "1٫3") {
			t.Errorf("weight: %q", got)
		}
	}
}

// TestLanguageIsThePacks: the default language is no part of what a pack is known by, any other is, and an alert in
// it is proved by the alert alone.
func TestLanguageIsThePacks(t *testing.T) {
	files, first := catalogues(markers(t)), firstAlert(t)
	load := func(language string) (*pack.Pack, error) {
		return pack.LoadIn(files, "p.yaml", func(string) ([]byte, error) {
			return append(scoringtest.Must(pack.Source("retail", nil)), language...), nil
		}, pack.Overrides{})
	}
	plain, english, russian := scoringtest.Must(
		load(""),
	), scoringtest.Must(
		load("\nlanguage: en\n"),
	), scoringtest.Must(
		load("\nlanguage: ru\n"),
	)
	if plain.Hash != english.Hash || plain.Hash == russian.Hash || bytes.Contains(plain.Canonical(), []byte("language")) {
		t.Errorf("hashes %.8s, %.8s and %.8s", plain.Hash, english.Hash, russian.Hash)
	}
	again, err := pack.LoadIn(
		files,
		"canonical.yaml",
		func(string) ([]byte, error) { return russian.Canonical(), nil },
		pack.Overrides{},
	)
	if err != nil {
		t.Fatal(err)
	}
	b := alert.NewRenderer(russian).AppendAlert(nil, first, first.ID())
	if !bytes.Equal(b, alert.NewRenderer(again).AppendAlert(nil, first, first.ID())) {
		t.Error("the canonical form renders otherwise")
	}
	x, err := alert.NewRenderer(again).Explain(b)
	if err != nil || len(x.Differences) > 0 {
		t.Errorf("error %v, differences %v", err, x.Differences)
	}
	if _, err := pack.LoadCanonical(
		russian.Canonical(),
	); err == nil ||
		!strings.Contains(err.Error(), `$.language: "ru", there are en`) {
		t.Errorf("without the catalogue: %v", err)
	}
}

// TestCatalogueProblems: a catalogue that lacks something, or holds what nobody asks for, is refused with the key.
func TestCatalogueProblems(t *testing.T) {
	for name, c := range map[string]struct{ key, text, want string }{
		"a code without a sentence":      {"overdue", "", "no sentence for overdue"},
		"one of who came once":           {"overdue.once", "", "no sentence for overdue.once"},
		"a code that there is not":       {"overdew", "я", "overdew: no such reason"},
		"another sentence for nothing":   {"back.once", "я", "back.once: no such reason"},
		"a variant that there is not":    {"back.twice", "я", "back.twice: nothing is called so"},
		"an unknown placeholder":         {"back", "я {days}", "back: no placeholder {days}"},
		"an open placeholder":            {"back", "я {away", "back: no placeholder {away}"},
		"a number left out":              {"back", "я", "back: other placeholders than in en"},
		"a number too many":              {"back", "я {away} {silent}", "back: other placeholders than in en"},
		"a missing plural":               {"unit.day.few", "", "no unit.day.few"},
		"a plural that it does not have": {"unit.day.two", "{n} я", "unit.day.two: nothing is called so"},
		"a plural without its number":    {"unit.day.few", "я", "unit.day.few: without {n}"},
		"another placeholder in a word":  {"unit.day.few", "{span} я", "unit.day.few: "},
		"two numbers in a word":          {"unit.day.few", "{n} {n}", "unit.day.few: "},
		"a time ago without a span":      {"ago.span", "я", "ago.span or number.percent: without"},
		"no word for today":              {"ago.today", "", "no ago.today"},
		"no decimal sign":                {"number.decimal", "", "no number.decimal"},
		"what JSON would escape":         {"back", `я "{away}"`, "back: "},
	} {
		t.Run(name, func(t *testing.T) {
			texts := markers(t)
			if texts[c.key] = c.text; c.text == "" {
				delete(texts, c.key)
			}
			if _, err := inRussian(
				t,
				catalogues(texts),
				"any",
			); err == nil ||
				!strings.Contains(err.Error(), "$.language: catalogue ru: "+c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	for name, change := range map[string]func(fstest.MapFS){
		"a key twice": func(f fstest.MapFS) {
			f["reasons/ru.yaml"].Data = append(f["reasons/ru.yaml"].Data, "back: я {away}\n"...)
		},
		"no text":             func(f fstest.MapFS) { f["reasons/ru.yaml"].Data = []byte("back: [1]") },
		"no language":         func(f fstest.MapFS) { delete(f, "reasons/ru.yaml") },
		"a core code nowhere": func(f fstest.MapFS) { drop(f, "back: ") },
	} {
		t.Run(name, func(t *testing.T) {
			files := catalogues(markers(t))
			change(files)
			if _, err := inRussian(t, files, "any"); err == nil || !strings.Contains(err.Error(), "$.language: ") {
				t.Errorf("error %v", err)
			}
		})
	}
}

// drop takes the lines that begin so out of every catalogue.
func drop(files fstest.MapFS, begin string) {
	for _, f := range files {
		f.Data = regexp.MustCompile(fmt.Sprintf("(?m)^%s.*\n", begin)).ReplaceAll(f.Data, nil)
	}
}
