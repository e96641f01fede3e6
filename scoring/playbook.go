package scoring

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Value says what a customer is worth to the business.
type Value struct {
	Feature   int   // index into the pack's features; -1: the pack does not say
	High, Mid int64 // where the value tiers begin, in the feature's unit
}

// ValueTier is how much a customer is worth beside others. The names are a contract.
type ValueTier uint8

// Value tiers.
const (
	ValueUnknown ValueTier = iota
	ValueLow
	ValueMid
	ValueHigh
	numValueTiers
)

var valueTierNames = [numValueTiers]string{"unknown", "low", "mid", "high"}

// String is the value tier's stable name.
func (t ValueTier) String() string { return valueTierNames[t] }

// tier is the value tier of a feature's value.
func (v *Value) tier(of FeatureValue) ValueTier {
	switch {
	case !of.OK:
		return ValueUnknown
	case of.N >= v.High:
		return ValueHigh
	case of.N >= v.Mid:
		return ValueMid
	}
	return ValueLow
}

// Playbook says what to do about an alert.
type Playbook struct {
	When  []string // kinds, or codes of an alert's weightiest reason
	Plays [numValueTiers]Play
}

// Play is one step for people or machines to take.
type Play struct {
	ID      string        `json:"id"`
	Owner   string        `json:"owner"` // a role
	Respond time.Duration `json:"-"`     // within
}

// PlaybookFor is that for a reason or a kind, nil where there is none.
func (k *Pack) PlaybookFor(when string) *Playbook {
	for i := range k.Playbooks {
		if p := &k.Playbooks[i]; slices.Contains(p.When, when) {
			return p
		}
	}
	return nil
}

type valueFile struct {
	Feature string `json:"feature" yaml:"feature"`
	High    int64  `json:"high"    yaml:"high"`
	Mid     int64  `json:"mid"     yaml:"mid"`
}

type playbookFile struct {
	When []string  `json:"when"           yaml:"when"`
	High *playFile `json:"high,omitempty" yaml:"high"`
	Mid  *playFile `json:"mid"            yaml:"mid"`
	Low  *playFile `json:"low,omitempty"  yaml:"low"`
}

type playFile struct {
	ID            string `json:"id"             yaml:"id"`
	Owner         string `json:"owner"          yaml:"owner"`
	RespondWithin string `json:"respond_within" yaml:"respond_within"`
}

const maxPlaybooks = 64

// checkValue notes what is wrong with the value.
func (f *packFile) checkValue() {
	if v := f.Value; v != nil {
		at := f.at("value")
		if v.Feature == "" {
			f.broken(at+".feature", "is missing")
		}
		f.checkNamed(at+".feature", "feature", v.Feature, f.featureNames())
		if !(0 < v.Mid && v.Mid < v.High) {
			f.broken(at+".mid", "mid %d, high %d: must rise, above 0", v.Mid, v.High)
		}
	}
}

// checkPlaybooks notes what is wrong with the playbooks.
func (f *packFile) checkPlaybooks() {
	if len(f.Playbooks) > maxPlaybooks {
		f.broken("playbooks", "%d, at most %d", len(f.Playbooks), maxPlaybooks)
	}
	taken := map[string]int{}
	for i := range f.Playbooks {
		p := &f.Playbooks[i]
		at := fmt.Sprintf("%s[%d]", f.at("playbooks"), i)
		if len(p.When) == 0 {
			f.broken(at+".when", "names no reason and no kind")
		}
		for j, when := range p.When {
			at := fmt.Sprintf("%s.when[%d]", at, j)
			if slices.Index(KindNames(), when) <= 0 {
				f.checkCode(at, when)
			}
			if earlier, ok := taken[when]; ok {
				f.broken(at, "%q is never reached, [%d] has it already", when, earlier)
			}
			taken[when] = i
		}
		if p.Mid == nil {
			f.broken(at+".mid", "is missing: it is what high and low are, too, where they say nothing")
		}
		for name, play := range map[string]*playFile{"high": p.High, "mid": p.Mid, "low": p.Low} {
			if play != nil {
				f.checkPlay(at+"."+name, play)
			}
		}
	}
}

func (f *packFile) checkPlay(at string, p *playFile) {
	f.checkName(at+".id", p.ID)
	f.checkName(at+".owner", p.Owner)
	f.checkSpan(at+".respond_within", p.RespondWithin, time.Minute)
}

// buildValue compiles the value.
func (k *Pack) buildValue(f *packFile) {
	k.Value.Feature = -1
	if v := f.Value; v != nil {
		order, _ := f.featureOrder()
		k.Value = Value{slices.Index(order, v.Feature), v.High, v.Mid}
	}
}

// buildPlaybooks compiles the playbooks.
func (k *Pack) buildPlaybooks(f *packFile) {
	for i := range f.Playbooks {
		file := &f.Playbooks[i]
		p := Playbook{When: file.When}
		for tier, play := range map[ValueTier]*playFile{ValueUnknown: file.Mid, ValueLow: file.Low, ValueMid: file.Mid, ValueHigh: file.High} {
			if play == nil {
				play = file.Mid
			}
			d, _ := parseDays(play.RespondWithin)
			p.Plays[tier] = Play{ID: strings.Clone(play.ID), Owner: play.Owner, Respond: d}
		}
		k.Playbooks = append(k.Playbooks, p)
	}
}
