package pack

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ebb/scoring/profile"
)

// Playbook is what to do about an alert.
type Playbook struct {
	When  []string // kinds, or codes of an alert's weightiest reason
	Plays [numValueTiers]Play
}

// Play is one step for people or machines to take.
type Play struct {
	ID      string        `json:"id"`
	Owner   string        `json:"owner"` // a role
	Respond time.Duration `json:"-"`     // within this time
}

// PlaybookFor is the playbook for a reason or a kind, nil where there is none.
func (k *Pack) PlaybookFor(when string) *Playbook {
	for i := range k.Playbooks {
		if p := &k.Playbooks[i]; slices.Contains(p.When, when) {
			return p
		}
	}
	return nil
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

// checkPlaybooks notes what is wrong with the playbooks.
func (f *file) checkPlaybooks() {
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
			if slices.Index(profile.KindNames(), when) <= 0 {
				f.checkCode(at, when)
			}
			if earlier, ok := taken[when]; ok {
				f.broken(at, "%q is never reached, [%d] has it already", when, earlier)
			}
			taken[when] = i
		}
		if p.Mid == nil {
			f.broken(at+".mid", "is missing: it is what high and low are, too, where they are missing")
		}
		for name, play := range map[string]*playFile{"high": p.High, "mid": p.Mid, "low": p.Low} {
			if play != nil {
				f.checkPlay(at+"."+name, play)
			}
		}
	}
}

func (f *file) checkPlay(at string, p *playFile) {
	f.checkShort(at+".id", p.ID)
	f.checkShort(at+".owner", p.Owner)
	f.checkSpan(at+".respond_within", p.RespondWithin, time.Minute)
}

// buildPlaybooks compiles the playbooks.
func (k *Pack) buildPlaybooks(f *file) {
	for i := range f.Playbooks {
		file := &f.Playbooks[i]
		p := Playbook{When: file.When}
		for tier, play := range map[ValueTier]*playFile{
			ValueUnknown: file.Mid,
			ValueLow:     file.Low,
			ValueMid:     file.Mid,
			ValueHigh:    file.High,
		} {
			if play == nil {
				play = file.Mid
			}
			d, _ := parseDays(play.RespondWithin)
			p.Plays[tier] = Play{ID: strings.Clone(play.ID), Owner: play.Owner, Respond: d}
		}
		k.Playbooks = append(k.Playbooks, p)
	}
}

// lintPlaybooks notes playbooks that no alert names.
func (k *Pack) lintPlaybooks(note func(string, ...any)) {
	given := map[string]bool{
		ReasonOverdue:        true,
		ReasonRareVisitor:    true,
		ReasonLittleActivity: true,
		ReasonNewCustomer:    true,
	}
	for _, weight := range k.Friction {
		given[ReasonFriction] = given[ReasonFriction] || weight > 0
	}
	weak := map[string]float64{}
	for i := range k.Model.Factors {
		c := &k.Model.Factors[i]
		adds := c.Curve.Most(k.reach(c.Feature))
		given[c.Code] = given[c.Code] || adds >= MinShare
		weak[c.Code] = max(weak[c.Code], adds)
	}
	for n := range k.Kinds {
		for _, o := range k.Kinds[n].Opens {
			given[o.Code], given[profile.Kind(n).String()] = true, true
		}
	}
	for i := range k.Playbooks {
		for _, when := range k.Playbooks[i].When {
			switch adds, factor := weak[when]; {
			case given[when]:
			case factor:
				note("playbook for %s: its factor adds %v at most, and what adds less than %v is no reason", when, adds, MinShare)
			default:
				note("playbook for %s: no alert of the pack gives it as a reason, nor is of that kind", when)
			}
		}
	}
}

func (f *file) normalisePlaybooks() {
	for i := range f.Playbooks {
		p := &f.Playbooks[i]
		slices.Sort(p.When)
		for _, play := range []*playFile{p.High, p.Mid, p.Low} {
			if play != nil {
				play.RespondWithin = normalSpan(play.RespondWithin)
			}
		}
	}
}
