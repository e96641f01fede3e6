package main

import (
	"testing"

	"github.com/cespare/xxhash/v2"

	"ebb/pipeline/linetest/oracle"
	"ebb/scoring/profile"
)

// profiles are one customer, in ebb's store and after the fold.
func profiles() (profile.Profile, oracle.Profile) {
	g := profile.Profile{
		First:    10 * day,
		Last:     20 * day,
		Counted:  15 * day,
		At:       21 * day,
		Visits:   4,
		W:        2.7,
		Mu:       1.1,
		M2:       0.3,
		Level:    2.5,
		Friction: 0.4,
		M:        1.2,
		K:        1.9,
		Armed:    40_000,
		Lapse: profile.LapseEpisode{
			Episode: profile.Episode{Number: 2, Sequence: 1, LastTransition: 39_000 * 60_000},
			Tier:    profile.AtRisk,
		},
	}
	w := oracle.Profile{
		First: 10, Last: 20, Counted: 15, At: 21, Visits: 4, W: 2.7, Mu: 1.1, M2: 0.3, Level: 2.5, Friction: 0.4,
		M: 1.2, K: 1.9, Episodes: 2, Tier: "at_risk", Sequence: 1, Since: 39_000 * 60_000,
	}
	for i := range 20 { // more than the ring holds
		id := string(rune('a' + i))
		g.Remember(xxhash.Sum64String(id))
		w.IDs = append(w.IDs, id)
	}
	w.IDs = w.IDs[4:]
	return g, w
}

// A difference in any field is found.
func TestDiffers(t *testing.T) {
	for name, spoil := range map[string]func(*profile.Profile){
		"first":    func(p *profile.Profile) { p.First++ },
		"last":     func(p *profile.Profile) { p.Last++ },
		"counted":  func(p *profile.Profile) { p.Counted++ },
		"at":       func(p *profile.Profile) { p.At++ },
		"visits":   func(p *profile.Profile) { p.Visits++ },
		"weight":   func(p *profile.Profile) { p.W += 1e-6 },
		"mean":     func(p *profile.Profile) { p.Mu += 1e-6 },
		"spread":   func(p *profile.Profile) { p.M2 += 1e-6 },
		"level":    func(p *profile.Profile) { p.Level += 1e-6 },
		"friction": func(p *profile.Profile) { p.Friction += 1e-6 },
		"median":   func(p *profile.Profile) { p.M += 1e-6 },
		"shape":    func(p *profile.Profile) { p.K += 1e-6 },
		"episodes": func(p *profile.Profile) { p.Lapse.Number++ },
		"sequence": func(p *profile.Profile) { p.Lapse.Sequence++ },
		"tier":     func(p *profile.Profile) { p.Lapse.Tier = profile.Critical },
		"since":    func(p *profile.Profile) { p.Lapse.LastTransition += 2 * 60_000 },
		"ids":      func(p *profile.Profile) { p.Remember(7) },
	} {
		t.Run(name, func(t *testing.T) {
			g, w := profiles()
			if wrong := differs(&w, profile.Append(nil, &profile.Customer{Profile: &g}, profile.Format)); wrong != "" {
				t.Fatalf("the same: %s", wrong)
			}
			spoil(&g)
			if differs(&w, profile.Append(nil, &profile.Customer{Profile: &g}, profile.Format)) == "" {
				t.Error("not found")
			}
		})
	}
}
