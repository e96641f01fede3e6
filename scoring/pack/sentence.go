package pack

import (
	"fmt"
	"slices"
	"strings"
)

// Sentence is a text split at its placeholders.
type Sentence []Piece

// Piece is a text, or a placeholder.
type Piece struct {
	Text string
	Hole Hole
}

// Hole is the kind of a placeholder.
type Hole uint8

const (
	NoHole Hole = iota
	HoleValue
	HoleTimes
	HoleAgo
	HoleWithin
	HoleTypical
	HoleSilent
	HoleTenure
	HoleActive
	HoleAway
	HoleReturn
	HoleVisits
	HoleEvent
	HoleOn
	HoleOpened
	HoleSilences
	HoleWhose
	HoleShare
	HoleHorizon
	numHoles
)

var holeNames = [numHoles]string{
	"",
	"value",
	"times",
	"ago",
	"within",
	"typical",
	"silent",
	"tenure",
	"active",
	"away",
	"return",
	"visits",
	"event",
	"on",
	"opened",
	"silences",
	"whose",
	"share",
	"horizon",
}

// parseSentence splits a text. Errors: an unknown placeholder.
func parseSentence(rest string) (s Sentence, err error) {
	for rest != "" {
		text, after, open := strings.Cut(rest, "{")
		if text != "" {
			s = append(s, Piece{Text: text})
		}
		if !open {
			return s, nil
		}
		name, after, closed := strings.Cut(after, "}")
		h := slices.Index(holeNames[:], name)
		if !closed || h <= int(NoHole) {
			return nil, fmt.Errorf("no placeholder {%s}", name)
		}
		s = append(s, Piece{Hole: Hole(h)})
		rest = after
	}
	return s, nil
}

// String is the sentence as in the catalogue.
func (s Sentence) String() string {
	var b strings.Builder
	for _, p := range s {
		b.WriteString(p.Text)
		if p.Hole != NoHole {
			b.WriteString("{" + holeNames[p.Hole] + "}")
		}
	}
	return b.String()
}
