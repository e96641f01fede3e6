package pack

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"ebb/scoring/feature"
	"ebb/scoring/spelling"
	"ebb/scoring/strictyaml"
)

// file is a pack as written.
type file struct {
	Name     string
	Version  string
	Horizon  time.Duration
	Overdue  float64
	Tiers    Tiers
	Activity []string
	Friction map[string]float64

	Signals   map[string]signalFile
	Features  map[string]featureFile
	Factors   []factorFile
	Cap       float64
	Kinds     map[string]kindFile
	Stages    *stagesFile
	Eligible  *eligibleFile
	Value     *valueFile
	Raise     *raiseFile
	Converts  string
	Churned   bool
	Carry     map[string]carryFile
	Playbooks []playbookFile
	Language  string

	compiled *feature.Set // of Features, once checked
	reasons  *catalogue
	places   map[string]string // of a setting: where it was read or replaced
	problems []string
}

// Bounds of a pack's settings.
const (
	minHorizon   = 24 * time.Hour
	maxHorizon   = 730 * 24 * time.Hour
	minOverdue   = 0.01
	maxOverdue   = 0.99
	maxTypes     = 10_000
	maxTypeSize  = 256
	maxPackSize  = 1 << 20
	maxTypeWeigh = 100.0 // weight of one friction event
)

// readPack parses a pack, replaces what o replaces and checks the result.
func readPack(b []byte, o Overrides) *file {
	parse := parsePack
	if isCanonical(b) {
		parse = parseCanonical
	}
	f := parse(b)
	if len(f.problems) > 0 && len(f.places) == 0 {
		return f // there is nothing to check
	}
	f.override(o)
	f.check()
	return f
}

// parsePack reads a pack's YAML setting by setting, so that it finds every problem, and not only the first. Overdue,
// tiers and friction may be left out.
func parsePack(b []byte) *file {
	f := &file{
		Overdue: 0.5, Tiers: Tiers{Watch: 40, AtRisk: 60, Critical: 80}, Cap: defaultCap,
		Language: onlyLanguage, places: map[string]string{},
	}
	var horizon string
	var stages stagesFile // the decoder leaves a pointer nil where there is nothing
	var value valueFile
	var raise raiseFile
	var eligible eligibleFile
	settings := map[string]any{
		"name":      &f.Name,
		"version":   &f.Version,
		"horizon":   &horizon,
		"overdue":   &f.Overdue,
		"tiers":     &f.Tiers,
		"activity":  &f.Activity,
		"friction":  &f.Friction,
		"signals":   &f.Signals,
		"features":  &f.Features,
		"factors":   &f.Factors,
		"cap":       &f.Cap,
		"kinds":     &f.Kinds,
		"stages":    &stages,
		"eligible":  &eligible,
		"value":     &value,
		"raise":     &raise,
		"converts":  &f.Converts,
		"churned":   &f.Churned,
		"carry":     &f.Carry,
		"playbooks": &f.Playbooks,
		"language":  &f.Language,
	}
	for _, e := range f.entries(b) {
		f.read(e, settings)
	}
	if _, given := f.places["stages"]; given {
		f.Stages = &stages
	}
	if _, given := f.places["eligible"]; given {
		f.Eligible = &eligible
	}
	if _, given := f.places["value"]; given {
		f.Value = &value
	}
	if _, given := f.places["raise"]; given {
		f.Raise = &raise
	}
	if _, given := f.places["horizon"]; given {
		var err error
		if f.Horizon, err = parseDays(horizon); err != nil {
			f.broken("horizon", "%v", err)
		}
	}
	return f
}

// entries are the settings of a pack as written; none where b is something else, which is noted.
func (f *file) entries(b []byte) []strictyaml.Entry {
	if len(b) > maxPackSize {
		f.broken("$", "%d bytes, at most %d are read", len(b), maxPackSize)
		return nil
	}
	docs, err := strictyaml.Parse(b)
	switch {
	case err != nil:
		f.broken("$", "%v", err)
	case len(docs) == 0:
		f.broken("$", "the file is empty: `ebb packs show retail` prints a pack to begin with")
	case len(docs) > 1:
		f.broken("$", "%d documents, must be one", len(docs))
	default:
		entries, ok := docs[0].Entries()
		if !ok {
			f.broken("$", "must be a mapping")
		}
		return entries
	}
	return nil
}

// read decodes the value of one key into its place in settings.
func (f *file) read(e strictyaml.Entry, settings map[string]any) {
	place, known := settings[e.Key]
	switch {
	case !known:
		f.unknown(e.Key, slices.Sorted(maps.Keys(settings)))
		return
	case e.First > 0:
		f.broken("$", "[%d:%d] %s is set a second time, the first is on line %d", e.Line, e.Column, e.Key, e.First)
		f.places[e.Key] = "" // which of the two is meant is unclear, so neither is checked
		return
	}
	f.places[e.Key] = "$." + e.Key
	if !e.Value.IsPlain() {
		f.broken(e.Key, "holds a tag, an anchor or an alias, a pack is plain YAML")
		return
	}
	if text, ok := place.(*string); ok {
		if as, ok := e.Value.Scalar(); ok {
			*text = as // as it is written: 1.10 is no number here
			return
		}
	}
	if err := e.Value.Decode(place); err != nil {
		f.broken(e.Key, "%v", err)
	} else if e.Key == "playbooks" {
		f.checkOnce(e.Value)
	}
	if e.Key == "friction" {
		f.checkWeights(e.Value)
	}
}

func (f *file) unknown(key string, known []string) {
	hint := ""
	if near := spelling.Nearest(key, known); near != "" {
		hint = " (did you mean " + near + "?)"
	}
	f.broken("$."+key, "unknown key, there are %s%s", strings.Join(known, ", "), hint)
}

// broken notes a problem with a setting, or at another place. It reports each setting once.
func (f *file) broken(where, format string, args ...any) *file {
	place, setting := f.places[where]
	switch {
	case setting && place == "":
		return f
	case setting:
		f.places[where] = ""
	default:
		place = where
	}
	f.problems = append(f.problems, place+": "+fmt.Sprintf(format, args...))
	return f
}

// override replaces settings. A type that an override makes activity is no longer friction by the pack, and the
// reverse.
func (f *file) override(o Overrides) {
	if o.Horizon != 0 {
		f.Horizon, f.places["horizon"] = o.Horizon, "override of horizon"
	}
	if o.Activity != nil {
		f.Activity, f.places["activity"] = slices.Clone(o.Activity), "override of activity"
		if o.Friction == nil {
			maps.DeleteFunc(f.Friction, func(t string, _ float64) bool { return slices.Contains(o.Activity, t) })
		}
	}
	if o.Friction != nil {
		f.Friction, f.places["friction"] = maps.Clone(o.Friction), "override of friction"
		if o.Activity == nil {
			f.Activity = slices.DeleteFunc(f.Activity, func(t string) bool { _, ok := o.Friction[t]; return ok })
		}
	}
}

// check notes what is wrong with the values.
func (f *file) check() {
	for _, key := range packKeys {
		if _, ok := f.places[key]; !ok {
			f.places[key] = "$." + key
		}
	}
	f.reasons = readCatalogue()
	if f.Language != onlyLanguage {
		f.broken("language", "%q, must be %s: ebb has its sentences in English alone", f.Language, onlyLanguage)
	}
	f.checkWord("name", f.Name)
	f.checkWord("version", f.Version)
	if f.Horizon < minHorizon || f.Horizon > maxHorizon || f.Horizon%time.Millisecond != 0 {
		f.broken("horizon", "must be a span from 1d to 730d, such as 90d")
	}
	if !(f.Overdue >= minOverdue && f.Overdue <= maxOverdue) {
		f.broken("overdue", "%v, must be a quantile from %v to %v", f.Overdue, minOverdue, maxOverdue)
	}
	if t := f.Tiers; !t.rise() {
		f.broken("tiers", "watch %v, at_risk %v, critical %v: must rise, between 0 and 100", t.Watch, t.AtRisk, t.Critical)
	}
	if len(f.Activity)+len(f.Friction) > maxTypes {
		f.broken("activity", "more than %d event types", maxTypes)
	}
	f.checkActivity()
	f.checkFriction()
	f.checkSignals()
	f.checkFeatures()
	f.checkFactors()
	f.checkKinds()
	f.checkStages()
	f.checkEligible()
	f.checkValue()
	f.checkRaise()
	f.checkConverts()
	f.checkCarry()
	f.checkPlaybooks()
}

// packKeys are the keys of a pack.
var packKeys = []string{ //nolint:gochecknoglobals // a table
	"name",
	"version",
	"horizon",
	"activity",
	"friction",
	"overdue",
	"tiers",
	"signals",
	"features",
	"factors",
	"cap",
	"kinds",
	"stages",
	"eligible",
	"value",
	"raise",
	"converts",
	"churned",
	"carry",
	"playbooks",
	"language",
}

// onlyLanguage is the language of the sentences. A pack may name it, because existing packs do. It is not part of the
// canonical form, so they have the same hash without it.
const onlyLanguage = "en"

// at is where a setting was read, also after it was reported.
func (f *file) at(key string) string {
	if p := f.places[key]; p != "" {
		return p
	}
	return "$." + key
}

// normalise writes spans, windows and numbers in one spelling each, and lists whose order is irrelevant in one order,
// so that the same pack has the same hash however it is written. The order of factors, openings, playbooks and points
// of curves stays. f has been checked.
func (f *file) normalise() {
	f.normaliseSignals()
	f.normaliseFeatures()
	f.normaliseFactors()
	f.normaliseKinds()
	f.normaliseStages()
	f.normaliseRaise()
	f.normaliseEligible()
	f.normalisePlaybooks()
}
