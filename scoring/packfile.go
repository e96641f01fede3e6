package scoring

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// packFile is a pack as written.
type packFile struct {
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
	Value     *valueFile
	Playbooks []playbookFile
	Language  string

	compiled *Features // of Features, once checked
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

// readPack parses a pack, replaces what o replaces and checks the result. Its catalogue is one of those in files.
func readPack(b []byte, o Overrides, files fs.FS) *packFile {
	parse := parsePack
	if isCanonical(b) {
		parse = parseCanonical
	}
	f := parse(b)
	if len(f.problems) > 0 && len(f.places) == 0 {
		return f // there is nothing to check
	}
	f.override(o)
	f.check(files)
	return f
}

// parsePack reads a pack's YAML setting by setting, so that every problem is found, not the first alone. Overdue, tiers
// and friction may be left out.
func parsePack(b []byte) *packFile {
	f := &packFile{
		Overdue: 0.5, Tiers: Tiers{Watch: 40, AtRisk: 60, Critical: 80}, Cap: defaultCap,
		Language: defaultLanguage, places: map[string]string{},
	}
	if len(b) > maxPackSize {
		return f.broken("$", "%d bytes, at most %d are read", len(b), maxPackSize)
	}
	b = bytes.TrimPrefix(b, []byte("\ufeff")) // some editors begin a file with a mark of its byte order
	if len(bytes.TrimSpace(b)) == 0 {
		return f.broken("$", "the file is empty: `ebb packs show retail` prints a pack to begin with")
	}
	file, err := parser.ParseBytes(b, 0)
	if err != nil {
		return f.broken("$", "%s", yamlProblem(err))
	}
	if len(file.Docs) != 1 {
		return f.broken("$", "%d documents, must be one", len(file.Docs))
	}
	body, ok := file.Docs[0].Body.(*ast.MappingNode)
	if !ok {
		return f.broken("$", "must be a mapping")
	}
	var horizon string
	var stages stagesFile // the decoder leaves a pointer to nothing as it is
	var value valueFile
	settings := map[string]any{
		"name": &f.Name, "version": &f.Version, "horizon": &horizon, "overdue": &f.Overdue, "tiers": &f.Tiers,
		"activity": &f.Activity, "friction": &f.Friction, "signals": &f.Signals, "features": &f.Features, "factors": &f.Factors,
		"cap": &f.Cap, "kinds": &f.Kinds, "stages": &stages, "value": &value, "playbooks": &f.Playbooks,
		"language": &f.Language,
	}
	for _, v := range body.Values {
		f.read(v.Key.String(), v.Value, settings)
	}
	if _, given := f.places["stages"]; given {
		f.Stages = &stages
	}
	if _, given := f.places["value"]; given {
		f.Value = &value
	}
	if _, given := f.places["horizon"]; given {
		if f.Horizon, err = parseDays(horizon); err != nil {
			f.broken("horizon", "%v", err)
		}
	}
	return f
}

// read decodes the value of one key into its place in settings.
func (f *packFile) read(key string, value ast.Node, settings map[string]any) {
	place, known := settings[key]
	if !known {
		f.broken("$."+key, "unknown key, there are %s", strings.Join(slices.Sorted(maps.Keys(settings)), ", "))
		return
	}
	f.places[key] = "$." + key
	if !isPlain(value) {
		f.broken(key, "holds a tag, an anchor or an alias, a pack is plain YAML")
		return
	}
	if text, ok := place.(*string); ok {
		if scalar, ok := value.(ast.ScalarNode); ok && value.Type() != ast.LiteralType && value.Type() != ast.NullType {
			*text = scalar.GetToken().Value // as it is written: 1.10 is no number here
			return
		}
	}
	if err := yaml.NodeToValue(value, place, yaml.Strict()); err != nil {
		f.broken(key, "%s", yamlProblem(err))
	}
}

// yamlProblem is what the decoder says, in words that speak of the file and not of the program.
func yamlProblem(err error) string {
	at := func(e yaml.Error) string {
		p := e.GetToken().Position
		return fmt.Sprintf("[%d:%d]", p.Line, p.Column)
	}
	if e, ok := errors.AsType[*yaml.OverflowError](err); ok {
		return fmt.Sprintf("%s %s is beyond what a number may be", at(e), e.SrcNum)
	}
	if e, ok := errors.AsType[*yaml.TypeError](err); ok {
		wanted := e.DstType
		if wanted.Kind().String() == "ptr" {
			wanted = wanted.Elem()
		}
		return fmt.Sprintf("%s %q is no %s", at(e), e.Token.Value, kindInFile(wanted.Kind().String()))
	}
	return yaml.FormatError(err, false, false)
}

// kindInFile is what a file holds for a kind of type of the program.
func kindInFile(kind string) string {
	switch kind {
	case "int64", "float64":
		return "number"
	case "bool":
		return "true or false"
	case "string":
		return "text"
	case "slice":
		return "list"
	default:
		return "mapping"
	}
}

// isPlain reports whether node is scalars, lists and mappings throughout. The decoder panics on some that are not.
func isPlain(node ast.Node) bool {
	for _, t := range []ast.NodeType{ast.TagType, ast.AnchorType, ast.AliasType, ast.MergeKeyType} {
		if len(ast.Filter(t, node)) > 0 {
			return false
		}
	}
	return true
}

// broken notes a problem with a setting, or at another place. A setting is complained about once.
func (f *packFile) broken(where, format string, args ...any) *packFile {
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
func (f *packFile) override(o Overrides) {
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
func (f *packFile) check(files fs.FS) {
	for _, key := range packKeys {
		if _, ok := f.places[key]; !ok {
			f.places[key] = "$." + key
		}
	}
	f.checkLanguage(files)
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
	f.checkValue()
	f.checkPlaybooks()
}

// packKeys are the keys of a pack.
var packKeys = []string{ //nolint:gochecknoglobals // a table
	"name", "version", "horizon", "activity", "friction", "overdue", "tiers",
	"signals", "features", "factors", "cap", "kinds", "stages", "value", "playbooks", "language",
}

func (f *packFile) checkWord(key, word string) {
	if word == "" || len(word) > 64 || strings.ContainsFunc(word, func(r rune) bool { return r <= ' ' || r == utf8.RuneError || r == 0x7f }) {
		f.broken(key, "%q, must be 1 to 64 bytes without spaces", word)
	}
}

// checkLanguage finds the catalogue. Where there is none what else is wrong is said by the default one's.
func (f *packFile) checkLanguage(files fs.FS) {
	var err error
	if f.reasons, err = readCatalogue(files, f.Language); err == nil {
		return
	}
	f.broken("language", "%v", err)
	if f.reasons, err = readCatalogue(files, defaultLanguage); err != nil {
		f.reasons = &catalogue{}
	}
}

func (f *packFile) checkActivity() {
	if len(f.Activity) == 0 {
		f.broken("activity", "names no event type, [%q] stands for all", Everything)
	}
	seen := make(map[string]bool, len(f.Activity))
	for i, t := range f.Activity {
		place := fmt.Sprintf("%s[%d]", f.at("activity"), i)
		switch {
		case !fitsType(t):
			f.broken(place, "%q, must be an event type of 1 to %d bytes of UTF-8", t, maxTypeSize)
		case seen[t]:
			f.broken(place, "%q stands there twice", t)
		case t == Everything && len(f.Activity) > 1:
			f.broken(place, "%q stands for all event types, so it must stand alone", t)
		}
		seen[t] = true
	}
}

func (f *packFile) checkFriction() {
	for _, t := range slices.Sorted(maps.Keys(f.Friction)) {
		place := f.at("friction") + "." + t
		switch weight := f.Friction[t]; {
		case !fitsType(t) || t == Everything:
			f.broken(place, "%q, must be an event type of 1 to %d bytes of UTF-8", t, maxTypeSize)
		case !(weight >= 0 && weight <= maxTypeWeigh):
			f.broken(place, "%v, must be a weight from 0 to %v", weight, maxTypeWeigh)
		case slices.Contains(f.Activity, t):
			f.broken(place, "is activity too, must be one of the two")
		}
	}
}

// at is where a setting was read, also after it was complained about.
func (f *packFile) at(key string) string {
	if p := f.places[key]; p != "" {
		return p
	}
	return "$." + key
}

func fitsType(t string) bool { return t != "" && len(t) <= maxTypeSize && utf8.ValidString(t) }

// parseDays reads a duration in days, such as 90d, or as time.ParseDuration does.
func parseDays(s string) (time.Duration, error) {
	if n, ok := strings.CutSuffix(s, "d"); ok {
		if v, err := strconv.ParseUint(n, 10, 16); err == nil {
			return time.Duration(v) * 24 * time.Hour, nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q, must be a span such as 90d or 36h", s)
	}
	return d, nil
}
