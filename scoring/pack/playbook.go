package pack

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"ebb/scoring/profile"
)

// Playbook is what to do about an alert to which one of its conditions applies.
type Playbook struct {
	When  []When
	Plays [numValueTiers]Play
}

// Play is what people or machines are to do, at once and in later steps.
type Play struct {
	ID string
	Task
	Mark  profile.PlayMark
	Steps []Step // of a lapse, while it is open; by rising time
}

// Task is what is to be done, by whom and by when.
type Task struct {
	Action  string // of a step; empty: what the play says
	Intent  string
	Owner   string        // a role; empty where nothing is to be done
	Respond time.Duration // within this time; 0 where nothing is to be done
}

// Step is a later task of a play.
type Step struct {
	After int64 // ms since the play came into force
	Task
}

// At is what the play asks for at a step, from 1. A play without steps of its own always asks for the same.
func (p *Play) At(step uint8) *Task {
	if i := int(step) - 2; i >= 0 && i < len(p.Steps) {
		return &p.Steps[i].Task
	}
	return &p.Task
}

// IntentNone is the intent of a play that does nothing.
const IntentNone = "none"

// intents is the closed list of what a play is for. The names are a contract.
var intents = []string{ //nolint:gochecknoglobals // a table
	"service", "billing", "content", "offer", "call", IntentNone,
}

// Intents are the intents, in order.
func Intents() []string { return slices.Clone(intents) }

// PlayRef names a play of a pack: 1 + its playbook's index times the number of value tiers, plus the tier. 0: none.
type PlayRef uint16

// MaxPlayRef is the greatest reference in any pack.
const MaxPlayRef = PlayRef(maxPlaybooks) * PlayRef(numValueTiers)

// Play is the play of a reference that is not 0.
func (k *Pack) Play(ref PlayRef) *Play {
	i := ref - 1
	return &k.Playbooks[i/PlayRef(numValueTiers)].Plays[i%PlayRef(numValueTiers)]
}

// HasPlay reports whether a reference is 0, or to a play of the pack.
func (k *Pack) HasPlay(ref PlayRef) bool { return int(ref) <= len(k.Playbooks)*int(numValueTiers) }

// PlayMarked is the play with a mark, of those with a value tier if it is among them; 0: the pack has none.
func (k *Pack) PlayMarked(mark profile.PlayMark, tier ValueTier) (ref PlayRef) {
	for i := range k.Playbooks {
		for t := range k.Playbooks[i].Plays {
			if k.Playbooks[i].Plays[t].Mark != mark || ref != 0 && ValueTier(t) != tier {
				continue
			}
			if ref = playRef(i, ValueTier(t)); ValueTier(t) == tier {
				return ref
			}
		}
	}
	return ref
}

func playRef(playbook int, tier ValueTier) PlayRef {
	return 1 + PlayRef(playbook)*PlayRef(numValueTiers) + PlayRef(tier)
}

// PlayIDs are the ids of the pack's plays by their marks.
func (k *Pack) PlayIDs() map[profile.PlayMark]string {
	all := map[profile.PlayMark]string{}
	for i := range k.Playbooks {
		for _, play := range k.Playbooks[i].Plays {
			all[play.Mark] = play.ID
		}
	}
	return all
}

// PlayMarkOf is the mark of a play's id.
func PlayMarkOf(id string) profile.PlayMark { return profile.PlayMark(xxhash.Sum64String(id)) }

// Choose is the play for an alert: the alert's reasons are tried in the order of codes, and for the first of them to
// which a playbook applies it is the first such playbook of the file. 0: none applies.
func (k *Pack) Choose(c *Case, codes ...string) PlayRef {
	for _, code := range codes {
		for i := range k.Playbooks {
			if k.Playbooks[i].applies(c, code) {
				return playRef(i, c.Value)
			}
		}
	}
	return 0
}

func (p *Playbook) applies(c *Case, code string) bool {
	for i := range p.When {
		if p.When[i].holds(c, code) {
			return true
		}
	}
	return false
}

type playbookFile struct {
	When any       `json:"when"           yaml:"when"` // see parseWhens
	High *playFile `json:"high,omitempty" yaml:"high"`
	Mid  *playFile `json:"mid"            yaml:"mid"`
	Low  *playFile `json:"low,omitempty"  yaml:"low"`
}

type playFile struct {
	ID            string `json:"id"                       yaml:"id"`
	Intent        string `json:"intent"                   yaml:"intent"`
	Owner         string `json:"owner,omitempty"          yaml:"owner"`
	RespondWithin string `json:"respond_within,omitempty" yaml:"respond_within"`

	Steps []stepFile `json:"steps,omitempty" yaml:"steps"`
}

const maxPlaybooks = 64

// plays are the playbook's plays as written, by the value tier that they are for.
func (p *playbookFile) plays(yield func(tier string, play *playFile) bool) {
	for _, e := range [...]struct {
		tier string
		play *playFile
	}{{"high", p.High}, {"mid", p.Mid}, {"low", p.Low}} {
		if e.play != nil && !yield(e.tier, e.play) {
			return
		}
	}
}

// checkPlaybooks notes what is wrong with the playbooks.
func (f *file) checkPlaybooks() {
	if len(f.Playbooks) > maxPlaybooks {
		f.broken("playbooks", "%d, at most %d", len(f.Playbooks), maxPlaybooks)
	}
	marks, plays := map[profile.PlayMark]string{}, map[string]*playFile{}
	for i := range f.Playbooks {
		p := &f.Playbooks[i]
		at := fmt.Sprintf("%s[%d]", f.at("playbooks"), i)
		f.checkWhens(at+".when", p.When)
		if p.Mid == nil {
			f.broken(at+".mid", "is missing: it is what high and low are, too, where they are missing")
		}
		for tier, play := range p.plays {
			f.checkPlay(at+"."+tier, play)
			if other, taken := marks[PlayMarkOf(play.ID)]; taken && other != play.ID {
				f.broken(at+"."+tier+".id", "%q cannot be told from %q in a state, must be another", play.ID, other)
			}
			marks[PlayMarkOf(play.ID)] = play.ID
			f.checkSteps(at+"."+tier+".steps", play, plays)
		}
	}
}

func (f *file) checkPlay(at string, p *playFile) {
	f.checkShort(at+".id", p.ID)
	f.checkTask(at, p.Intent, p.Owner, p.RespondWithin)
}

func (f *file) checkTask(at, intent, owner, respondWithin string) {
	if !slices.Contains(intents, intent) {
		f.broken(at+".intent", "%q, must be one of %s", intent, strings.Join(intents, ", "))
	}
	if intent == IntentNone {
		if owner != "" || respondWithin != "" {
			f.broken(at, "has an owner or a time to respond, and intent none does nothing")
		}
		return
	}
	f.checkShort(at+".owner", owner)
	f.checkSpan(at+".respond_within", respondWithin, time.Minute)
}

// taskOf compiles a task.
func taskOf(action, intent, owner, respondWithin string) Task {
	t := Task{Action: action, Intent: intent, Owner: owner}
	if respondWithin != "" {
		t.Respond, _ = parseDays(respondWithin)
	}
	return t
}

// buildPlaybooks compiles the playbooks.
func (k *Pack) buildPlaybooks(f *file) {
	for i := range f.Playbooks {
		file := &f.Playbooks[i]
		p := Playbook{When: k.buildWhens(f, file.When)}
		for tier, play := range map[ValueTier]*playFile{
			ValueUnknown: file.Mid,
			ValueLow:     file.Low,
			ValueMid:     file.Mid,
			ValueHigh:    file.High,
		} {
			if play == nil {
				play = file.Mid
			}
			p.Plays[tier] = Play{
				ID: play.ID, Task: taskOf("", play.Intent, play.Owner, play.RespondWithin), Mark: PlayMarkOf(play.ID),
				Steps: buildSteps(play.Steps),
			}
		}
		k.Playbooks = append(k.Playbooks, p)
	}
}

func (f *file) normalisePlaybooks() {
	for i := range f.Playbooks {
		p := &f.Playbooks[i]
		p.When = f.normalWhens(p.When)
		for _, play := range p.plays {
			play.RespondWithin = normalSpan(play.RespondWithin)
			normaliseSteps(play.Steps)
		}
	}
}
