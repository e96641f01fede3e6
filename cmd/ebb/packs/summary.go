package packs

import (
	"fmt"

	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// Summary is what a pack declares, in numbers.
type Summary struct {
	Name     string   `json:"name"`
	Version  string   `json:"version"`
	Hash     string   `json:"hash"`
	Horizon  string   `json:"horizon"`
	Activity int      `json:"activity"` // event types; "*" counts as 1
	Signals  int      `json:"signals"`
	Features int      `json:"features"`
	Factors  int      `json:"factors"`
	Kinds    []string `json:"kinds"`
	State    int      `json:"state_bytes_at_most"` // of a customer's features
}

// Summarise counts what a pack declares.
func Summarise(k *pack.Pack) Summary {
	s := Summary{
		Name:     k.Name,
		Version:  k.Version,
		Hash:     k.Hash,
		Horizon:  fmt.Sprintf("%gd", k.Horizon.Hours()/24),
		Activity: len(k.Activity),
		Signals: len(
			k.SignalNames(),
		),
		Features: len(k.Features),
		Factors:  len(k.Model.Factors),
		Kinds:    []string{profile.Lapse.String()},
		State:    k.MaxFeatureState(),
	}
	for n := profile.Explicit; n < profile.NumKinds; n++ {
		if len(k.Kinds[n].Opens) > 0 {
			s.Kinds = append(s.Kinds, n.String())
		}
	}
	return s
}
