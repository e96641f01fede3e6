package uplift

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"ebb/scoring/alert"
)

// Verdict is what a comparison shows.
type Verdict string

// Verdicts.
const (
	Effect        Verdict = "effect"          // the interval does not hold 0
	NoneSeen      Verdict = "none_seen"       // it does, and an effect of the wanted size would have been seen
	NotEnoughData Verdict = "not_enough_data" // it does, or there are too few customers; and it would not
)

// Bounds of what is taken for a result.
const (
	fewest   = 20    // customers of an arm, below which no interval is shown
	mismatch = 0.001 // chance of the arms' sizes below which something is wrong with them
)

// Report is what acting has brought about. Rates are shares, differences are of shares.
type Report struct {
	Group  string    `json:"group"`
	At     time.Time `json:"at"`     // event time up to which all is known
	Within string    `json:"within"` // after its raise, an outcome counts
	Size   float64   `json:"size"`   // of an effect that one wants to see
	Share  float64   `json:"share"`  // of the held-out arm; 0: no alert has an arm
	Arms   Arms      `json:"arms"`

	OtherShares int64        `json:"other_shares"` // raises by another share than the newest, which are left out
	Misplaced   int64        `json:"misplaced"`    // alerts in the topic of the other arm
	By          string       `json:"by,omitempty"`
	Comparisons []Comparison `json:"comparisons"`
}

// Arms are the sizes of both arms, of customers with a raise in an epoch, and whether they fit the share.
type Arms struct {
	Treated  int64   `json:"treated"`
	HeldOut  int64   `json:"holdout"`
	Expected float64 `json:"expected_holdout"`
	P        float64 `json:"p"` // chance of sizes that differ so much
	OK       bool    `json:"ok"`
}

// Comparison is of the two arms in one kind of episode, or in a part of it.
type Comparison struct {
	Kind    string `json:"kind"`
	Part    string `json:"part,omitempty"`
	Outcome string `json:"outcome"` // the transition that counts
	Treated Group  `json:"treated"`
	HeldOut Group  `json:"holdout"`
	Waiting int64  `json:"waiting"` // raised too recently for the outcome to be known

	// treated less held out, with its 95 % interval; absent below 20 customers in an arm
	Difference *Interval `json:"difference,omitempty"`
	Smallest   *float64  `json:"smallest_visible,omitempty"` // effect that would be found with a probability of 80 %
	Verdict    Verdict   `json:"verdict"`
	// further customers, of both arms, until an effect of the wanted size would be; 0: none
	Missing int64 `json:"missing"`
}

// Group is one arm.
type Group struct {
	Customers int64   `json:"customers"`
	Outcomes  int64   `json:"outcomes"`
	Rate      float64 `json:"rate"`
}

// Interval is an estimate with its bounds.
type Interval struct {
	Estimate float64 `json:"estimate"`
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
}

// Wrong reports whether something has gone wrong with the experiment, so that its result cannot be trusted.
func (r *Report) Wrong() bool { return r.Misplaced > 0 || !r.Arms.OK }

// report compares what is collected, where all is known up to at, in ms.
func (c *collection) report(at, within int64, size float64) *Report {
	r := &Report{
		At: time.UnixMilli(at).UTC(), Size: size, Share: c.share(), Misplaced: c.misplaced, By: c.by,
		Comparisons: []Comparison{},
	}
	type part struct{ kind, name string }
	parts := map[part]*Comparison{}
	arms := map[unit]alert.Arm{}
	for of, s := range c.stories {
		firsts, others := s.firsts(r.Share, c.since)
		r.OtherShares += others
		for i := range firsts {
			first := &firsts[i]
			arms[unit{of.tenant, of.customer, first.epoch}] = first.arm
			key := part{of.kind, first.part}
			if parts[key] == nil {
				parts[key] = &Comparison{Kind: of.kind, Part: first.part, Outcome: c.outcome(of.kind).String()}
			}
			parts[key].add(first, s.followed(first, within), first.at+within > at)
		}
	}
	r.Arms = sizes(arms, r.Share)
	for _, key := range slices.SortedFunc(maps.Keys(parts), func(a, b part) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.name, b.name))
	}) {
		parts[key].conclude(size, r.Share)
		r.Comparisons = append(r.Comparisons, *parts[key])
	}
	return r
}

// unit is what is drawn: a customer in an epoch.
type unit struct {
	tenant, customer string
	epoch            uint32
}

// sizes counts the units of each arm.
func sizes(arms map[unit]alert.Arm, share float64) (a Arms) {
	for _, arm := range arms {
		if arm == alert.HeldOut {
			a.HeldOut++
		} else {
			a.Treated++
		}
	}
	a.Expected = rounded(float64(len(arms)) * share)
	a.P = ratioP(float64(a.Treated), float64(a.HeldOut), share)
	a.OK = a.P >= mismatch
	a.P = rounded(a.P)
	return a
}

// add counts a customer.
func (c *Comparison) add(r *raise, outcome, waits bool) {
	if waits {
		c.Waiting++
		return
	}
	g := &c.Treated
	if r.arm == alert.HeldOut {
		g = &c.HeldOut
	}
	if g.Customers++; outcome {
		g.Outcomes++
	}
}

// conclude computes what the counts show.
func (c *Comparison) conclude(size, share float64) {
	treated, heldOut := c.Treated.sample(), c.HeldOut.sample()
	c.Treated.Rate, c.HeldOut.Rate = rounded(treated.rate()), rounded(heldOut.rate())
	both := sample{treated.n + heldOut.n, treated.outcomes + heldOut.outcomes}
	p := both.rate()
	if both.outcomes == 0 || both.outcomes == both.n { // nothing tells how often it happens: the worst case
		p = 0.5
	}
	c.Verdict = NotEnoughData
	if share > 0 {
		c.Missing = max(int64(math.Ceil((heldOutFor(size, p, share)-heldOut.n)/share)), 0)
	}
	if min(treated.n, heldOut.n) < fewest {
		c.Missing = max(c.Missing, int64(math.Ceil((fewest-heldOut.n)/max(share, 1e-6))))
		return
	}
	low, high := newcombe(treated, heldOut)
	c.Difference = &Interval{rounded(treated.rate() - heldOut.rate()), rounded(low), rounded(high)}
	c.Smallest = new(rounded(visible(p, treated.n, heldOut.n)))
	switch {
	case low > 0 || high < 0:
		c.Verdict, c.Missing = Effect, 0
	case visible(p, treated.n, heldOut.n) <= size:
		c.Verdict, c.Missing = NoneSeen, 0
	}
}

func (g *Group) sample() sample { return sample{float64(g.Customers), float64(g.Outcomes)} }

// rounded is f to six decimals.
func rounded(f float64) float64 { return math.Round(f*1e6) / 1e6 }
