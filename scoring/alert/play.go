package alert

import (
	"strconv"
	"time"

	"ebb/scoring"
	"ebb/scoring/pack"
)

// appendPlaybook appends what to do about a decision; nothing where the pack declares nothing for it.
func (r *Renderer) appendPlaybook(dst []byte, d *scoring.Decision) []byte {
	if d.Play == 0 {
		return dst
	}
	p := r.Pack.Play(d.Play)
	dst = append(append(append(dst, `,"playbook":{"id":"`...), p.ID...), `","step":`...)
	dst = strconv.AppendUint(dst, uint64(d.Step), 10)
	task := p.At(d.Step)
	if task.Action != "" {
		dst = append(append(append(dst, `,"action":"`...), task.Action...), '"')
	}
	dst = append(append(append(dst, `,"intent":"`...), task.Intent...), '"')
	if task.Intent != pack.IntentNone {
		dst = append(append(append(dst, `,"owner":"`...), task.Owner...), `","respond_by":"`...)
		dst = append(AppendTime(dst, d.At+task.Respond.Milliseconds()), '"')
	}
	if d.Supersedes != "" {
		dst = append(append(append(dst, `,"supersedes":"`...), d.Supersedes...), '"')
	}
	return append(dst, '}')
}

// saidPlaybook is the playbook of an alert.
type saidPlaybook struct {
	ID         string    `json:"id"`
	Step       uint8     `json:"step"`
	Owner      string    `json:"owner"`
	RespondBy  time.Time `json:"respond_by"`
	Supersedes string    `json:"supersedes"`
}

// decode sets the decision's play to the pack's first one that is the same; 0: none is.
func (said *saidPlaybook) decode(d *scoring.Decision, k *pack.Pack) {
	if said == nil {
		return
	}
	within := time.Duration(0)
	if !said.RespondBy.IsZero() {
		within = said.RespondBy.Sub(time.UnixMilli(d.At))
	}
	d.Step, d.Supersedes = said.Step, said.Supersedes
	for ref := pack.PlayRef(1); k.HasPlay(ref); ref++ {
		p := k.Play(ref)
		if task := p.At(said.Step); p.ID == said.ID && task.Owner == said.Owner && task.Respond == within {
			d.Play = ref
			return
		}
	}
}

// followPlay sets the play that follows from the rest of a decision. What was in force before is not in an alert: where
// nothing is chosen anew, and as what is superseded, it is taken as it is.
func (r *Renderer) followPlay(d *scoring.Decision) {
	switch {
	case d.Transition.Ends():
		d.Play = 0
	case d.Transition == scoring.Raised:
		d.Play = d.ChoosePlay(r.Pack)
	case d.Transition == scoring.Escalated:
		if chosen := d.ChoosePlay(r.Pack); chosen != 0 {
			d.Play = chosen
		}
	}
	another := d.Transition == scoring.Escalated && d.Play != 0 && len(d.Supersedes) <= pack.MaxName &&
		r.Pack.Play(d.Play).ID != d.Supersedes
	if !another {
		d.Supersedes = ""
	}
	switch {
	case d.Play == 0:
		d.Step = 0
	case d.Transition == scoring.Raised || d.Supersedes != "":
		d.Step = 1
	case d.Transition == scoring.Reminded:
		d.Step = min(max(d.Step, 2), uint8(len(r.Pack.Play(d.Play).Steps)+1))
	default: // how many times it was named before, and to which step it had come, is not in an alert
		d.Step = max(d.Step, 1)
	}
}
