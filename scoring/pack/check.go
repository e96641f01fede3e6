package pack

import (
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"ebb/scoring/feature"
)

// checkCode notes a code that the catalogue of reasons does not contain.
func (f *file) checkCode(at, code string) {
	if f.reasons.sentences[code] == nil {
		f.broken(at, "%q is no reason of the catalogue, `ebb packs show --reasons` lists them", code)
	}
}

// checkSaid notes a code whose sentence has a placeholder without a value of the feature; scored: the sentence is used
// only where there is a score.
func (f *file) checkSaid(at, code, name string, scored bool) {
	d, declared := f.Features[name]
	if name != "" && !declared {
		return // reported elsewhere
	}
	var given [numHoles]bool
	for h := range numHoles {
		given[h] = h == NoHole || scored
	}
	kind, _ := featureKind(d.Kind)
	given[HoleValue], given[HoleWithin] = declared, f.hasWindow(name, len(f.Features))
	given[HoleTimes] = declared && kind.Traits().Form == feature.FormCount
	given[HoleAgo] = declared && kind.Traits().Form.IsSpan()
	if lacking := f.reasons.lacks(code, given); lacking != "" {
		by := "no feature gives"
		if declared {
			by = name + " does not give"
		}
		f.broken(at, "the sentence of %s holds {%s}, which %s here", code, lacking, by)
	}
}

// hasWindow reports whether a feature has a window, or a ratio's denominator has one, through at most so many ratios.
func (f *file) hasWindow(name string, ratios int) bool {
	d := f.Features[name]
	if f.divides(name) && ratios > 0 {
		return f.hasWindow(d.Of, ratios-1)
	}
	return d.Within != ""
}

func (f *file) checkWord(key, word string) {
	if word == "" || len(word) > 64 ||
		strings.ContainsFunc(word, func(r rune) bool { return r <= ' ' || r == utf8.RuneError || r == 0x7f }) {
		f.broken(key, "%q, must be 1 to 64 bytes without spaces", word)
	}
}

func fitsType(t string) bool { return t != "" && len(t) <= maxTypeSize && utf8.ValidString(t) }

// checkSignalNamed notes a signal that is not declared. An empty name is reported elsewhere.
func (f *file) checkSignalNamed(at, name string) {
	f.checkNamed(at, "signal", name, f.signalNames())
}

func (f *file) checkNamed(at, what, name string, there []string) {
	if place, known := f.places[what+"s"]; known && place == "" {
		return // the declarations could not be read, or are already reported
	}
	switch {
	case name == "" || slices.Contains(there, name):
	case len(there) == 0:
		f.broken(at, "no %s %q is declared, nor any other", what, name)
	default:
		slices.Sort(there)
		f.broken(at, "no %s %q is declared, there are %s", what, name, strings.Join(there, ", "))
	}
}

// sorted yields a map's entries in the order of their keys, so that problems come in the same order every time.
func sorted[V any](m map[string]V) func(yield func(string, V) bool) {
	return func(yield func(string, V) bool) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}

// MaxName is how many bytes a name in a pack has at most.
const MaxName = 64

// checkName notes a name that is not a word of lower-case letters, digits and underscores.
func (f *file) checkName(at, name string) {
	bad := func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' }
	if name == "" || len(name) > MaxName || strings.ContainsFunc(name, bad) {
		f.broken(at, "%q, must be a name of 1 to 64 lower-case letters, digits and underscores", name)
	}
}

// maxShort bounds names that every alert repeats, in bytes.
const maxShort = 32

// checkShort is checkName for a name that alerts repeat.
func (f *file) checkShort(at, name string) {
	f.checkName(at, name)
	if len(name) > maxShort {
		f.broken(at, "is a name of %d bytes, at most %d", len(name), maxShort)
	}
}

// checkSpan notes a value that is no span of whole seconds within bounds, and returns the span.
func (f *file) checkSpan(at, text string, least time.Duration) time.Duration {
	d, err := parseDays(text)
	if err != nil || d < least || d > mostSpan || d%time.Second != 0 {
		f.broken(at, "%q, must be a span from %s to %s, such as 30d", text, daysText(least), daysText(mostSpan))
		return 0
	}
	return d
}

const maxPath = 128 // bytes of a property's path

func (f *file) checkPath(at, path string) {
	if path == "" || len(path) > maxPath || !utf8.ValidString(path) {
		f.broken(at, "%q, must be the path of a property of 1 to %d bytes, such as rating or plan.seats", path, maxPath)
	}
}
