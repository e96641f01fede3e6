package scoring

import (
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// assignPlay gives a decision about p its play, and keeps it in force. An episode's play is chosen with its raise, and
// anew with each escalation; in between, and where nothing else applies then, it stays. A play with steps of its own goes
// on by these alone. begins: it was not in force before.
func (s *Scorer) assignPlay(p *profile.Profile, d *Decision) (begins bool) {
	inForce, step := &p.Plays[d.Kind], &p.Steps[d.Kind]
	if d.Transition == Raised || d.Transition.Ends() {
		*inForce, *step = 0, 0
	}
	if d.Transition.Ends() {
		return false
	}
	before := *inForce
	if d.Transition == Raised || d.Transition == Escalated {
		d.Play = d.ChoosePlay(s.Pack)
	}
	if d.Play == 0 {
		if before != 0 {
			d.Play = s.Pack.PlayMarked(before, d.ValueTier(s.Pack))
		}
		if d.Play != 0 {
			d.Step = *step
		}
		return false
	}
	switch *inForce = s.Pack.Play(d.Play).Mark; {
	case before == *inForce && len(s.Pack.Play(d.Play).Steps) == 0: // the same again: its next step, with a new date
		*step = max(*step+1, *step) // at 255 it stays
	case before == *inForce:
	case before != 0:
		d.Supersedes = s.plays[before]
		fallthrough
	default:
		*step, begins = 1, true
	}
	d.Step = *step
	return begins
}

// ChoosePlay is the play that k's playbooks have for an alert of d; 0: none applies. The weightiest reason to which one
// applies counts. Of a lapse overdue is tried last, since every lapse has it; of other kinds the opening's reason is
// tried alone.
func (d *Decision) ChoosePlay(k *pack.Pack) pack.PlayRef {
	if len(k.Playbooks) == 0 {
		return 0
	}
	var room [MaxReasons]Reason
	var codes [MaxReasons]string
	reasons, n := d.Reasons(room[:0], k), 0
	if d.Kind == profile.Lapse {
		for _, r := range reasons[1:] {
			codes[n] = r.Code
			n++
		}
	}
	codes[n] = reasons[0].Code
	c := pack.Case{
		Kind: d.Kind, Tier: d.Tier, Value: d.ValueTier(k), Trouble: d.Trouble.Type, Score: &d.Score,
	}
	return k.Choose(&c, codes[:n+1]...)
}
