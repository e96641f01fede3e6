package pack

import (
	"fmt"
	"slices"
	"time"
)

// stepFile is a later step of a play as written.
type stepFile struct {
	After         string `json:"after"                    yaml:"after"`
	Action        string `json:"action"                   yaml:"action"`
	Intent        string `json:"intent"                   yaml:"intent"`
	Owner         string `json:"owner,omitempty"          yaml:"owner"`
	RespondWithin string `json:"respond_within,omitempty" yaml:"respond_within"`
}

// maxSteps is how many later steps a play has at most. Who is silent after so many letters is not won by another one.
const maxSteps = 4

// checkSteps notes what is wrong with a play's steps. plays are those checked before, by their ids: a state knows a play by
// its id, so plays of the same id have the same steps.
func (f *file) checkSteps(at string, p *playFile, plays map[string]*playFile) {
	if other, known := plays[p.ID]; known && !slices.Equal(other.Steps, p.Steps) {
		f.broken(at, "differ from those of another play %q, must be the same or another id", p.ID)
	}
	plays[p.ID] = p
	if len(p.Steps) > maxSteps {
		f.broken(at, "%d, at most %d", len(p.Steps), maxSteps)
	}
	if len(p.Steps) > 0 && p.Intent == IntentNone {
		f.broken(at, "follow a play that does nothing")
	}
	before := time.Duration(0)
	for i := range p.Steps {
		s, at := &p.Steps[i], fmt.Sprintf("%s[%d]", at, i)
		f.checkShort(at+".action", s.Action)
		f.checkTask(at, s.Intent, s.Owner, s.RespondWithin)
		after := f.checkSpan(at+".after", s.After, leastSpan)
		if after > 0 && after <= before {
			f.broken(at+".after", "%s, must be later than the step before", s.After)
		}
		before = max(before, after)
	}
}

// buildSteps compiles a play's steps.
func buildSteps(files []stepFile) (steps []Step) {
	for _, s := range files {
		after, _ := parseDays(s.After)
		steps = append(steps, Step{after.Milliseconds(), taskOf(s.Action, s.Intent, s.Owner, s.RespondWithin)})
	}
	return steps
}

func normaliseSteps(steps []stepFile) {
	for i := range steps {
		steps[i].After, steps[i].RespondWithin = normalSpan(steps[i].After), normalSpan(steps[i].RespondWithin)
	}
}

// lintSteps notes steps that no lapse comes to.
func (k *Pack) lintSteps(note func(string, ...any)) {
	g := k.givenReasons()
	for i := range k.Playbooks {
		steps, lapses := false, false
		for j := range k.Playbooks[i].Plays {
			for n, s := range k.Playbooks[i].Plays[j].Steps {
				if steps = true; s.After >= k.Horizon.Milliseconds() && ValueTier(j) != ValueUnknown {
					note("playbooks[%d], %s: step %d comes after the horizon, when the silence has come true",
						i, k.Playbooks[i].Plays[j].ID, n+2)
				}
			}
		}
		for j := range k.Playbooks[i].When {
			w := &k.Playbooks[i].When[j]
			for _, code := range w.each() {
				lapses = lapses || g.kindsOf(w, code)&1 != 0
			}
		}
		if steps && !lapses {
			note("playbooks[%d]: has steps, and only a lapse goes through them", i)
		}
	}
}
