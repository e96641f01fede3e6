package scoring

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"path"
	"slices"
	"strings"
	"time"
)

//go:embed packs/*.yaml
var shipped embed.FS

// Everything is the name in a pack's activity list that stands for every event type.
const Everything = "*"

// Pack is what a business calls activity and friction, and when it wants to hear of a customer. It is known by its hash.
// Make one with Load; it is not changed afterwards and may be shared between goroutines.
type Pack struct {
	Name, Version string
	Hash          string // SHA-256 of the canonical form, overrides included, in hex

	Horizon  time.Duration      // the silence whose likelihood is scored
	Overdue  float64            // quantile of a customer's own gaps beyond which it is overdue
	Tiers    Tiers              // where the tiers begin
	Activity []string           // event types that are activity, sorted; ["*"]: all but those of Friction
	Friction map[string]float64 // event types that are known and no activity, with their weight, 0 for none

	signals [][]namedSignal // by length of the event type
	other   Signal          // of types not in signals

	coefficients
	termTails [NumTerms][]byte
	packJSON  []byte // with its key
}

// Signal is what a pack makes of an event type.
type Signal struct {
	Known    bool // the pack names it, or takes everything
	Activity bool
	Friction float64 // weight; a known type may have none
}

// Overrides replace parts of a pack. The zero value replaces nothing.
type Overrides struct {
	Activity []string           // instead of the pack's, if not nil; ["*"]: every type
	Friction map[string]float64 // instead of the pack's, if not nil
	Horizon  time.Duration      // instead of the pack's, if not 0
}

// Load returns the shipped pack of that name, or the one in a file, read through read, where nameOrPath holds a slash or
// ends in .yaml or .yml. Whatever is wrong with it is reported at once, each problem with its place.
func Load(nameOrPath string, read func(path string) ([]byte, error), o Overrides) (*Pack, error) {
	b, err := source(nameOrPath, read)
	if err != nil {
		return nil, fmt.Errorf("load pack: %w", err)
	}
	f := readPack(b, o)
	if len(f.problems) > 0 {
		return nil, fmt.Errorf("load pack %s: %s", nameOrPath, strings.Join(f.problems, "; "))
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

func source(nameOrPath string, read func(string) ([]byte, error)) ([]byte, error) {
	ext := path.Ext(nameOrPath)
	if strings.Contains(nameOrPath, "/") || ext == ".yaml" || ext == ".yml" {
		return read(nameOrPath)
	}
	b, err := shipped.ReadFile("packs/" + nameOrPath + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("no pack %q is shipped, there are %s; a path of your own holds a slash or ends in .yaml",
			nameOrPath, strings.Join(Shipped(), ", "))
	}
	return b, nil
}

// Signal is what the pack makes of an event type. It does not allocate.
func (k *Pack) Signal(eventType []byte) Signal {
	if n := len(eventType); n < len(k.signals) {
		for i := range k.signals[n] { // a handful at most: sooner done than hashing the type
			if s := &k.signals[n][i]; s.eventType == string(eventType) {
				return s.Signal
			}
		}
	}
	return k.other
}

// namedSignal is the signal of one event type.
type namedSignal struct {
	eventType string
	Signal
}

// name makes s the signal of an event type that has none yet.
func (k *Pack) name(eventType string, s Signal) {
	for len(k.signals) <= len(eventType) {
		k.signals = append(k.signals, nil)
	}
	k.signals[len(eventType)] = append(k.signals[len(eventType)], namedSignal{eventType, s})
}

// build makes a pack of a file without problems.
func build(f *packFile) *Pack {
	k := &Pack{
		Name: f.Name, Version: f.Version, Horizon: f.Horizon, Overdue: f.Overdue, Tiers: f.Tiers,
		Activity: slices.Sorted(slices.Values(f.Activity)), Friction: maps.Clone(f.Friction),
	}
	for _, t := range k.Activity {
		k.name(t, Signal{Known: true, Activity: true})
		if t == Everything {
			k.other = Signal{Known: true, Activity: true}
		}
	}
	for t, weight := range k.Friction {
		k.name(t, Signal{Known: true, Friction: weight})
	}
	ms := k.Horizon.Milliseconds()
	horizon := days(ms)
	k.coefficients = coefficients{
		horizon: horizon, levelFade: float64(4 * horizon), spell: (ms + spells - 1) / spells,
		enterWatch:     logit(k.Tiers.Watch / 100),
		enterAtRisk:    logit(k.Tiers.AtRisk / 100),
		enterCritical:  logit(k.Tiers.Critical / 100),
		overdueLogOdds: logit(k.Overdue),
		lnHorizon:      log(horizon),
		maxSilence:     max(3650, math.Ceil(float64(20*horizon))),
	}
	sum := sha256.Sum256(k.canonical())
	k.Hash = hex.EncodeToString(sum[:])
	k.render()
	return k
}

// canonical is the pack in one spelling: what two packs that score alike share. The core's version is part of it.
func (k *Pack) canonical() []byte {
	b, err := json.Marshal(struct { // encoding/json sorts the keys of maps
		Core     int                `json:"core"`
		Name     string             `json:"name"`
		Version  string             `json:"version"`
		Horizon  int64              `json:"horizon_ms"`
		Overdue  float64            `json:"overdue"`
		Tiers    [3]float64         `json:"tiers"`
		Activity []string           `json:"activity"`
		Friction map[string]float64 `json:"friction"`
	}{
		coreVersion, k.Name, k.Version, k.Horizon.Milliseconds(), k.Overdue,
		[3]float64{k.Tiers.Watch, k.Tiers.AtRisk, k.Tiers.Critical},
		k.Activity, k.Friction,
	})
	if err != nil {
		panic("BUG: canonical pack: " + err.Error())
	}
	return b
}
