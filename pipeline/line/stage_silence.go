package line

import (
	"ebb/pipeline"
	"ebb/scoring"
)

// InSilence is the reason of a raise that is held, for a silence matches it, or an escalation or reminder that one withholds.
const InSilence = "silence"

// withholdSilence holds a raise that a silence in force matches, until the last of them is over. What else asks
// somebody to act is withheld; what ends or lowers an episode passes, since its raise was published.
func withholdSilence(d *decided) string {
	if len(d.Meta.Silences) == 0 || !d.Alert.Transition.Asks() {
		return ""
	}
	s := d.silence()
	switch {
	case s == nil:
		return ""
	case d.Alert.Transition == scoring.Raised:
		d.Hold, d.Review, d.Silence = pipeline.HeldSilence, s.Minute(), s.Number
	}
	return InSilence
}

// silence is the one that holds d back for longest; nil: none does.
func (d *decided) silence() (last *pipeline.Silence) {
	tenant, _ := pipeline.SplitKey(d.Key)
	playbook := ""
	if d.Alert.Play != 0 {
		playbook = d.Pack.Play(d.Alert.Play).ID
	}
	for i := range d.Meta.Silences {
		s := &d.Meta.Silences[i]
		if s.Over(d.Alert.At) || !s.Match.Of(d.Alert.Kind, playbook, string(tenant), d.Pack.Name) {
			continue
		}
		if last == nil || s.Minute() > last.Minute() {
			last = s
		}
	}
	return last
}
