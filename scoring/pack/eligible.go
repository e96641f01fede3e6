package pack

import (
	"math/bits"
	"slices"
	"time"

	"ebb/scoring/profile"
)

// Eligible is after which signals a customer may be alerted about. Until then it is folded and counted like any other,
// but nothing is raised about it, and its state is kept for a short time only: a visitor of a page is no customer yet.
type Eligible struct {
	By        uint64 // bits of the signals; 0: everybody is
	Retention int64  // of the state of a silent one who is not, ms
}

// Alerts reports whether the pack alerts about a customer.
func (k *Pack) Alerts(p *profile.Profile) bool { return k.Eligible.By == 0 || p.Eligible }

// EligibleSignal is the signal after which the pack alerts about a customer; empty: it alerts about everybody.
func (k *Pack) EligibleSignal() string {
	if k.Eligible.By == 0 {
		return ""
	}
	return k.signalNames[bits.TrailingZeros64(k.Eligible.By)]
}

// Retention is how long the state of a silent customer is kept, in ms, where eligible ones' is kept for so long; 0:
// for ever.
func (k *Pack) Retention(p *profile.Profile, eligible int64) int64 {
	if k.Alerts(p) || eligible != 0 && eligible < k.Eligible.Retention {
		return eligible
	}
	return k.Eligible.Retention
}

// eligibleFile is the section as written.
type eligibleFile struct {
	Signal    string `json:"signal"              yaml:"signal"`
	Retention string `json:"retention,omitempty" yaml:"retention"`
}

const defaultEligibleRetention = 30 * 24 * time.Hour

// checkEligible notes what is wrong with the section.
func (f *file) checkEligible() {
	e := f.Eligible
	if e == nil {
		return
	}
	at := f.at("eligible")
	if e.Signal == "" {
		f.broken(at+".signal", "is missing")
	}
	f.checkSignalNamed(at+".signal", e.Signal)
	if e.Retention != "" {
		f.checkSpan(at+".retention", e.Retention, leastSpan)
	}
}

func (f *file) normaliseEligible() {
	if f.Eligible != nil {
		f.Eligible.Retention = normalSpan(f.Eligible.Retention)
	}
}

// buildEligible compiles the section.
func (k *Pack) buildEligible(f *file) {
	e := f.Eligible
	if e == nil {
		return
	}
	k.Eligible = Eligible{
		By:        1 << slices.Index(f.signalNames(), e.Signal),
		Retention: defaultEligibleRetention.Milliseconds(),
	}
	if e.Retention != "" {
		d, _ := parseDays(e.Retention)
		k.Eligible.Retention = d.Milliseconds()
	}
}

// lintEligible notes a section that makes nobody wait, or hardly anybody arrive.
func (k *Pack) lintEligible(note func(string, ...any)) {
	if k.Eligible.By != 0 && k.Eligible.Retention > k.Horizon.Milliseconds() {
		note("eligible: retention is longer than the horizon, %s", k.declared.Eligible.Retention)
	}
}
