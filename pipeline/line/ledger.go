package line

import (
	"ebb/pipeline"
)

// A decision that is no alert at once has a line in the ledger, so that anybody can tell why nothing went out: it is
// withheld or held, and a held one is released or withdrawn later (ADR 32). It is an entry of the commit that brings it
// about, at the same place as an alert would be, so a takeover publishes it once, too.

// place is what the line is at work on: what it decides there stands at the same place in the outbox.
type place struct {
	offset  int64        // the record; -1: none
	due     pipeline.Due // the deadline, without a record
	release int64        // number of the release, without either; 0: there is none
}

// put gives an entry the place of what is being decided.
func (l *Line) put(e *pipeline.Entry) {
	switch p := &l.place; {
	case p.release > 0:
		e.Offset, e.Due, e.Next, e.Release = -1, l.meta.Clock.Fired, l.meta.Next, p.release
	case p.offset < 0:
		e.Offset, e.Due, e.Next = -1, p.due, l.folded
	default: // so far had sweeps fired
		e.Offset, e.Due = p.offset, l.meta.Clock.Fired
	}
}

// recordDecision adds what became of a decision to the ledger.
func (l *Line) recordDecision(on *decided, o pipeline.Outcome, reason string) {
	if !l.records() {
		return
	}
	readProbability(on)
	r := pipeline.RulingOf(o, reason, &on.Alert.Decision, on.Alert.Priority(on.Pack))
	if o == pipeline.Hold {
		r.Review = on.Review
	}
	if o == pipeline.Hold && on.Hold == pipeline.HeldBudget {
		r.Place, r.Expires = uint32(l.held.lane(on.Hold, on.Lane).place(r.Priority)), on.Alert.Expires
	}
	if on.Was.Reason != 0 {
		r.Decided = on.Was.At
	}
	l.record(on.Key, r)
}

// record adds a line to the ledger, unless it was published before the state was rolled back.
func (l *Line) record(key []byte, r pipeline.Ruling) {
	if !l.records() {
		return
	}
	e := &l.ruling
	*e = pipeline.Entry{Kind: pipeline.EntryDecision, Key: key, Ruling: r}
	if l.put(e); !l.mark.Covers(e) {
		l.staged.append(e, nil)
	}
}

// records reports whether decisions are recorded: of history only what comes of it is, since it may hold each customer.
func (l *Line) records() bool { return l.meta.First.Raises() }
