package main

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/cespare/xxhash/v2"

	"ebb/pipeline/linetest/oracle"
	"ebb/scoring/profile"
)

// profiles compares each partition in Redis with the result of the fold.
func (r *run) profiles(ctx context.Context, v *verdict, want []oracle.Partitioned) error {
	for p := range want {
		m, err := stateOf(ctx, r.redis.Client(), p)
		if err != nil {
			return err
		}
		v.meta(p, &m, &want[p])
		stored := map[string]string{}
		scan := r.redis.Client().HScan(ctx, keyOf(p, "profiles"), 0, "", 1000).Iterator()
		for scan.Next(ctx) {
			key := scan.Val()
			if !scan.Next(ctx) {
				break
			}
			stored[key] = scan.Val()
		}
		if err := scan.Err(); err != nil {
			return fmt.Errorf("read the profiles of partition %d: %w", p, err)
		}
		due, err := dueOf(ctx, r.redis.Client(), p)
		if err != nil {
			return err
		}
		v.deadlines(p, &m, stored, due)
		v.customers(p, want[p].Profiles, stored)
	}
	return nil
}

// meta compares the partition's clock and population.
func (v *verdict) meta(p int, got *meta, want *oracle.Partitioned) {
	a, b := &got.Population, &want.Population
	same := near(a.N, b.N) && near(a.Mean, b.Mean) && near(a.Total, b.Total) && near(a.NGaps, b.NWithin) &&
		near(a.Within, b.Within)
	if !same || got.Clock.Watermark != want.Watermark || got.Clock.Started != want.Started {
		v.Miscounted++
		v.Examples.add(
			"partition %d: clock %+v and population %+v; the fold says %+v at %d",
			p,
			got.Clock,
			*a,
			*b,
			want.Watermark,
		)
	}
}

func (v *verdict) customers(p int, want []oracle.Profile, stored map[string]string) {
	v.Customers += len(want)
	for i := range want {
		w := &want[i]
		key := string(append([]byte{byte(len(w.Tenant))}, w.Tenant+w.Customer...))
		b, found := stored[key]
		delete(stored, key)
		if !found {
			v.Miscounted++
			v.Examples.add("partition %d: no profile of %s/%s", p, w.Tenant, w.Customer)
			continue
		}
		if wrong := differs(w, []byte(b)); wrong != "" {
			v.Miscounted++
			v.Examples.add("partition %d: profile of %s/%s: %s", p, w.Tenant, w.Customer, wrong)
		}
	}
	for key := range stored {
		v.Miscounted++
		v.Examples.add("partition %d: a profile of %q, of whom there is no event", p, key)
	}
}

// differs names the field in which the stored profile differs from the fold's, with both values.
func differs(w *oracle.Profile, b []byte) string {
	var g profile.Profile
	if err := profile.Read(b, &profile.Customer{Profile: &g}); err != nil {
		return err.Error()
	}
	days := func(ms int64) float64 { return float64(ms) / float64(day) }
	if g.Visits == 0 && g.Friction == 0 {
		w.At = days(g.At) // no event has had an effect
	}
	for _, f := range []struct {
		name      string
		got, want float64
		rounded   bool
	}{
		{"visits", float64(g.Visits), float64(w.Visits), false},
		{"first", days(g.First), w.First, false},
		{"last", days(g.Last), w.Last, false},
		{"counted", days(g.Counted), w.Counted, false},
		{"at", days(g.At), w.At, false},
		{"weight of gaps", g.W, w.W, true},
		{"mean of gaps", g.Mu, w.Mu, true},
		{"spread of gaps", g.M2, w.M2, true},
		{"level", g.Level, w.Level, true},
		{"friction", g.Friction, w.Friction, true},
		{"median gap", g.M, w.M, true},
		{"regularity", g.K, w.K, true},
		{"episodes", float64(g.Lapse.Number), float64(w.Episodes), false},
		{"sequence", float64(g.Lapse.Sequence), float64(w.Sequence), false},
	} {
		if f.got != f.want && !(f.rounded && near(f.got, f.want)) {
			return fmt.Sprintf("%s is %v, the fold says %v", f.name, f.got, f.want)
		}
	}
	tier := ""
	if g.Lapse.Tier != profile.TierNone {
		tier = g.Lapse.Tier.String()
	}
	since := w.Since / 60_000
	switch ids := g.IDs.All(); {
	case tier != w.Tier:
		return fmt.Sprintf("tier is %q, the fold says %q", tier, w.Tier)
	case math.Abs(float64(g.Lapse.LastTransition/60_000-since)) > 1: // a minute where rounding decides
		return fmt.Sprintf(
			"the episode's last transition was at minute %d, the fold says %d",
			g.Lapse.LastTransition/60_000,
			since,
		)
	case !slices.Equal(ids, hashed(w.IDs)):
		return fmt.Sprintf("latest event ids are %x, the fold says %v", ids, w.IDs)
	}
	return ""
}

func hashed(ids []string) []uint64 {
	hashes := make([]uint64, len(ids))
	for i, id := range ids {
		hashes[i] = max(xxhash.Sum64String(id), 1)
	}
	return hashes
}
