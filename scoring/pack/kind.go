package pack

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"ebb/scoring/exact"
	"ebb/scoring/feature"
	"ebb/scoring/profile"
)

// KindRule is which signals open and close episodes of a kind other than lapse.
type KindRule struct {
	Opens   []Opening
	Closes  uint64 // bits of signals that end all openings
	Expires int64  // ms after the newest opening event; 0: never
}

// Opening is a signal that opens an episode, or lifts it.
type Opening struct {
	Signal  uint64 // its bit
	Feature int    // that must be at AtLeast or more, with the event included; -1: none
	AtLeast int64
	Closes  uint64  // bits of signals that end it
	Floor   float64 // lower bound of the customer's risk score, 0 to 100, while the episode is open
	Code    string  // of the reason
	Trouble bool    // its events are friction

	LogOdds float64 // of Floor
	Mark    uint16  // of Code: identifies an opening in states and ids, whatever its place in a later pack
}

// MarkOf is the mark of an opening's code; Catalogue.Marked is the inverse.
func MarkOf(code string) uint16 { return uint16(xxhash.Sum64String(code)) }

// kindFile is a kind as written.
type kindFile struct {
	Opens   []openingFile `json:"opens"             yaml:"opens"`
	Closes  []string      `json:"closes"            yaml:"closes"`
	Expires string        `json:"expires,omitempty" yaml:"expires"`
}

type openingFile struct {
	Signal  string   `json:"signal"            yaml:"signal"`
	Feature string   `json:"feature,omitempty" yaml:"feature"`
	AtLeast any      `json:"at_least,omitempty" yaml:"at_least"`
	Floor   float64  `json:"floor"             yaml:"floor"`
	Closes  []string `json:"closes,omitempty" yaml:"closes"`
	Code    string   `json:"code"              yaml:"code"`
}

// checkKinds notes what is wrong with the kinds.
func (f *file) checkKinds() {
	for name, kind := range sorted(f.Kinds) {
		at := f.at("kinds") + "." + name
		if i := slices.Index(profile.KindNames(), name); i < 0 || profile.Kind(i) == profile.Lapse {
			f.broken(at, "is no kind, there are %s", strings.Join(profile.KindNames()[1:], ", "))
		}
		if n := len(kind.Opens); n == 0 || n > profile.MaxOpenings {
			f.broken(at+".opens", "%d signals, must be 1 to %d", n, profile.MaxOpenings)
		}
		for i := range kind.Opens {
			f.checkOpening(fmt.Sprintf("%s.opens[%d]", at, i), &kind.Opens[i])
			if j := slices.IndexFunc(kind.Opens, func(o openingFile) bool { return o.Code == kind.Opens[i].Code }); j < i {
				f.broken(
					fmt.Sprintf("%s.opens[%d].code", at, i),
					"%q is opens[%d]'s, must tell it from the others of its kind",
					kind.Opens[i].Code,
					j,
				)
			}
			if i > 0 && kind.Opens[i].Floor < kind.Opens[i-1].Floor {
				f.broken(
					fmt.Sprintf("%s.opens[%d].floor", at, i),
					"%v, must not be below the one before: they rise",
					kind.Opens[i].Floor,
				)
			}
		}
		f.checkCloses(at+".closes", kind.Closes, kind.Opens)
		for i := range kind.Opens {
			o := &kind.Opens[i]
			at := fmt.Sprintf("%s.opens[%d].closes", at, i)
			f.checkCloses(at, o.Closes, kind.Opens)
			if len(o.Closes)+len(kind.Closes) == 0 && kind.Expires == "" {
				f.broken(at, "names no signal, and without `expires` the episode would never end")
			}
		}
		if kind.Expires != "" {
			f.checkSpan(at+".expires", kind.Expires, leastSpan)
		}
	}
}

func (f *file) checkCloses(at string, closes []string, opens []openingFile) {
	for i, s := range closes {
		at := fmt.Sprintf("%s[%d]", at, i)
		f.checkSignalNamed(at, s)
		if slices.ContainsFunc(opens, func(o openingFile) bool { return o.Signal == s }) {
			f.broken(at, "%q opens the episode too, must be one of the two", s)
		}
	}
}

func (f *file) checkOpening(at string, o *openingFile) {
	if o.Signal == "" {
		f.broken(at+".signal", "is missing")
	}
	f.checkSignalNamed(at+".signal", o.Signal)
	f.checkCode(at+".code", o.Code)
	if !(o.Floor > 0 && o.Floor < 100) {
		f.broken(at+".floor", "%v, must be a risk score between 0 and 100", o.Floor)
	}
	f.checkNamed(at+".feature", "feature", o.Feature, f.featureNames())
	f.checkSaid(at+".code", o.Code, o.Feature, false)
	if (o.Feature == "") != (o.AtLeast == nil) {
		f.broken(at+".at_least", "feature and at_least go together")
	} else if o.Feature != "" {
		kind, _ := featureKind(f.Features[o.Feature].Kind)
		if _, err := curveValue(o.AtLeast, kind); err != nil {
			f.broken(at+".at_least", "%v", err)
		}
	}
}

// buildKinds compiles the kinds.
func (k *Pack) buildKinds(f *file) {
	signals := f.signalNames()
	order, _ := f.featureOrder()
	bit := func(name string) uint64 { return 1 << slices.Index(signals, name) }
	for n := range profile.NumKinds {
		file, ok := f.Kinds[n.String()]
		if !ok {
			continue
		}
		r := &k.Kinds[n]
		for _, o := range file.Opens {
			opening := Opening{
				Signal:  bit(o.Signal),
				Feature: slices.Index(order, o.Feature),
				Floor:   o.Floor,
				Code:    o.Code,
				LogOdds: exact.Logit(o.Floor / 100),
				Mark:    MarkOf(o.Code),
				Trouble: slices.ContainsFunc(f.Signals[o.Signal].Types, func(t string) bool { return f.Friction[t] > 0 }),
			}
			if opening.Feature >= 0 {
				kind, _ := featureKind(f.Features[o.Feature].Kind)
				opening.AtLeast, _ = curveValue(o.AtLeast, kind)
			}
			for _, s := range o.Closes {
				opening.Closes |= bit(s)
			}
			r.Opens = append(r.Opens, opening)
		}
		for _, s := range file.Closes {
			r.Closes |= bit(s)
		}
		if file.Expires != "" {
			d, _ := parseDays(file.Expires)
			r.Expires = int64(d / time.Millisecond)
		}
		k.Triggers |= openingMask(r)
	}
}

// openingMask are the signals that open or close episodes by a rule.
func openingMask(r *KindRule) (mask uint64) {
	for i := range r.Opens {
		mask |= r.Opens[i].Signal | r.Opens[i].Closes
	}
	return mask | r.Closes
}

// Opened are the openings, a bit each, that an event with these signals and features opens.
func (r *KindRule) Opened(named uint64, values []feature.Value) (openings uint8) {
	for i := range r.Opens {
		o := &r.Opens[i]
		if named&o.Signal != 0 && (o.Feature < 0 || values[o.Feature].OK && values[o.Feature].N >= o.AtLeast) {
			openings |= 1 << i
		}
	}
	return openings
}

// Ended are the openings, a bit each, that an event with these signals ends.
func (r *KindRule) Ended(named uint64) (openings uint8) {
	for i := range r.Opens {
		if named&(r.Closes|r.Opens[i].Closes) != 0 {
			openings |= 1 << i
		}
	}
	return openings
}

// Stands is the opening whose floor applies to an episode; false: none is open, or the rule has none of the open ones.
func (r *KindRule) Stands(h *profile.Triggered) (opening uint8, ok bool) {
	return r.Top(h.Openings), h.Openings != 0 && len(r.Opens) > 0
}

// Top is the opening with the highest floor of several; the first where the rule has none of them.
func (r *KindRule) Top(openings uint8) uint8 {
	known := openings & (1<<len(r.Opens) - 1)
	return uint8(max(bits.Len8(known)-1, 0))
}

// StandsFor is the opening that corresponds to an episode opened under another pack: that of the same code, else the
// highest whose floor is not above, else the lowest.
func (r *KindRule) StandsFor(o *Opening) uint8 {
	if i := slices.IndexFunc(r.Opens, func(n Opening) bool { return n.Code == o.Code }); i >= 0 {
		return uint8(i)
	}
	best := 0
	for i := range r.Opens { // they rise
		if r.Opens[i].Floor <= o.Floor {
			best = i
		}
	}
	return uint8(best)
}

// lintKinds notes openings whose floor never applies, and floors that lift nobody.
func (k *Pack) lintKinds(note func(string, ...any)) {
	for n := range k.Kinds {
		opens := k.Kinds[n].Opens
		for i := range opens {
			o := &opens[i]
			if o.Feature >= 0 {
				if _, most := k.reach(o.Feature); o.AtLeast > most {
					note("%s.opens[%d]: %s is never %d, %d at most", profile.Kind(n), i, k.Features[o.Feature].Name, o.AtLeast, most)
				}
			}
			if o.Floor < k.Tiers.Watch {
				note("%s.opens[%d]: its floor of %v lies below the tier watch", profile.Kind(n), i, o.Floor)
			}
			for j := i + 1; j < len(opens); j++ {
				if o.behind(&opens[j], k.Kinds[n].Closes) {
					note("%s.opens[%d]: its floor never stands, since [%d] opens whenever it would", profile.Kind(n), i, j)
					break
				}
			}
		}
	}
}

// behind reports whether a later opening, whose floor is no lower, is open whenever o is: it opens with it, and
// nothing ends it alone. Some signals end all.
func (o *Opening) behind(later *Opening, all uint64) bool {
	return later.Signal == o.Signal && later.Closes&^(o.Closes|all) == 0 &&
		(later.Feature < 0 || later.Feature == o.Feature && later.AtLeast <= o.AtLeast)
}

func (f *file) normaliseKinds() {
	for name, kind := range f.Kinds {
		kind.Expires = normalSpan(kind.Expires)
		slices.Sort(kind.Closes)
		for i := range kind.Opens {
			o := &kind.Opens[i]
			o.AtLeast = normalValue(o.AtLeast)
			slices.Sort(o.Closes)
		}
		f.Kinds[name] = kind
	}
}
