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
	withholdStorm, // it counts what history withholds, too
	withholdHistory,
	withholdSilence,
	withholdBudget,
	readProbability,
	assignArm,
	withholdPublished, // the last: so what earlier stages keep is the same in a replay
}

// released are the stages of a held raise that is released: it may be held once more.
var released = [...]stage{withholdSilence, withholdBudget, readProbability, assignArm, withholdPublished}

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
	Backfill bool              // it follows from a backfilled event alone

	Settings *pipeline.Settings // in force
	Budgets  pipeline.Budgets   // the same
	Again    bool               // the same event has raised a lapse of the customer before, which a late one can do

	// Hold is set by a stage that withholds a raise which may be released later; 0: it is withheld for good.
	Hold    pipeline.HoldReason
	Review  int64          // with Hold: see pipeline.Held
	Silence int64          // the same
	Lane    string         // the same
	Opens   pipeline.Storm // set by withholdStorm: a storm that opens by this raise; zero: none does

	Tells bool // set by assignArm: the customer's arm is published with the alert

	Was pipeline.Held // how the raise was held that is decided anew; zero: it is new
}

// decided takes a decision through the stages to the outbox.
func (l *Line) decided(c *customer, d *scoring.Decision, cause alert.Cause) {
	on := l.decision(c, d, cause)
	l.staged.Tally.Decided++
	l.conclude(on, pass(stages[:], on))
	if d.Transition == scoring.Raised && d.Kind == profile.Lapse {
		l.raisedBy = on.Offset
	}
}

// decision is a decision about a customer with what the stages may use.
func (l *Line) decision(c *customer, d *scoring.Decision, cause alert.Cause) *decided {
	on := &l.deciding
	*on = decided{
		Entry: pipeline.Entry{
			Kind: pipeline.EntryAlert, Key: l.cache.key(c), Alert: alert.Alert{Decision: *d, Cause: cause},
			PackEpoch: c.profile.PackEpoch,
		},
		Customer: l.look(c), Pack: l.packOf(c), Newest: l.scorer.Pack, Backfill: l.backfill,
		Meta: &l.meta, Curves: &l.curves, Mark: &l.mark, Settings: &l.settings, Budgets: l.budgets,
	}
	l.put(&on.Entry)
	on.Again = on.Offset >= 0 && on.Offset == l.raisedBy
	if d.Contact.Zone() == 0 {
		tenant, _ := pipeline.SplitKey(on.Key)
		on.Alert.Home = uint32(l.homes.Of(tenant))
	}
	return on
}

// conclude does what the stages say: it publishes a decision, holds it, or withholds it for a reason.
func (l *Line) conclude(on *decided, withheld string) {
	t := &l.staged.Tally
	if on.Opens.Number > 0 {
		l.announceStorm(on)
	}
	if on.Tells {
		l.announceArm(on.Key, on.Alert.Assigned)
	}
	switch {
	case on.Hold != 0:
		l.hold(on)
		l.recordDecision(on, pipeline.Hold, withheld)
	case withheld == "":
		l.staged.append(&on.Entry, nil)
		t.Alerts[on.Alert.Transition]++
		t.Tiers[on.Alert.Tier]++
		t.Arms[on.Alert.Assigned.Arm]++
	case withheld == Repeated:
		t.repeat()
		if l.repeated != nil {
			l.repeated(&on.Entry, on.Pack)
		}
	default:
		t.withholdDecision(withheld, on.Alert.Kind, on.Alert.Transition)
		l.recordDecision(on, pipeline.Withheld, withheld)
		if withheld == Unraised {
			l.follow(on)
		}
	}
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
