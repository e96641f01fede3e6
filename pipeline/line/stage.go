package line

import (
	"ebb/pipeline"
	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// The episode machine of package scoring decides what a score or a trigger means for its customer: raised, escalated,
// recovered. From there a decision passes the stages on its way to the outbox.

// stages are between the score and the outbox, in the order in which a decision passes them. Each has a file of its
// own. One that withholds stands behind withholdUnraised, so that it does not judge what follows of a withheld raise,
// and before readProbability. (A customer's stages of life are something else: profile.Stage.)
var stages = [...]stage{
	withholdUnraised,
	readProbability,
	withholdPublished, // the last: so what earlier stages keep is the same in a replay
}

// stage looks at one decision. It lets it pass, changes it, or withholds it for a reason, a constant in snake_case that
// metrics show. It is a function of its arguments: no clock, no chance, no I/O. State of a stage has a section of its
// own, in the customer's profile or in the partition's meta.
type stage func(d *decided) (withheld string)

// decided is a decision on its way to the outbox, with what a stage may use.
type decided struct {
	pipeline.Entry // the decision and what caused it; Entry.Alert.Decision.At is event time

	Customer *profile.Customer // the customer after the decision
	Pack     *pack.Pack        // under which it was decided
	Newest   *pack.Pack        // of the partition
	Meta     *pipeline.Meta    // the partition's position
	Curves   *model.Curves     // of the closed epochs of learning
	Mark     *pipeline.Mark    // published before the takeover
}

// decided takes a decision through the stages to the outbox. offset and due are its cause, as in pipeline.Entry.
func (l *Line) decided(c *customer, d *scoring.Decision, offset int64, due pipeline.Due, cause alert.Cause) {
	on := &l.deciding
	on.Entry = pipeline.Entry{
		Kind: pipeline.EntryAlert, Offset: offset, Due: due, Key: l.cache.key(c),
		Alert: alert.Alert{Decision: *d, Cause: cause}, PackEpoch: c.profile.PackEpoch,
	}
	if on.Entry.Next = l.folded; offset >= 0 {
		on.Entry.Due, on.Entry.Next = l.meta.Clock.Fired, 0
	}
	on.Customer, on.Pack, on.Newest = l.look(c), l.packOf(c), l.scorer.Pack
	on.Meta, on.Curves, on.Mark = &l.meta, &l.curves, &l.mark
	t := &l.staged.Tally
	if why := pass(stages[:], on); why != "" {
		if t.withhold(why); why != Repeated {
			t.Unsent[on.Alert.Kind][on.Alert.Transition]++
		} else if l.repeated != nil {
			l.repeated(&on.Entry, on.Pack)
		}
		return
	}
	l.staged.append(&on.Entry, nil)
	t.Alerts[on.Alert.Transition]++
	t.Tiers[on.Alert.Tier]++
}

// pass takes a decision through stages, and returns why one of them withheld it; empty: none did. The episode has moved
// on either way, so a withheld raise is noted: an alert that was never raised must not recover.
func pass(through []stage, d *decided) (withheld string) {
	for _, look := range through {
		if withheld = look(d); withheld != "" {
			break
		}
	}
	if withheld != "" && withheld != Repeated && d.Alert.Transition == scoring.Raised {
		d.Customer.Withheld |= 1 << d.Alert.Kind
	}
	return withheld
}
