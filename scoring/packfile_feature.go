package scoring

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// featureFile is a feature as written.
type featureFile struct {
	Kind     string `json:"kind"               yaml:"kind"`
	Of       string `json:"of,omitempty"       yaml:"of"`
	To       string `json:"to,omitempty"       yaml:"to"`
	Until    string `json:"until,omitempty"    yaml:"until"`
	Property string `json:"property,omitempty" yaml:"property"`
	Within   string `json:"within,omitempty"   yaml:"within"`
	Least    *int64 `json:"least,omitempty"    yaml:"least"`
	Absent   *int64 `json:"absent,omitempty"   yaml:"absent"`
}

const maxLeast = 1_000_000_000

// featureParts says which parts a kind of feature has: r required, o optional.
var featureParts = map[FeatureKind]map[string]byte{ //nolint:gochecknoglobals // a table
	FeatureCount:      {"of": 'r', "within": 'r', "absent": 'o'},
	FeatureSum:        {"of": 'r', "within": 'r', "property": 'o', "absent": 'o'},
	FeatureActiveDays: {"of": 'r', "within": 'r', "absent": 'o'},
	FeatureSince:      {"of": 'r'},
	FeatureTrend:      {"of": 'r', "within": 'r', "least": 'o'},
	FeatureDistinct:   {"of": 'r', "within": 'r', "property": 'r', "absent": 'o'},
	FeatureLast:       {"of": 'r', "within": 'r', "property": 'r'},
	FeatureOpen:       {"of": 'r', "until": 'r', "absent": 'o'},
	FeatureRatio:      {"of": 'r', "to": 'r', "least": 'o'},
	FeatureTenure:     {},
}

// Defaults of the part `least`.
const (
	leastTrend = 3
	leastRatio = 1
)

// checkFeatures notes what is wrong with the features.
func (f *packFile) checkFeatures() {
	if len(f.Features) > maxFeatures {
		f.broken("features", "%d, at most %d", len(f.Features), maxFeatures)
	}
	for name, d := range sorted(f.Features) {
		at := f.at("features") + "." + name
		f.checkName(at, name)
		kind, ok := featureKind(d.Kind)
		if !ok {
			f.broken(at+".kind", "%q, must be one of %s", d.Kind, strings.Join(FeatureKindNames(), ", "))
			continue
		}
		f.checkParts(at, &d, featureParts[kind])
		if d.Property != "" {
			f.checkPath(at+".property", d.Property)
		}
		if d.Within != "" {
			if _, _, err := parseWindow(d.Within); err != nil {
				f.broken(at+".within", "%v", err)
			}
		}
		if d.Least != nil && (*d.Least < 1 || *d.Least > maxLeast) {
			f.broken(at+".least", "%d, must be from 1 to %d", *d.Least, maxLeast)
		}
		if d.Absent != nil && *d.Absent != 0 {
			f.broken(at+".absent", "%d, must be 0 or left out", *d.Absent)
		}
		if kind == FeatureRatio {
			f.checkNamed(at+".of", "feature", d.Of, slices.Collect(maps.Keys(f.Features)))
			f.checkNamed(at+".to", "feature", d.To, slices.Collect(maps.Keys(f.Features)))
			continue
		}
		f.checkSignalNamed(at+".of", d.Of)
		f.checkSignalNamed(at+".until", d.Until)
	}
	if _, err := f.featureOrder(); err != nil {
		f.broken("features", "%v", err)
	}
	if len(f.problems) > 0 {
		return // what is declared wrongly cannot be compiled
	}
	var err error
	if f.compiled, err = CompileFeatures(f.declared()); err != nil {
		f.broken("features", "%v", err)
	}
}

// checkParts notes parts that are missing or that the kind does not have.
func (f *packFile) checkParts(at string, d *featureFile, parts map[string]byte) {
	for part, given := range map[string]bool{
		"of": d.Of != "", "to": d.To != "", "until": d.Until != "", "property": d.Property != "",
		"within": d.Within != "", "least": d.Least != nil, "absent": d.Absent != nil,
	} {
		switch use, has := parts[part]; {
		case given && !has:
			f.broken(at+"."+part, "a %s has no %s", d.Kind, part)
		case !given && use == 'r':
			f.broken(at+"."+part, "is missing, a %s needs it", d.Kind)
		}
	}
}

// checkSignalNamed notes a signal that is not declared. An empty name is complained about elsewhere.
func (f *packFile) checkSignalNamed(at, name string) {
	f.checkNamed(at, "signal", name, f.signalNames())
}

func (f *packFile) checkNamed(at, what, name string, there []string) {
	if place, known := f.places[what+"s"]; known && place == "" {
		return // what is declared could not be read, or is complained about already
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

// signalNames are the names of the signals in the order of their bits.
func (f *packFile) signalNames() []string { return slices.Sorted(maps.Keys(f.Signals)) }

// propertyPaths are the paths of all properties that signals and features read, sorted.
func (f *packFile) propertyPaths() []string {
	paths := map[string]bool{}
	for _, s := range f.Signals {
		for i := range s.Where {
			paths[s.Where[i].Property] = true
		}
	}
	for _, d := range f.Features {
		if d.Property != "" {
			paths[d.Property] = true
		}
	}
	return slices.Sorted(maps.Keys(paths))
}

// readsProperties reports whether a feature reads a property of the signal's events.
func (f *packFile) readsProperties(signal string) bool {
	for _, d := range f.Features {
		if d.Of == signal && d.Property != "" {
			return true
		}
	}
	return false
}

// featureOrder is the order in which features are computed: by name, a ratio after what it divides.
func (f *packFile) featureOrder() (order []string, err error) {
	const under, done = 1, 2
	state := map[string]int{}
	var visit func(name string) error
	visit = func(name string) error {
		d, ok := f.Features[name]
		switch {
		case !ok || state[name] == done:
			return nil
		case state[name] == under:
			return fmt.Errorf("%s is a ratio of itself", name)
		}
		state[name] = under
		if d.Kind == FeatureRatio.String() {
			for _, part := range []string{d.Of, d.To} {
				if err := visit(part); err != nil {
					return err
				}
			}
		}
		state[name] = done
		order = append(order, name)
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(f.Features)) {
		if err := visit(name); err != nil {
			return nil, err
		}
	}
	return order, nil
}

// declared are the features as scoring computes them, in that order.
func (f *packFile) declared() []Feature {
	order, err := f.featureOrder()
	if err != nil {
		panic("BUG: checked features: " + err.Error())
	}
	signals, paths := f.signalNames(), f.propertyPaths()
	all := make([]Feature, 0, len(order))
	for _, name := range order {
		d := f.Features[name]
		kind, _ := featureKind(d.Kind)
		built := Feature{
			Name: name, Kind: kind, Of: slices.Index(signals, d.Of), To: slices.Index(signals, d.Until),
			Property: slices.Index(paths, d.Property), AbsentZero: d.Absent != nil,
		}
		if d.Within != "" {
			built.Within, built.Hourly, _ = parseWindow(d.Within)
		}
		if kind == FeatureTrend {
			built.Least = leastTrend
		}
		if kind == FeatureRatio {
			built.Of, built.To, built.Least = slices.Index(order, d.Of), slices.Index(order, d.To), leastRatio
		}
		if d.Least != nil {
			built.Least = *d.Least
		}
		all = append(all, built)
	}
	return all
}

// parseWindow reads a window: whole days, or hours up to two days.
func parseWindow(s string) (tiles int, hourly bool, err error) {
	unit, most := "d", maxWindow
	if strings.HasSuffix(s, "h") {
		unit, most, hourly = "h", maxHours, true
	}
	n, err := strconv.Atoi(strings.TrimSuffix(s, unit))
	if err != nil || n < 1 || n > most || !strings.HasSuffix(s, unit) {
		return 0, false, fmt.Errorf("%q, must be a window of 1d to %dd, or 1h to %dh", s, maxWindow, maxHours)
	}
	return n, hourly, nil
}

// featureKind is the kind of that name.
func featureKind(name string) (FeatureKind, bool) {
	i := slices.Index(FeatureKindNames(), name)
	return FeatureKind(max(i, 0)), i >= 0
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

// checkName notes a name that is no word of lower-case letters, digits and underscores.
func (f *packFile) checkName(at, name string) {
	bad := func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' }
	if name == "" || len(name) > 64 || strings.ContainsFunc(name, bad) {
		f.broken(at, "%q, must be a name of 1 to 64 lower-case letters, digits and underscores", name)
	}
}

// checkSpan notes what is no span of whole seconds within bounds, and returns it.
func (f *packFile) checkSpan(at, text string, least time.Duration) time.Duration {
	d, err := parseDays(text)
	if err != nil || d < least || d > mostSpan || d%time.Second != 0 {
		f.broken(at, "%q, must be a span from %s to %s, such as 30d", text, daysText(least), daysText(mostSpan))
		return 0
	}
	return d
}

// daysText is a span of whole days, or of hours below one.
func daysText(d time.Duration) string {
	if d < 24*time.Hour {
		return strconv.Itoa(int(d/time.Hour)) + "h"
	}
	return strconv.Itoa(int(d/(24*time.Hour))) + "d"
}
