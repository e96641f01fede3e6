package scoring

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

//go:embed reasons/*.yaml
var reasonTexts embed.FS

// catalogue holds the sentence of every reason by its code, and further sentences and words by keys with a dot. One file is
// one language.
type catalogue map[string]string

// english is the one language that there is.
func english() catalogue {
	b, err := reasonTexts.ReadFile("reasons/en.yaml")
	if err != nil {
		panic("BUG: embedded reasons: " + err.Error())
	}
	texts := catalogue{}
	if err := yaml.UnmarshalWithOptions(b, &texts, yaml.Strict()); err != nil {
		panic("BUG: embedded reasons: " + err.Error())
	}
	return texts
}

// Reasons are the codes of all reasons with their sentences: a closed list.
func Reasons() map[string]string {
	texts := english()
	for key := range texts {
		if strings.Contains(key, ".") {
			delete(texts, key)
		}
	}
	return texts
}

// sentence is a text taken apart at its placeholders.
type sentence []piece

// piece is a text, or a placeholder.
type piece struct {
	text string
	hole hole
}

// hole is what a placeholder stands for.
type hole uint8

const (
	noHole hole = iota
	holeValue
	holeAgo
	holeWithin
	holeTypical
	holeSilent
	holeTenure
	holeAway
	holeVisits
	holeWeight
	numHoles
)

var holeNames = [numHoles]string{"", "value", "ago", "within", "typical", "silent", "tenure", "away", "visits", "weight"}

// units are the words of a language for amounts: one, and any other number. And for a time ago: what stands before and behind
// the span, and instead of it while it is not a whole day.
type units struct {
	hour, day, visit [2]string
	ago              [2]string
	today            string
}

// lacks is the first placeholder of a code's sentences that is not among those given; empty: none.
func (c catalogue) lacks(code string, given [numHoles]bool) string {
	for _, key := range []string{code, code + ".once"} {
		for _, p := range c.mustSentence(key) {
			if !given[p.hole] {
				return holeNames[p.hole]
			}
		}
	}
	return ""
}

// sentence is the one of a key, compiled. An error is a fault of the catalogue.
func (c catalogue) sentence(key string) (s sentence, err error) {
	rest, ok := c[key]
	if !ok {
		return nil, fmt.Errorf("no sentence for %q", key)
	}
	for rest != "" {
		text, after, open := strings.Cut(rest, "{")
		if text != "" {
			s = append(s, piece{text: text})
		}
		if !open {
			return s, nil
		}
		name, after, closed := strings.Cut(after, "}")
		h := slices.Index(holeNames[:], name)
		if !closed || h <= int(noHole) {
			return nil, fmt.Errorf("%s: no placeholder {%s}", key, name)
		}
		s = append(s, piece{hole: hole(h)})
		rest = after
	}
	return s, nil
}

// mustSentence is sentence, of a catalogue that tests have checked; nil where there is none.
func (c catalogue) mustSentence(key string) sentence {
	if _, ok := c[key]; !ok {
		return nil
	}
	s, err := c.sentence(key)
	if err != nil {
		panic("BUG: embedded reasons: " + err.Error())
	}
	return s
}

func (c catalogue) units() (u units) {
	for name, forms := range map[string]*[2]string{"hour": &u.hour, "day": &u.day, "visit": &u.visit} {
		forms[0], forms[1], _ = strings.Cut(c["unit."+name], "|")
	}
	u.ago[0], u.ago[1], _ = strings.Cut(c["ago.span"], "{span}")
	u.today = c["ago.today"]
	return u
}
