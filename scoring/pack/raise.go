package pack

import (
	"slices"
	"strings"

	"ebb/scoring/profile"
)

// raiseFile is at which tier an episode of lapse opens, by who the customer is, as written.
type raiseFile struct {
	Regular   string `json:"regular,omitempty"   yaml:"regular"`
	High      string `json:"high,omitempty"      yaml:"high"`
	Mid       string `json:"mid,omitempty"       yaml:"mid"`
	Otherwise string `json:"otherwise,omitempty" yaml:"otherwise"`
}

// raiseOtherwise is the tier of customers about whom a pack says nothing.
const raiseOtherwise = profile.AtRisk

// raiseTiers are the tiers at which an episode may open.
var raiseTiers = profile.TierNames()[profile.Watch:] //nolint:gochecknoglobals // a table

// raiseTier is the tier of a name; TierNone: it is none at which an episode may open.
func raiseTier(name string) profile.Tier {
	if i := slices.Index(raiseTiers, name); i >= 0 {
		return profile.Watch + profile.Tier(i)
	}
	return profile.TierNone
}

// each yields the customers that the pack distinguishes, with the tier as written.
func (r *raiseFile) each(yield func(who, tier string) bool) {
	for _, e := range [...][2]string{
		{"regular", r.Regular}, {"high", r.High}, {"mid", r.Mid}, {"otherwise", r.Otherwise},
	} {
		if e[1] != "" && !yield(e[0], e[1]) {
			return
		}
	}
}

// checkRaise notes what is wrong with where episodes open.
func (f *file) checkRaise() {
	if f.Raise == nil {
		return
	}
	for who, tier := range f.Raise.each {
		at := f.at("raise") + "." + who
		if raiseTier(tier) == profile.TierNone {
			f.broken(at, "%q, must be one of %s", tier, strings.Join(raiseTiers, ", "))
		}
		if (who == "high" || who == "mid") && f.Value == nil {
			f.broken(at, "is a value tier, and the pack declares no value")
		}
	}
}

// normaliseRaise leaves out what is so without being said.
func (f *file) normaliseRaise() {
	if r := f.Raise; r != nil {
		if r.Otherwise == raiseOtherwise.String() {
			r.Otherwise = ""
		}
		if *r == (raiseFile{}) {
			f.Raise = nil
		}
	}
}

// buildRaise compiles where episodes open. The value is built.
func (k *Pack) buildRaise(f *file) {
	to := &k.Model.Raise
	if r := f.Raise; r != nil {
		to.Regular, to.High, to.Mid = raiseTier(r.Regular), raiseTier(r.High), raiseTier(r.Mid)
		if r.Otherwise != "" {
			to.Otherwise = raiseTier(r.Otherwise)
		}
	}
	to.Feature, to.HighAt, to.MidAt = max(k.Value.Feature, 0), k.Value.High, k.Value.Mid
}

// lintRaise notes customers who are distinguished and not raised earlier for it.
func (k *Pack) lintRaise(note func(string, ...any)) {
	r := &k.Model.Raise
	for _, e := range [...]struct {
		who  string
		tier profile.Tier
	}{{"regular", r.Regular}, {"high", r.High}, {"mid", r.Mid}} {
		if e.tier >= r.Otherwise {
			note("raise.%s: %v is not earlier than %v, as for all others", e.who, e.tier, r.Otherwise)
		}
	}
	if r.High != profile.TierNone && r.Mid != profile.TierNone && r.Mid < r.High {
		note("raise.mid: %v is earlier than %v, as for high", r.Mid, r.High)
	}
}
