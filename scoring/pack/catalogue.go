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
	few       map[string]Sentence // for one who came too seldom to have a rhythm
	none      map[string]Sentence // where the feature's value is 0
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
	c := &catalogue{
		sentences: map[string]Sentence{}, once: map[string]Sentence{}, few: map[string]Sentence{},
		none: map[string]Sentence{}, marked: map[uint16]string{},
	}
	if err := c.fill(texts); err != nil {
		return nil, err
	}
	for _, code := range coreReasons() {
		if c.sentences[code] == nil {
			return nil, fmt.Errorf("no sentence for %s", code)
		}
	}
	for key, others := range map[string]map[string]Sentence{onceKey: c.once, fewKey: c.few, noneKey: c.none} {
		for code := range others {
			if c.sentences[code] == nil {
				return nil, fmt.Errorf("%s%s: another sentence for nothing", code, key)
			}
		}
	}
	return c, nil
}

// Sentence is the sentence of a code for a customer of so many visits; none: it is about a feature whose value is 0.
func (c *catalogue) Sentence(code string, visits uint32, none bool) Sentence {
	if s := c.none[code]; s != nil && none {
		return s
	}
	other := c.few
	if visits == 1 {
		other = c.once
	}
	if s := other[code]; s != nil && visits < EnoughVisits { // its usual gap is the population's more than its own
		return s
	}
	return c.sentences[code]
}

// What follows the code in the key of a sentence about a customer who came only once, or so seldom that nothing is
// usual about its gaps, or about a feature whose value is 0.
const (
	onceKey = ".once"
	fewKey  = ".few"
	noneKey = ".none"
)

// EnoughVisits is how many visits, with three gaps between them, tell what is usual.
const EnoughVisits = 4

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
	variants := map[string]map[string]Sentence{"": c.sentences, onceKey: c.once, fewKey: c.few, noneKey: c.none}
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		code, variant := key, ""
		if i := strings.IndexByte(key, '.'); i >= 0 {
			code, variant = key[:i], key[i:]
		}
		to := variants[variant]
		if to == nil {
			return fmt.Errorf("%s: nothing is called so", key)
		}
		s, err := parseSentence(texts[key])
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		to[code] = s
		c.marked[MarkOf(code)] = code
	}
	return nil
}

// lacks is the first placeholder in a code's sentences that is not among the given ones; empty: none.
func (c *catalogue) lacks(code string, given [numHoles]bool) string {
	for _, s := range []Sentence{c.sentences[code], c.once[code], c.few[code], c.none[code]} {
		for _, p := range s {
			if !given[p.Hole] {
				return holeNames[p.Hole]
			}
		}
	}
	return ""
}
