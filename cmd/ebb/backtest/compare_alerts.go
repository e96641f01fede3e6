package backtest

import (
	"slices"

	"ebb/scoring"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// pendingAlert is an alert of one side that the other has not sent. Two alerts are the same if customer, kind and
// transition are the same and both are about one silence, or one opening event. The other pack may have sent it sooner
// or later, or with another tier.
type pendingAlert struct {
	side       int
	kind       profile.Kind
	transition scoring.Transition
	about      int64 // when the silence began, or the event that opened the episode, ms
	said       *Said
}

// note matches an alert of one side with those of the other.
func (c *Comparison) note(u *compared, i int, decisions []scoring.Decision) {
	for j := range decisions {
		d := &decisions[j]
		reasons := slices.DeleteFunc(d.ReasonCodes(c.sides[i].scorer.Pack), func(code string) bool {
			return code == pack.ReasonFewSilences // a comparison does not learn
		})
		a := pendingAlert{
			side: i, kind: d.Kind, transition: d.Transition, about: d.Since,
			said: &Said{At: instant(d.At), Tier: d.Tier.String(), Reasons: reasons},
		}
		if k := u.partner(&a); k >= 0 {
			c.found.both(u, &u.pending[k], &a)
			u.pending = slices.Delete(u.pending, k, k+1)
		} else {
			u.pending = append(u.pending, a)
		}
	}
}

// partner is the alert of the other side that is the same as a, or -1.
func (u *compared) partner(a *pendingAlert) int {
	for k := range u.pending {
		p := &u.pending[k]
		if p.side != a.side && p.kind == a.kind && p.transition == a.transition && p.about == a.about {
			return k
		}
	}
	return -1
}

// settle counts the alerts that the other side can no longer send. Both sides have looked at the customer up to the
// same time.
func (c *Comparison) settle(u *compared) {
	kept := u.pending[:0]
	for k := range u.pending {
		p := &u.pending[k]
		if u.mayYet(p) {
			kept = append(kept, *p)
		} else {
			c.found.one(u, p)
		}
	}
	u.pending = kept
}

// mayYet reports whether the other side may still send p's counterpart: the silence goes on there, or the episode is
// open.
func (u *compared) mayYet(p *pendingAlert) bool {
	other := &u.states[1-p.side]
	if p.kind == profile.Lapse {
		return other.Visits > 0 && other.Last == p.about
	}
	h := other.EpisodeOf(p.kind)
	return h.Open() && h.Since == p.about
}

// giveUp counts what is left when the log ends.
func (c *Comparison) giveUp(u *compared) {
	for k := range u.pending {
		c.found.one(u, &u.pending[k])
	}
	u.pending = nil
}
