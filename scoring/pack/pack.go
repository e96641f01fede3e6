package pack

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"ebb/scoring/feature"
	"ebb/scoring/model"
	"ebb/scoring/profile"
)

//go:embed packs/*.yaml
var shipped embed.FS

// Pack is what a business counts as activity and friction, and when it needs an alert about a customer. It is
// identified by its hash. Load makes one; it does not change afterwards and may be shared between goroutines.
type Pack struct {
	Name, Version string
	Hash          string // SHA-256 of the canonical form, overrides included, in hex

	Horizon  time.Duration      // the silence whose likelihood is scored
	Overdue  float64            // quantile of a customer's own gaps beyond which it is overdue
	Tiers    Tiers              // where the tiers begin
	Activity []string           // event types that are activity, sorted; ["*"]: all but those of Friction
	Friction map[string]float64 // event types that are trouble, with their weight; 0: just known. One may be activity too

	Features  []feature.Feature // in the order in which they are computed
	Model     model.Model       // scores: horizon, stages, factors and features
	Kinds     [profile.NumKinds]KindRule
	Eligible  Eligible
	Value     Value
	Converts  uint64 // bit of the signal that is the value action; 0: there is none
	Churned   bool   // a lapse whose customer does nothing for a horizon after its raise ends as churned
	Carry     []Fact // that alerts show, by name
	Playbooks []Playbook
	troubles  map[uint16]string // event types with friction, by their marks

	signals     [][]namedSignal // by length of the event type
	other       Signal          // of types not in signals
	reading     [][]string      // event types whose properties are read, by length
	carrying    [][]string      // of these, those of facts
	properties  []string
	signalNames []string
	Triggers    uint64 // signals that open or close episodes
	Money       uint64 // signals of whose events some feature takes the money

	Catalogue *catalogue

	declared  *file
	canonical []byte
}

// Short is the part of a pack's hash by which alerts name it: 12 hex digits, enough to tell packs apart.
func Short(hash string) string { return hash[:min(len(hash), 12)] }

// Overrides replace parts of a pack. The zero value replaces nothing.
type Overrides struct {
	Activity []string           // instead of the pack's, if not nil; ["*"]: every type
	Friction map[string]float64 // instead of the pack's, if not nil
	Horizon  time.Duration      // instead of the pack's, if not 0
}

// LoadError is why a pack cannot be used: there is none of the name, its file cannot be read, or what it declares is wrong.
type LoadError struct{ error }

// Unwrap is the error itself.
func (e LoadError) Unwrap() error { return e.error }

// Load returns the shipped pack of that name, or the one in a file, read through read, where nameOrPath contains a
// slash or ends in .yaml or .yml. It reports all problems at once, each with its place. Errors: LoadError.
func Load(nameOrPath string, read func(path string) ([]byte, error), o Overrides) (*Pack, error) {
	b, err := source(nameOrPath, read)
	if err != nil {
		return nil, LoadError{fmt.Errorf("load pack: %w", err)}
	}
	f := readPack(b, o)
	if len(f.problems) > 0 {
		return nil, LoadError{fmt.Errorf("load pack %s: %s", nameOrPath, strings.Join(f.problems, "; "))}
	}
	return build(f), nil
}

// Shipped lists the names of the packs that come with ebb.
func Shipped() []string {
	entries, err := shipped.ReadDir("packs")
	if err != nil {
		panic("BUG: embedded packs: " + err.Error())
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return names
}

// Source is the text of the shipped pack of that name, or of the one in a file, as Load reads it. Errors: LoadError.
func Source(nameOrPath string, read func(path string) ([]byte, error)) ([]byte, error) {
	b, err := source(nameOrPath, read)
	if err != nil {
		return nil, LoadError{fmt.Errorf("load pack: %w", err)}
	}
	return b, nil
}

// MaxFeatureState is how many bytes the features of one customer take at most.
func (k *Pack) MaxFeatureState() int { return k.Model.Features.MaxState() }

// IsFile distinguishes the path of a file from the name of a shipped pack.
func IsFile(nameOrPath string) bool {
	ext := path.Ext(nameOrPath)
	return strings.Contains(nameOrPath, "/") || ext == ".yaml" || ext == ".yml"
}

func source(nameOrPath string, read func(string) ([]byte, error)) ([]byte, error) {
	if IsFile(nameOrPath) {
		return read(nameOrPath)
	}
	b, err := shipped.ReadFile("packs/" + nameOrPath + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("no pack %q is shipped, there are %s; a path of your own holds a slash or ends in .yaml",
			nameOrPath, strings.Join(Shipped(), ", "))
	}
	return b, nil
}

// build makes a pack of a file without problems.
func build(f *file) *Pack {
	f.normalise()
	k := &Pack{
		Name: f.Name, Version: f.Version, Horizon: f.Horizon, Overdue: f.Overdue, Tiers: f.Tiers,
		Activity: slices.Sorted(slices.Values(f.Activity)), Friction: maps.Clone(f.Friction), Churned: f.Churned,
	}
	k.Model = model.New(f.Horizon, f.Overdue)
	k.buildSignals(f)
	k.Features, k.Model.Features = f.declared(), f.compiled
	k.buildMoney()
	k.buildTroubles()
	k.buildFactors(f)
	k.buildKinds(f)
	k.buildStages(f)
	k.buildEligible(f)
	k.buildValue(f)
	k.buildRaise(f)
	k.buildConverts(f)
	k.buildCarry(f)
	k.buildPlaybooks(f)
	k.Catalogue = f.reasons
	k.declared, k.canonical = f, canonicalOf(k, f)
	sum := sha256.Sum256(k.canonical)
	k.Hash = hex.EncodeToString(sum[:])
	return k
}
