package pack

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"ebb/scoring/feature"
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
	Priced   bool   `json:"priced,omitempty"   yaml:"priced"`
}

const maxLeast = 1_000_000_000

// featureParts is which parts a kind of feature has: r required, o optional.
func featureParts(kind feature.Kind) map[string]byte {
	k, parts := kind.Traits(), map[string]byte{}
	has := func(part string, use byte, yes bool) {
		if yes {
			parts[part] = use
		}
	}
	has("of", 'r', k.Source != feature.OfNothing)
	has("to", 'r', k.Source == feature.OfFeatures)
	has("until", 'r', k.Until)
	has("within", 'r', k.Windowed)
	has("property", 'o', k.Property == feature.Optional)
	has("property", 'r', k.Property == feature.Required)
	has("least", 'o', k.Least > 0)
	has("absent", 'o', k.MayBeZero)
	has("priced", 'o', k.MayBePriced)
	return parts
}

// checkFeatures notes what is wrong with the features.
func (f *file) checkFeatures() {
	if len(f.Features) > feature.MaxDeclared {
		f.broken("features", "%d, at most %d", len(f.Features), feature.MaxDeclared)
	}
	for name, d := range sorted(f.Features) {
		at := f.at("features") + "." + name
		f.checkName(at, name)
		kind, ok := featureKind(d.Kind)
		if !ok {
			f.broken(at+".kind", "%q, must be one of %s", d.Kind, strings.Join(feature.KindNames(), ", "))
			continue
		}
		f.checkParts(at, &d, featureParts(kind))
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
		if kind.Traits().Source == feature.OfFeatures {
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
		return // a wrong declaration cannot be compiled
	}
	var err error
	if f.compiled, err = feature.Compile(f.declared()); err != nil {
		f.broken("features", "%v", err)
	}
}

// checkParts notes parts that are missing or that the kind does not have.
func (f *file) checkParts(at string, d *featureFile, parts map[string]byte) {
	for part, given := range map[string]bool{
		"of": d.Of != "", "to": d.To != "", "until": d.Until != "", "property": d.Property != "",
		"within": d.Within != "", "least": d.Least != nil, "absent": d.Absent != nil,
		"priced": d.Priced,
	} {
		switch use, has := parts[part]; {
		case given && !has:
			f.broken(at+"."+part, "a %s has no %s", d.Kind, part)
		case !given && use == 'r':
			f.broken(at+"."+part, "is missing, a %s needs it", d.Kind)
		}
	}
}

// featureOrder is the order in which features are computed: by name, and a ratio after its sources.
func (f *file) featureOrder() (order []string, err error) {
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
		if f.divides(name) {
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
func (f *file) declared() []feature.Feature {
	order, err := f.featureOrder()
	if err != nil {
		panic("BUG: checked features: " + err.Error())
	}
	signals, paths := f.signalNames(), f.propertyPaths()
	all := make([]feature.Feature, 0, len(order))
	for _, name := range order {
		d := f.Features[name]
		kind, _ := featureKind(d.Kind)
		built := feature.Feature{
			Name: name, Kind: kind, Of: slices.Index(signals, d.Of), To: slices.Index(signals, d.Until),
			Property: slices.Index(paths, d.Property), AbsentZero: d.Absent != nil, Least: kind.Traits().Least,
			Priced: d.Priced,
		}
		if d.Within != "" {
			built.Within, built.Hourly, _ = parseWindow(d.Within)
		}
		if kind.Traits().Source == feature.OfFeatures {
			built.Of, built.To = slices.Index(order, d.Of), slices.Index(order, d.To)
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
	unit, most := "d", feature.MaxWindow
	if strings.HasSuffix(s, "h") {
		unit, most, hourly = "h", feature.MaxHours, true
	}
	n, err := strconv.Atoi(strings.TrimSuffix(s, unit))
	if err != nil || n < 1 || n > most || !strings.HasSuffix(s, unit) {
		return 0, false, fmt.Errorf("%q, must be a window of 1d to %dd, or 1h to %dh", s, feature.MaxWindow, feature.MaxHours)
	}
	return n, hourly, nil
}

// divides reports whether a feature is of two others.
func (f *file) divides(name string) bool {
	kind, ok := featureKind(f.Features[name].Kind)
	return ok && kind.Traits().Source == feature.OfFeatures
}

// featureKind is the kind of that name.
func featureKind(name string) (feature.Kind, bool) {
	i := slices.Index(feature.KindNames(), name)
	return feature.Kind(max(i, 0)), i >= 0
}

func (f *file) featureNames() (names []string) {
	for name := range f.Features {
		names = append(names, name)
	}
	return names
}

// CellNames are names for the content of the cells of the features' state: equal cells of two packs have the same name.
func (k *Pack) CellNames() []string {
	keys := k.Model.Features.Keys()
	names := make([]string, len(keys))
	for i := range keys {
		names[i] = k.cellName(&keys[i])
	}
	return names
}

func (k *Pack) cellName(c *feature.CellKey) string {
	signal := func(i int) (s signalFile) {
		if i >= 0 {
			s = k.declared.Signals[k.signalNames[i]]
			s.Types = slices.Sorted(slices.Values(s.Types))
		}
		return s
	}
	said := struct {
		Kind     feature.CellKind `json:"kind"`
		Unit     feature.TileUnit `json:"unit"`
		Of       signalFile       `json:"of"`
		To       signalFile       `json:"to"`
		Property string           `json:"property"`
		Priced   bool             `json:"priced"`
	}{Kind: c.Kind, Unit: c.Unit, Of: signal(c.Of), To: signal(c.To), Priced: c.Priced}
	if c.Property >= 0 {
		said.Property = k.properties[c.Property]
	}
	b, err := json.Marshal(said)
	if err != nil {
		panic("BUG: a checked signal: " + err.Error())
	}
	return string(b)
}

// usedFeatures are those that something reads.
func (k *Pack) usedFeatures() []bool {
	used := make([]bool, len(k.Features))
	for i := range k.Model.Factors {
		used[k.Model.Factors[i].Feature] = true
	}
	for n := range k.Kinds {
		for _, o := range k.Kinds[n].Opens {
			if o.Feature >= 0 {
				used[o.Feature] = true
			}
		}
	}
	for _, i := range [...]int{k.Value.Feature, k.Value.Orders} {
		if i >= 0 {
			used[i] = true
		}
	}
	k.playbookFeatures(used)
	for i := len(k.Features) - 1; i >= 0; i-- { // a ratio comes after its sources
		if f := &k.Features[i]; f.Kind.Traits().Source == feature.OfFeatures && used[i] {
			used[f.Of], used[f.To] = true, true
		}
	}
	return used
}

// reach is the range of a feature's possible values.
func (k *Pack) reach(index int) (least, most int64) {
	f := &k.Features[index]
	if f.Kind.Traits().Source == feature.OfFeatures {
		if least, _ := k.reach(f.Of); least >= 0 {
			return 0, feature.Endless
		}
		return -feature.Endless, feature.Endless
	}
	return f.Reach()
}

func (f *file) normaliseFeatures() {
	for name, d := range f.Features {
		if n, hourly, err := parseWindow(d.Within); err == nil {
			d.Within = strconv.Itoa(n) + map[bool]string{false: "d", true: "h"}[hourly]
		}
		f.Features[name] = d
	}
}
