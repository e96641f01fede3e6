package pack

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"ebb/scoring/strictyaml"
)

//go:embed reasons/en.yaml
var english []byte

// catalogue is all sentences about customers, from one file. It does not change once read.
type catalogue struct {
	sentences map[string]Sentence // by the reason's code
	once      map[string]Sentence // for a customer who came only once
	marked    map[uint16]string   // the codes by their marks
	Words     words
}

// Marked is the code of a mark; empty where no reason has it.
func (c *catalogue) Marked(mark uint16) string { return c.marked[mark] }

// readCatalogue reads the catalogue that comes with ebb.
func readCatalogue() *catalogue {
	c, err := parseCatalogue(english)
	if err != nil {
		panic("BUG: embedded reasons: " + err.Error())
	}
	return c
}

// parseCatalogue reads a catalogue. Errors: it lacks something, or holds something that is never used.
func parseCatalogue(b []byte) (*catalogue, error) {
	docs, err := strictyaml.Parse(b)
	if err != nil {
		return nil, err
	}
	if len(docs) != 1 {
		return nil, fmt.Errorf("%d documents, must be one", len(docs))
	}
	texts := map[string]string{}
	if err := docs[0].Decode(&texts); err != nil {
		return nil, err
	}
	c := &catalogue{sentences: map[string]Sentence{}, once: map[string]Sentence{}, marked: map[uint16]string{}}
	if err := c.fill(texts); err != nil {
		return nil, err
	}
	for _, code := range coreReasons() {
		if c.sentences[code] == nil {
			return nil, fmt.Errorf("no sentence for %s", code)
		}
	}
	for code := range c.once {
		if c.sentences[code] == nil {
			return nil, fmt.Errorf("%s%s: another sentence for nothing", code, onceKey)
		}
	}
	return c, nil
}

// Sentence is the sentence of a code for a customer of so many visits.
func (c *catalogue) Sentence(code string, visits uint32) Sentence {
	if once := c.once[code]; once != nil && visits == 1 { // its usual gap is only an assumption
		return once
	}
	return c.sentences[code]
}

// onceKey follows the code in the key of a sentence about a customer who came only once.
const onceKey = ".once"

// fill moves the words out of texts, then the sentences.
func (c *catalogue) fill(texts map[string]string) error {
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		if text := texts[key]; text == "" || !utf8.ValidString(text) ||
			strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' }) {
			return fmt.Errorf("%s: %q, must be a text without quotes, backslashes and line breaks", key, text)
		}
	}
	if err := c.Words.take(texts); err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		code, once := strings.CutSuffix(key, onceKey)
		if strings.Contains(code, ".") {
			return fmt.Errorf("%s: nothing is called so", key)
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

// lacks is the first placeholder in a code's sentences that is not among the given ones; empty: none.
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
