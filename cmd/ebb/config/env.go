package config

import (
	"maps"
	"slices"
	"strings"

	"ebb/cmd/ebb/advice"
)

// Variables begin with envPrefix; those that begin with envTestPrefix are for tests and are not checked.
const (
	envPrefix     = "EBB_"
	envTestPrefix = "EBB_TEST_"
)

// readEnvironment applies every EBB_ variable. An empty variable counts: it empties a list or a text.
func (l *loader) readEnvironment(environ []string) {
	byName := map[string]*setting{}
	var names []string
	for i := range l.settings {
		s := &l.settings[i]
		byName[s.variable()] = s
		names = append(names, s.variable())
	}
	for short, path := range shortForms() {
		byName[variableOf(short)] = l.setting(path)
	}
	set := map[string]string{}
	for _, pair := range environ {
		name, text, _ := strings.Cut(pair, "=")
		set[name] = text // the last one of a repeated variable counts
	}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if !strings.HasPrefix(name, envPrefix) || strings.HasPrefix(name, envTestPrefix) {
			continue
		}
		text := set[name]
		s := byName[name]
		if s == nil {
			l.problems = append(l.problems, Problem{Place: name, Text: "unknown variable" + advice.DidYouMean(name, names)})
			continue
		}
		if o := l.origins[s.path]; strings.HasPrefix(o.place, envPrefix) {
			l.problem(s.path, "also set by the variable %s; remove one of the two", name)
			continue
		}
		l.set(s, origin{place: name}, func() error { return s.value.set(text) })
	}
}

// Override is a key that the command line overrides.
type Override struct {
	flag string // --brokers
	path string // kafka.brokers
	text string
}

// Overrides pairs flags with their keys. The arguments are flag, path, value, repeatedly. Empty values override
// nothing.
func Overrides(triples ...string) []Override {
	var out []Override
	for i := 0; i+2 < len(triples); i += 3 {
		if triples[i+2] != "" {
			out = append(out, Override{"--" + triples[i], triples[i+1], triples[i+2]})
		}
	}
	return out
}

// readFlags applies the overrides of the command line.
func (l *loader) readFlags(flags []Override) {
	for _, f := range flags {
		s := l.setting(f.path)
		l.set(s, origin{place: f.flag}, func() error { return s.value.set(f.text) })
	}
}
