package shadow

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"

	"ebb/cmd/ebb/backtest"
	"ebb/cmd/ebb/inspect"
	"ebb/pipeline"
	"ebb/pipeline/redisstore"
	"ebb/scoring"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// states compares the states of the customers that the main group and a shadow hold, partition by partition.
type states struct {
	redis *redisstore.Client
	sides [2]side // the main group, the shadow
	most  int     // limit of top

	done func(int64) // gets how many customers of the partition were compared

	migration backtest.Migration
	both      int64
	only      [2]int64
	first     int64 // activity of any customer, ms; MaxInt64: none
	top       []ScoreChange
}

// Sides of a comparison.
const (
	MainSide = iota
	ShadowSide
)

// side is one of the two groups, in the partition that is being read.
type side struct {
	group      string
	configured *pack.Pack // nil: it cannot be read
	held       redisstore.Inspection
	partition  int
	scorers    map[uint8]*scoring.Scorer // by pack epoch
	customer   profile.Customer
}

// ScoreChange is a customer with another score by the shadow.
type ScoreChange struct {
	Tenant     string       `json:"tenant"`
	Customer   string       `json:"customer"`
	Difference float64      `json:"difference"` // of the risk score, the shadow's less the main one's
	Main       Score        `json:"main"`
	Shadow     Score        `json:"shadow"`
	Why        []TermChange `json:"why"` // the weightiest first

	key string
}

// Score is a customer's score by one pack.
type Score struct {
	Risk  float64 `json:"risk_score"`
	Tier  string  `json:"tier"`
	Floor float64 `json:"floor,omitempty"` // of open episodes; the score is not below it
}

// TermChange is what a term or a factor adds by each of the packs, in log-odds.
type TermChange struct {
	Code   string  `json:"code"`
	Main   float64 `json:"main"`
	Shadow float64 `json:"shadow"`
}

const (
	mostWhy  = 3    // terms and factors named as the reason of a change
	leastWhy = 0.01 // log-odds
)

// partition compares the customers of a partition as of the main one's watermark. held is the state of both in it.
func (s *states) partition(ctx context.Context, n int, held [2]redisstore.Inspection) error {
	for i := range s.sides {
		side := &s.sides[i]
		side.held, side.partition, side.scorers = held[i], n, map[uint8]*scoring.Scorer{}
	}
	total, err := s.redis.Customers(ctx, s.sides[ShadowSide].group, n)
	if err != nil {
		return err
	}
	seen, asked := map[uint64]struct{}{}, int64(0) // Redis may return a customer twice
	both := int64(0)
	err = s.redis.EachProfile(ctx, s.sides[MainSide].group, n, func(keys, profiles []string) error {
		theirs, err := s.redis.ProfilesOf(ctx, s.sides[ShadowSide].group, n, keys)
		if err != nil {
			return err
		}
		asked += int64(len(keys))
		s.done(asked)
		for i, key := range keys {
			hash := xxhash.Sum64String(key)
			if _, again := seen[hash]; again {
				continue
			}
			seen[hash] = struct{}{}
			if theirs[i] == "" {
				s.only[MainSide]++
				continue
			}
			both++
			if err := s.compare(key, profiles[i], theirs[i]); err != nil {
				return err
			}
		}
		return context.Cause(ctx)
	})
	s.both += both
	s.only[ShadowSide] += max(0, total-both)
	return err
}

// compare scores a customer by both packs at the same instant.
func (s *states) compare(key, main, shadow string) error {
	at := s.sides[MainSide].held.Meta.Clock.Watermark
	var scorers [2]*scoring.Scorer
	for i, profile := range []string{main, shadow} {
		var err error
		if scorers[i], err = s.sides[i].read(profile); err != nil {
			return fmt.Errorf("state of a customer in partition %d of group %s: %w", s.sides[i].partition, s.sides[i].group, err)
		}
		c := &s.sides[i].customer
		s.sides[i].held.Meta.Sources.Thaw(c.Profile, at/60_000)
		if at = max(at, c.At); c.Visits > 0 {
			s.first = min(s.first, c.First)
		}
	}
	var tiers [2]profile.Tier
	var stages [2]profile.Stage
	var scores [2]model.Score
	change := ScoreChange{key: key}
	for i, said := range []*Score{&change.Main, &change.Shadow} {
		now := scorers[i].Now(&s.sides[i].customer, at)
		tiers[i], stages[i], scores[i] = now.Tier, now.Score.Stage, now.Score
		said.Floor = now.Floor(scorers[i].Pack)
		said.Risk, said.Tier = float64(scores[i].Floored(said.Floor))/1000, tiers[i].String()
	}
	s.migration.Tiers[tiers[MainSide]][tiers[ShadowSide]]++
	s.migration.Stages[stages[MainSide]][stages[ShadowSide]]++
	if tiers[MainSide] == profile.TierNone || tiers[ShadowSide] == profile.TierNone {
		return nil // there is no score to compare
	}
	change.Difference = math.Round((change.Shadow.Risk-change.Main.Risk)*1000) / 1000
	s.keep(&change, func() []TermChange {
		return why([2]*profile.Customer{&s.sides[0].customer, &s.sides[1].customer}, scorers, &scores, at)
	})
	return nil
}

// read decodes a customer's profile and returns the scorer of the pack under which it was last folded.
func (s *side) read(state string) (*scoring.Scorer, error) {
	if s.customer.Profile == nil {
		s.customer.Profile = &profile.Profile{}
	}
	if err := profile.Read([]byte(state), &s.customer); err != nil {
		return nil, err
	}
	scorer := s.scorers[s.customer.PackEpoch]
	if scorer == nil {
		k, err := inspect.PackAt(&s.held, s.partition, s.customer.PackEpoch, s.configured)
		if err != nil {
			return nil, err
		}
		scorer = scoring.NewScorer(k)
		s.scorers[s.customer.PackEpoch] = scorer
	}
	return scorer, scorer.Fits(&s.customer)
}

// keep adds a change to the largest, if it is one of them. Only then it computes the reasons.
func (s *states) keep(c *ScoreChange, why func() []TermChange) {
	at, _ := slices.BinarySearchFunc(s.top, c, func(a ScoreChange, c *ScoreChange) int {
		return cmp.Or(cmp.Compare(math.Abs(c.Difference), math.Abs(a.Difference)), strings.Compare(a.key, c.key))
	})
	if at >= s.most || c.Difference == 0 {
		return
	}
	tenant, customer := pipeline.SplitKey([]byte(c.key))
	c.Tenant, c.Customer, c.Why = string(tenant), string(customer), why()
	s.top = slices.Insert(s.top, at, *c)
	s.top = s.top[:min(len(s.top), s.most)]
}

// why are the terms and factors that add more to one score than to the other.
func why(customers [2]*profile.Customer, scorers [2]*scoring.Scorer, scores *[2]model.Score, at int64) []TermChange {
	var all []TermChange
	for i, name := range model.TermNames() {
		all = append(all, TermChange{name, scores[MainSide].Terms[i], scores[ShadowSide].Terms[i]})
	}
	for i := range scorers {
		for _, f := range scorers[i].FactorsAt(customers[i], at) {
			n := slices.IndexFunc(all, func(c TermChange) bool { return c.Code == f.Code })
			if n < 0 {
				n, all = len(all), append(all, TermChange{Code: f.Code})
			}
			if i == MainSide {
				all[n].Main += f.LogOdds
			} else {
				all[n].Shadow += f.LogOdds
			}
		}
	}
	all = slices.DeleteFunc(all, func(c TermChange) bool { return math.Abs(c.By()) < leastWhy })
	slices.SortStableFunc(all, func(a, b TermChange) int { return cmp.Compare(math.Abs(b.By()), math.Abs(a.By())) })
	return append([]TermChange{}, all[:min(len(all), mostWhy)]...)
}

// By is how much more it adds by the shadow.
func (c *TermChange) By() float64 { return c.Shadow - c.Main }
