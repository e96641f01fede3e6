package scoring

import (
	"fmt"
	"slices"
	"strings"
)

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

// parseSentence takes a text apart. Errors: a placeholder that there is not.
func parseSentence(rest string) (s sentence, err error) {
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
			return nil, fmt.Errorf("no placeholder {%s}", name)
		}
		s = append(s, piece{hole: hole(h)})
		rest = after
	}
	return s, nil
}

// String is the sentence as the catalogue has it.
func (s sentence) String() string {
	var b strings.Builder
	for _, p := range s {
		b.WriteString(p.text)
		if p.hole != noHole {
			b.WriteString("{" + holeNames[p.hole] + "}")
		}
	}
	return b.String()
}

// holes is which placeholders the sentence has.
func (s sentence) holes() (has [numHoles]bool) {
	for _, p := range s {
		has[p.hole] = p.hole != noHole
	}
	return has
}
