package uplift

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/profile"
)

// Ways to divide what is compared.
const (
	ByKind     = ""
	ByPlaybook = "playbook"
	ByTier     = "tier"
	ByEpoch    = "epoch"
	ByTenant   = "tenant"
)

// Divisions are the ways to divide, but for ByKind.
func Divisions() []string { return []string{ByPlaybook, ByTier, ByEpoch, ByTenant} }

// collection gathers alerts, in any order.
type collection struct {
	by        string
	converts  bool // the value action of the pack is the outcome of a lapse; else that the customer is back
	since     int64
	stories   map[subject]*story
	misplaced int64 // alerts in the topic of the other arm
}

// subject is a customer in one kind of episode.
type subject struct{ tenant, customer, kind string }

// story is what has become of a subject.
type story struct {
	raises   []raise
	outcomes []int64 // event times, ms
}

// raise is one that a holdout had to do with.
type raise struct {
	at    int64 // event time, ms
	epoch uint32
	share float64
	arm   alert.Arm
	part  string // of the division
}

// saidAlert holds the fields of an alert that matter here.
type saidAlert struct {
	Tenant     string    `json:"tenant"`
	Customer   string    `json:"customer"`
	Kind       string    `json:"kind"`
	Transition string    `json:"transition"`
	Tier       string    `json:"tier"`
	Time       time.Time `json:"time"`
	Arm        string    `json:"arm"`
	ArmEpoch   uint32    `json:"arm_epoch"`
	ArmShare   float64   `json:"arm_share"`
	Playbook   *struct {
		ID string `json:"id"`
	} `json:"playbook"`
}

// outcome is the transition that shows that acting was worth it. Only a lapse awaits the pack's value action; an episode
// of another kind ends by the signal that settles it, such as the payment.
func (c *collection) outcome(kind string) scoring.Transition {
	if kind == profile.Lapse.String() && c.converts {
		return scoring.Converted
	}
	return scoring.Recovered
}

// take notes an alert of the topic of the held-out arm, or of the other.
func (c *collection) take(value []byte, heldOut bool) error {
	var a saidAlert
	if err := json.Unmarshal(value, &a); err != nil {
		return fmt.Errorf("an alert is no JSON: %w", err)
	}
	if (a.Arm == alert.HeldOut.String()) != heldOut {
		c.misplaced++
	}
	raised := a.Transition == scoring.Raised.String()
	if a.Arm == "" || !raised && a.Transition != c.outcome(a.Kind).String() {
		return nil
	}
	of := subject{a.Tenant, a.Customer, a.Kind}
	s := c.stories[of]
	if s == nil {
		s = &story{}
		c.stories[of] = s
	}
	at := a.Time.UnixMilli()
	if !raised {
		s.outcomes = append(s.outcomes, at)
		return nil
	}
	r := raise{at: at, epoch: a.ArmEpoch, share: a.ArmShare, arm: alert.Treated, part: c.part(&a)}
	if a.Arm == alert.HeldOut.String() {
		r.arm = alert.HeldOut
	}
	s.raises = append(s.raises, r)
	return nil
}

// part is the part of the division that a raise belongs to.
func (c *collection) part(a *saidAlert) string {
	switch c.by {
	case ByPlaybook:
		if a.Playbook != nil {
			return a.Playbook.ID
		}
		return "none"
	case ByTier:
		return a.Tier
	case ByEpoch:
		return strconv.FormatUint(uint64(a.ArmEpoch), 10)
	case ByTenant:
		return a.Tenant
	}
	return ""
}

// share is the share of the newest raise: who is held out changes with it, so raises by another one are not compared.
func (c *collection) share() (share float64) {
	newest := int64(-1)
	for _, s := range c.stories {
		for i := range s.raises {
			if r := &s.raises[i]; r.at > newest || r.at == newest && r.share > share {
				newest, share = r.at, r.share
			}
		}
	}
	return share
}

// firsts are the subject's first raises in each epoch, by a share and from a time on. What follows in the same epoch is
// no trial of its own: whether there is any depends on what acting on the first one did. others is how many there are by
// another share.
func (s *story) firsts(share float64, since int64) (all []raise, others int64) {
	slices.SortFunc(s.raises, func(a, b raise) int { return cmp.Compare(a.at, b.at) })
	for _, r := range s.raises {
		switch {
		case r.share != share:
			others++
		case r.at >= since && (len(all) == 0 || all[len(all)-1].epoch != r.epoch):
			all = append(all, r)
		}
	}
	return all, others
}

// followed reports whether the outcome came after a raise, and within a time.
func (s *story) followed(r *raise, within int64) bool {
	return slices.ContainsFunc(s.outcomes, func(at int64) bool { return at > r.at && at <= r.at+within })
}
