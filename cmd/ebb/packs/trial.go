package packs

import (
	"math/rand/v2"
	"slices"
	"time"

	"ebb/scoring"
	"ebb/scoring/feature"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// Trial is how a pack treated made-up customers.
type Trial struct {
	Customers  int            `json:"customers"`
	Events     int            `json:"events"`
	Raised     map[string]int `json:"raised"` // by kind
	StateBytes int            `json:"state_bytes"`
	Silent     []string       `json:"factors_that_added_nothing"`
}

// Try sends customers with random events through a pack. It shows that the pack runs, not what it is worth.
func Try(k *pack.Pack) Trial {
	const customers, year = 200, 365 * 24 * time.Hour
	s := Trial{Customers: customers, Raised: map[string]int{}, Silent: []string{}}
	r := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // a seeded draw, nothing secret
	scorer, pop := scoring.NewScorer(k), profile.Population{}
	types, wanted := k.EventTypes(), k.Wanted()
	added := map[string]bool{}
	note := func(decisions []scoring.Decision) {
		for i := range decisions {
			if decisions[i].Transition == scoring.Raised {
				s.Raised[decisions[i].Kind.String()]++
			}
		}
	}
	for range customers {
		c := profile.Customer{Profile: &profile.Profile{}}
		gap := int64(time.Hour) / 1e6 * (1 + r.Int64N(30*24))
		const begin = 1_700_000_000_000
		for at := begin + r.Int64N(gap); at < begin+year.Milliseconds(); at += 1 + r.Int64N(2*gap) {
			for c.Armed != 0 && c.Armed <= at/60_000 {
				note(scorer.Wake(&c))
			}
			properties := drawProperties(r, wanted)
			note(scorer.Observe(&c, &pop, &scoring.Observation{
				Time: at, Signal: k.Signal([]byte(types[r.IntN(len(types))]), properties...),
				HasValue: true, Value: r.Int64N(20_000), Properties: properties,
			}))
			s.Events++
			for _, f := range scorer.FactorsAt(&c, at+gap) {
				added[f.Code] = added[f.Code] || f.LogOdds != 0
			}
		}
		s.StateBytes += len(c.Features)
	}
	for i := range k.Model.Factors {
		if code := k.Model.Factors[i].Code; !added[code] && !slices.Contains(s.Silent, code) {
			s.Silent = append(s.Silent, code)
		}
	}
	return s
}

// drawProperties draws properties. Every other draw satisfies a condition of the pack, if the pack has one for the
// property.
func drawProperties(r *rand.Rand, wanted [][]feature.Property) []feature.Property {
	all := make([]feature.Property, len(wanted))
	for i := range all {
		switch met := wanted[i]; {
		case len(met) > 0 && r.IntN(2) == 0:
			all[i] = met[r.IntN(len(met))]
		case r.IntN(8) == 0: // missing
		case r.IntN(4) == 0:
			all[i] = feature.Property{Kind: feature.PropertyText, Hash: r.Uint64N(8)}
		default:
			all[i] = feature.Property{Kind: feature.PropertyNumber, Number: 1000 * r.Int64N(11)}
		}
	}
	return all
}
