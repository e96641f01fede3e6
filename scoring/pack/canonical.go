package pack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"ebb/scoring/model"
)

// canonicalPack is a pack in its one canonical spelling, which all packs that score alike share. The core's version is
// part of it. Parts that a pack does not declare are left out, so that a pack keeps its hash when the language grows.
type canonicalPack struct { // encoding/json sorts the keys of maps
	Core      int                    `json:"core"`
	Name      string                 `json:"name"`
	Version   string                 `json:"version"`
	Horizon   int64                  `json:"horizon_ms"`
	Overdue   float64                `json:"overdue"`
	Tiers     [3]float64             `json:"tiers"`
	Activity  []string               `json:"activity"`
	Friction  map[string]float64     `json:"friction"`
	Signals   map[string]signalFile  `json:"signals,omitempty"`
	Features  map[string]featureFile `json:"features,omitempty"`
	Factors   []factorFile           `json:"factors,omitempty"`
	Cap       float64                `json:"cap,omitempty"` // 0 also where there are no factors
	Kinds     map[string]kindFile    `json:"kinds,omitempty"`
	Stages    *stagesFile            `json:"stages,omitempty"`
	Eligible  *eligibleFile          `json:"eligible,omitempty"`
	Value     *valueFile             `json:"value,omitempty"`
	Raise     *raiseFile             `json:"raise,omitempty"`
	Converts  string                 `json:"converts,omitempty"`
	Churned   bool                   `json:"churned,omitempty"`
	Carry     map[string]carryFile   `json:"carry,omitempty"`
	Playbooks []playbookFile         `json:"playbooks,omitempty"`
}

// Canonical is the canonical form, whose hash is the pack's. It is JSON, and a pack that LoadCanonical reads back. It
// must not be changed.
func (k *Pack) Canonical() []byte { return k.canonical }

// ErrOtherCore means that a pack was scored with by another version of the core. This build decides by its own alone.
var ErrOtherCore = errors.New("another version of the score's core")

// LoadCanonical is the pack of a canonical form, with the same hash. It refuses any form that this build's Canonical
// cannot return, since it cannot score like another build's core. Errors: ErrOtherCore.
func LoadCanonical(b []byte) (*Pack, error) {
	if !isCanonical(b) {
		return nil, errors.New("load canonical pack: not the canonical form of a pack")
	}
	var its struct {
		Core int `json:"core"`
	}
	if err := json.Unmarshal(b, &its); err == nil && its.Core != model.Version {
		return nil, fmt.Errorf(
			"load canonical pack: %w: it was scored by version %d, this build has version %d",
			ErrOtherCore,
			its.Core,
			model.Version,
		)
	}
	k, err := Load("canonical.yaml", func(string) ([]byte, error) { return b, nil }, Overrides{})
	switch {
	case err != nil:
		return nil, err
	case !bytes.Equal(k.canonical, b):
		return nil, fmt.Errorf("load canonical pack %s %s: this build spells it otherwise", k.Name, k.Version)
	}
	return k, nil
}

func canonicalOf(k *Pack, f *file) []byte {
	c := canonicalPack{
		Core:      model.Version,
		Name:      k.Name,
		Version:   k.Version,
		Horizon:   k.Horizon.Milliseconds(),
		Overdue:   k.Overdue,
		Tiers:     [3]float64{k.Tiers.Watch, k.Tiers.AtRisk, k.Tiers.Critical},
		Activity:  k.Activity,
		Friction:  k.Friction,
		Signals:   f.Signals,
		Features:  f.Features,
		Factors:   f.Factors,
		Kinds:     f.Kinds,
		Stages:    f.Stages,
		Eligible:  f.Eligible,
		Value:     f.Value,
		Raise:     f.Raise,
		Converts:  f.Converts,
		Churned:   f.Churned,
		Carry:     f.Carry,
		Playbooks: f.Playbooks,
	}
	if len(f.Factors) > 0 {
		c.Cap = f.Cap
	}
	b, err := json.Marshal(c)
	if err != nil {
		panic("BUG: canonical pack: " + err.Error())
	}
	return b
}

// isCanonical distinguishes a canonical form from a pack as people write it: no such pack has the key.
func isCanonical(b []byte) bool { return bytes.HasPrefix(b, []byte(`{"core":`)) }

// parseCanonical is parsePack for a canonical form.
func parseCanonical(b []byte) *file {
	f := &file{Language: onlyLanguage, Cap: defaultCap, places: map[string]string{}}
	if len(b) > maxPackSize {
		return f.broken("$", "%d bytes, at most %d are read", len(b), maxPackSize)
	}
	var c canonicalPack
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return f.broken("$", "%v", err)
	}
	if d.InputOffset() != int64(len(bytes.TrimSpace(b))) {
		return f.broken("$", "something stands behind the pack")
	}
	if c.Core != model.Version {
		return f.broken("$.core", "version %d of the core, this build has %d", c.Core, model.Version)
	}
	f.Name, f.Version, f.Overdue = c.Name, c.Version, c.Overdue
	if c.Horizon > 0 && c.Horizon <= maxHorizon.Milliseconds() {
		f.Horizon = time.Duration(c.Horizon) * time.Millisecond
	}
	f.Tiers = Tiers{Watch: c.Tiers[0], AtRisk: c.Tiers[1], Critical: c.Tiers[2]}
	f.Activity, f.Friction, f.Signals, f.Features, f.Factors = c.Activity, c.Friction, c.Signals, c.Features, c.Factors
	if len(c.Factors) > 0 {
		f.Cap = c.Cap
	}
	f.Kinds, f.Stages, f.Eligible, f.Value, f.Raise = c.Kinds, c.Stages, c.Eligible, c.Value, c.Raise
	f.Converts, f.Churned, f.Carry, f.Playbooks = c.Converts, c.Churned, c.Carry, c.Playbooks
	return f
}
