package alert

import (
	"ebb/scoring"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// play is the pack's advice for a decision; nil: none. The weightiest of the alert's reasons that has a playbook
// counts. Overdue is a reason of every lapse, so it counts last, and the kind after it.
func (r *Renderer) play(d *scoring.Decision, value pack.ValueTier) *pack.Play {
	if d.Transition.Ends() || len(r.Pack.Playbooks) == 0 {
		return nil
	}
	var room [maxReasons]weighed
	reasons := r.reasons(room[:0], d)
	if d.Kind == profile.Lapse {
		for _, w := range reasons[1:] {
			if p := r.Pack.PlaybookFor(w.code); p != nil {
				return &p.Plays[value]
			}
		}
	}
	p := r.Pack.PlaybookFor(reasons[0].code)
	if p == nil && d.Kind != profile.Lapse {
		p = r.Pack.PlaybookFor(d.Kind.String())
	}
	if p == nil {
		return nil
	}
	return &p.Plays[value]
}
