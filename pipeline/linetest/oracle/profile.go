package oracle

import "slices"

// Partitioned is the state of one partition after its fold.
type Partitioned struct {
	Started    bool  // an event has been folded
	Watermark  int64 // ms since the epoch
	Population Population
	Profiles   []Profile // of customers with an event that counted, in order of their appearance
}

// Population is the running moments of ln(gap): of customers' first gaps, and of the surprise in later ones.
type Population struct {
	N, Mean, Total, NWithin, Within float64
}

// Profile is a customer as of its last event. Times are in days since the epoch; zero without activity.
type Profile struct {
	Tenant, Customer         string
	First, Last, Counted, At float64
	Visits                   int
	W, Mu, M2                float64  // of ln(gap): weight, mean, sum of squared deviations
	Level, Friction          float64  // as of At
	M, K                     float64  // gap law
	Episodes                 int      // so far
	Tier                     string   // of the open episode; empty without one
	Sequence                 int      // of the open episode's last transition
	Since                    int64    // of it, ms since the epoch
	IDs                      []string // of its latest events, oldest first
}

// left is the partition in its present state.
func (f *fold) left() Partitioned {
	p := &f.pop
	left := Partitioned{
		Started: f.started, Watermark: f.watermark,
		Population: Population{N: p.n, Mean: p.mean, Total: p.total, NWithin: p.nWithin, Within: p.within},
	}
	for _, m := range f.members {
		if m.at != 0 { // it has an event that counted
			left.Profiles = append(left.Profiles, m.profile())
		}
	}
	return left
}

func (m *member) profile() Profile {
	p := Profile{
		Tenant: m.tenant, Customer: m.name, First: m.first, Last: m.last, Counted: m.counted, At: m.at, Visits: m.visits,
		W: m.w, Mu: m.mu, M2: m.m2, Level: m.level, Friction: m.friction, M: m.m, K: m.k,
		Episodes: m.episodes, Tier: m.tier, IDs: slices.Clone(m.ids),
	}
	if m.tier != "" {
		p.Sequence, p.Since = m.sequence, m.since
	}
	return p
}
