package scoring

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"
)

// Kind is what an episode is about. The numbers are stored, the names are a contract.
type Kind uint8

// Kinds of episodes. A customer has at most one open of each.
const (
	Lapse          Kind = iota // falls silent
	Explicit                   // says that it leaves
	Involuntary                // cannot pay
	ServiceFailure             // was failed
	NumKinds
)

var kindNames = [NumKinds]string{"lapse", "explicit", "involuntary", "service_failure"}

// KindNames are the names of the kinds, in order.
func KindNames() []string { return slices.Clone(kindNames[:]) }

// String is the kind's stable name.
func (n Kind) String() string {
	if n >= NumKinds {
		return "unknown"
	}
	return kindNames[n]
}

// KindRule says which signals open and close episodes of a kind other than lapse.
type KindRule struct {
	Opens   []Opening
	Closes  uint64 // bits of signals that end all openings
	Expires int64  // ms after the newest opening event; 0: never
}

// Opening is a signal that opens an episode, or lifts it.
type Opening struct {
	Signal  uint64 // its bit
	Feature int    // that must be at AtLeast or more, the event included; -1: none
	AtLeast int64
	Closes  uint64  // bits of signals that end it
	Floor   float64 // risk score, 0 to 100, that the customer's is not below while the episode is open
	Code    string  // of the reason

	logOdds float64 // of Floor
	mark    uint16  // of Code: what states and ids remember of an opening, whatever its place in a later pack
}

// KindSet is a set of kinds, a bit each.
type KindSet uint8

// all are the kinds in the set, in order.
func (s KindSet) all(yield func(Kind) bool) {
	for ; s != 0; s &= s - 1 {
		if !yield(Kind(bits.TrailingZeros8(uint8(s)))) {
			return
		}
	}
}

// numTriggered is how many kinds there are beside lapse.
const numTriggered = int(NumKinds) - 1

// EpisodeOf is the customer's state in a kind other than lapse.
func (p *Profile) EpisodeOf(n Kind) *Triggered { return &p.Triggered[n-1] }

// touch brings Touched up to date with a kind's state.
func (p *Profile) touch(n Kind) {
	p.Touched &^= 1 << n
	if *p.EpisodeOf(n) != (Triggered{}) {
		p.Touched |= 1 << n
	}
}

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

// maxOpenings is how many openings a kind has at most.
const maxOpenings = 8

// checkKinds notes what is wrong with the kinds.
func (f *packFile) checkKinds() {
	for name, kind := range sorted(f.Kinds) {
		at := f.at("kinds") + "." + name
		if i := slices.Index(KindNames(), name); i < 0 || Kind(i) == Lapse {
			f.broken(at, "is no kind, there are %s", strings.Join(KindNames()[1:], ", "))
		}
		if n := len(kind.Opens); n == 0 || n > maxOpenings {
			f.broken(at+".opens", "%d signals, must be 1 to %d", n, maxOpenings)
		}
		for i := range kind.Opens {
			f.checkOpening(fmt.Sprintf("%s.opens[%d]", at, i), &kind.Opens[i])
			if j := slices.IndexFunc(kind.Opens, func(o openingFile) bool { return o.Code == kind.Opens[i].Code }); j < i {
				f.broken(fmt.Sprintf("%s.opens[%d].code", at, i), "%q is opens[%d]'s, must tell it from the others of its kind", kind.Opens[i].Code, j)
			}
			if i > 0 && kind.Opens[i].Floor < kind.Opens[i-1].Floor {
				f.broken(fmt.Sprintf("%s.opens[%d].floor", at, i), "%v, must not be below the one before: they rise", kind.Opens[i].Floor)
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

func (f *packFile) checkCloses(at string, closes []string, opens []openingFile) {
	for i, s := range closes {
		at := fmt.Sprintf("%s[%d]", at, i)
		f.checkSignalNamed(at, s)
		if slices.ContainsFunc(opens, func(o openingFile) bool { return o.Signal == s }) {
			f.broken(at, "%q opens the episode too, must be one of the two", s)
		}
	}
}

func (f *packFile) checkOpening(at string, o *openingFile) {
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
func (k *Pack) buildKinds(f *packFile) {
	signals := f.signalNames()
	order, _ := f.featureOrder()
	bit := func(name string) uint64 { return 1 << slices.Index(signals, name) }
	for n := range NumKinds {
		file, ok := f.Kinds[n.String()]
		if !ok {
			continue
		}
		r := &k.Kinds[n]
		for _, o := range file.Opens {
			opening := Opening{Signal: bit(o.Signal), Feature: slices.Index(order, o.Feature), Floor: o.Floor, Code: o.Code, logOdds: logit(o.Floor / 100), mark: uint16(xxhash.Sum64String(o.Code))}
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
		k.opening |= openingMask(r)
	}
}

// openingMask are the signals that open or close episodes by a rule.
func openingMask(r *KindRule) (mask uint64) {
	for i := range r.Opens {
		mask |= r.Opens[i].Signal | r.Opens[i].Closes
	}
	return mask | r.Closes
}

// opened are the openings, a bit each, that an event with these signals and features meets.
func (r *KindRule) opened(named uint64, values []FeatureValue) (openings uint8) {
	for i := range r.Opens {
		o := &r.Opens[i]
		if named&o.Signal != 0 && (o.Feature < 0 || values[o.Feature].OK && values[o.Feature].N >= o.AtLeast) {
			openings |= 1 << i
		}
	}
	return openings
}

// ended are the openings, a bit each, that an event with these signals ends.
func (r *KindRule) ended(named uint64) (openings uint8) {
	for i := range r.Opens {
		if named&(r.Closes|r.Opens[i].Closes) != 0 {
			openings |= 1 << i
		}
	}
	return openings
}

// stands is the opening that the floor of an episode is of; false: none is open, or of none that the rule knows.
func (r *KindRule) stands(h *Triggered) (opening uint8, ok bool) {
	return r.top(h.Openings), h.Openings != 0 && len(r.Opens) > 0
}

// top is the opening with the highest floor of several; the first where it knows none of them.
func (r *KindRule) top(openings uint8) uint8 {
	known := openings & (1<<len(r.Opens) - 1)
	return uint8(max(bits.Len8(known)-1, 0))
}
