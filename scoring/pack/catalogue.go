package pack

import (
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
)

//go:embed reasons/*.yaml
var reasonTexts embed.FS

// defaultLanguage is that of a pack that names none. Its catalogue is the list of the codes.
const defaultLanguage = "en"

// catalogue is all that is said in a language: one file. It is not changed once read.
type catalogue struct {
	sentences map[string]Sentence // by the reason's code
	once      map[string]Sentence // of who came but once
	marked    map[uint16]string   // the codes by their marks
	Words     words
}

// Marked is the code of a mark; empty where no reason has it.
func (c *catalogue) Marked(mark uint16) string { return c.marked[mark] }

// readCatalogue reads the catalogue of a language. Errors: there is none, or it lacks something, holds what nobody
// asks for, or has other numbers in a sentence than the default language.
func readCatalogue(files fs.FS, lang string) (*catalogue, error) {
	c, err := parseCatalogue(files, lang)
	if err != nil {
		return nil, err
	}
	first := c
	if lang != defaultLanguage {
		if first, err = parseCatalogue(files, defaultLanguage); err != nil {
			return nil, err
		}
	}
	for _, code := range coreReasons() {
		if first.sentences[code] == nil {
			return nil, fmt.Errorf("catalogue %s: no sentence for %s", defaultLanguage, code)
		}
	}
	if err := cmp.Or(sameNumbers(first.sentences, c.sentences, ""), sameNumbers(first.once, c.once, onceKey)); err != nil {
		return nil, fmt.Errorf("catalogue %s: %w", lang, err)
	}
	for code := range c.once {
		if c.sentences[code] == nil {
			return nil, fmt.Errorf("catalogue %s: %s%s is another sentence for nothing", lang, code, onceKey)
		}
	}
	return c, nil
}

// Sentence is what is said by a code about a customer of so many visits.
func (c *catalogue) Sentence(code string, visits uint32) Sentence {
	if once := c.once[code]; once != nil && visits == 1 { // its usual gap is but an assumption
		return once
	}
	return c.sentences[code]
}

// onceKey is behind the code in the key of a sentence about who came but once.
const onceKey = ".once"

func parseCatalogue(files fs.FS, lang string) (*catalogue, error) {
	languages, err := fs.Glob(files, "reasons/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list catalogues: %w", err)
	}
	for i, path := range languages {
		languages[i] = strings.TrimSuffix(strings.TrimPrefix(path, "reasons/"), ".yaml")
	}
	if !slices.Contains(languages, lang) {
		return nil, fmt.Errorf("%q, there are %s", lang, strings.Join(languages, ", "))
	}
	b, err := fs.ReadFile(files, "reasons/"+lang+".yaml")
	if err != nil {
		return nil, fmt.Errorf("read catalogue: %w", err)
	}
	texts := map[string]string{}
	if err := yaml.UnmarshalWithOptions(b, &texts, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("catalogue %s: %s", lang, yamlProblem(err))
	}
	c := &catalogue{sentences: map[string]Sentence{}, once: map[string]Sentence{}, marked: map[uint16]string{}}
	if err := c.fill(lang, texts); err != nil {
		return nil, fmt.Errorf("catalogue %s: %w", lang, err)
	}
	return c, nil
}

// fill takes the words out of texts, then the sentences.
func (c *catalogue) fill(lang string, texts map[string]string) error {
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		if text := texts[key]; text == "" || !utf8.ValidString(text) ||
			strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' }) {
			return fmt.Errorf("%s: %q, must be a text without quotes, backslashes and line breaks", key, text)
		}
	}
	if err := c.Words.take(lang, texts); err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		code, once := strings.CutSuffix(key, onceKey)
		if strings.Contains(code, ".") {
			return fmt.Errorf("%s: nothing is called so, and no form of a word that is needed", key)
		}
		s, err := parseSentence(texts[key])
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		if once {
			c.once[code] = s
		} else {
			c.sentences[code], c.marked[MarkOf(code)] = s, code
		}
	}
	return nil
}

// sameNumbers is an error unless two languages have the same keys, and the same placeholders behind each.
func sameNumbers(first, own map[string]Sentence, suffix string) error {
	for _, code := range slices.Sorted(maps.Keys(first)) {
		switch s, ok := own[code]; {
		case !ok:
			return fmt.Errorf("no sentence for %s%s", code, suffix)
		case s.holes() != first[code].holes():
			return fmt.Errorf("%s%s: other placeholders than in %s", code, suffix, defaultLanguage)
		}
	}
	for _, code := range slices.Sorted(maps.Keys(own)) {
		if _, ok := first[code]; !ok {
			return fmt.Errorf("%s%s: no such reason", code, suffix)
		}
	}
	return nil
}

// lacks is the first placeholder of a code's sentences that is not among those given; empty: none.
func (c *catalogue) lacks(code string, given [numHoles]bool) string {
	for _, s := range []Sentence{c.sentences[code], c.once[code]} {
		for _, p := range s {
			if !given[p.Hole] {
				return holeNames[p.Hole]
			}
		}
	}
	return ""
}
