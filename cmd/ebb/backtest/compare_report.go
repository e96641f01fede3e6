package backtest

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"ebb/scoring"
	"ebb/scoring/profile"
)

// Difference is what two packs, A and B, decide differently on a log.
type Difference struct {
	Compared
	First      time.Time      `json:"first"`   // event
	Last       time.Time      `json:"last"`    // event
	Migrations []Migration    `json:"-"`       // at the dates, and at the log's end
	Alerts     []AlertCount   `json:"alerts"`  // by kind and transition
	Removed    []ChangedAlert `json:"removed"` // alerts of A alone: examples
	Added      []ChangedAlert `json:"added"`   // alerts of B alone: examples
	Changed    []ChangedAlert `json:"changed"` // alerts of both, at another time or of another tier: examples
}

// Migration counts the customers by where A has them, then by where B has them.
type Migration struct {
	At     time.Time
	Tiers  [profile.NumTiers][profile.NumTiers]int64
	Stages [profile.NumStages][profile.NumStages]int64
}

// AlertCount counts the alerts of one kind and transition.
type AlertCount struct {
	Kind       string `json:"kind"`
	Transition string `json:"transition"`
	A          int64  `json:"a"`
	B          int64  `json:"b"`
	Same       int64  `json:"same"`    // at the same time, of the same tier
	Changed    int64  `json:"changed"` // at another time or of another tier
	Removed    int64  `json:"removed"` // of A alone
	Added      int64  `json:"added"`   // of B alone
}

// ChangedAlert is an alert that is not the same by both packs.
type ChangedAlert struct {
	Key        string `json:"-"` // of the customer
	Tenant     string `json:"tenant"`
	Customer   string `json:"customer"`
	Kind       string `json:"kind"`
	Transition string `json:"transition"`
	A          *Said  `json:"a,omitempty"`
	B          *Said  `json:"b,omitempty"`
}

// Said is the content of one pack's alert.
type Said struct {
	At      time.Time `json:"at"`
	Tier    string    `json:"tier"`
	Reasons []string  `json:"reasons"`
}

// when is the time of the earlier of the two.
func (a *ChangedAlert) when() time.Time {
	if a.A == nil || a.B != nil && a.B.At.Before(a.A.At) {
		return a.B.At
	}
	return a.A.At
}

// Moved is how many customers are in another tier by B: in a worse one, and in a better one.
func (m *Migration) Moved() (worse, better int64) {
	for a := range m.Tiers {
		for b, n := range m.Tiers[a] {
			switch {
			case b > a:
				worse += n
			case b < a:
				better += n
			}
		}
	}
	return worse, better
}

// Differ reports whether any decision differs: a tier at any of the dates, or an alert.
func (d *Difference) Differ() bool {
	for i := range d.Migrations {
		if worse, better := d.Migrations[i].Moved(); worse+better > 0 {
			return true
		}
	}
	return slices.ContainsFunc(d.Alerts, func(n AlertCount) bool { return n.Changed+n.Removed+n.Added > 0 })
}

// tallies count differences as they are found.
type tallies struct {
	migrations              []Migration
	counts                  [profile.NumKinds][scoring.NumTransitions]AlertCount
	removed, added, changed examples
}

func newTallies(examples int) (t tallies) {
	t.removed.most, t.added.most, t.changed.most = examples, examples, examples
	return t
}

// both counts an alert that each side has sent, in either order.
func (t *tallies) both(u *compared, one, other *pendingAlert) {
	n := &t.counts[one.kind][one.transition]
	n.A++
	n.B++
	if one.said.At.Equal(other.said.At) && one.said.Tier == other.said.Tier {
		n.Same++
		return
	}
	n.Changed++
	if one.side == sideB {
		one, other = other, one
	}
	t.changed.add(one.changed(u, one.said, other.said))
}

// one counts an alert that one side alone has sent.
func (t *tallies) one(u *compared, p *pendingAlert) {
	n := &t.counts[p.kind][p.transition]
	if p.side == sideA {
		n.A++
		n.Removed++
		t.removed.add(p.changed(u, p.said, nil))
	} else {
		n.B++
		n.Added++
		t.added.add(p.changed(u, nil, p.said))
	}
}

func (p *pendingAlert) changed(u *compared, a, b *Said) ChangedAlert {
	return ChangedAlert{Key: u.key, Kind: p.kind.String(), Transition: p.transition.String(), A: a, B: b}
}

func (t *tallies) report(d *Difference) {
	d.Migrations, d.Alerts = t.migrations, []AlertCount{}
	for k := range t.counts {
		for r, n := range t.counts[k] {
			if n.A+n.B > 0 {
				n.Kind, n.Transition = profile.Kind(k).String(), scoring.Transition(r).String()
				d.Alerts = append(d.Alerts, n)
			}
		}
	}
	d.Removed, d.Added, d.Changed = t.removed.list(), t.added.list(), t.changed.list()
}

// examples are the first few alerts of a sort, by time.
type examples struct {
	most int
	kept []ChangedAlert
}

func (e *examples) add(a ChangedAlert) {
	at, _ := slices.BinarySearchFunc(e.kept, a, compareAlerts)
	if at >= e.most {
		return
	}
	e.kept = slices.Insert(e.kept, at, a)
	e.kept = e.kept[:min(len(e.kept), e.most)]
}

func (e *examples) list() []ChangedAlert { return append([]ChangedAlert{}, e.kept...) }

func compareAlerts(a, b ChangedAlert) int {
	return cmp.Or(
		a.when().Compare(b.when()),
		strings.Compare(a.Key, b.Key),
		strings.Compare(a.Kind, b.Kind),
		strings.Compare(a.Transition, b.Transition),
	)
}
