package line

import "ebb/pipeline"

// proposeHistory is the control record that says which records are history to a group that first starts; nil: none.
func (l *Line) proposeHistory() *Change {
	if !l.mark.Fresh || l.mark.History <= l.meta.Next || l.meta.First.Until != 0 {
		return nil
	}
	change := pipeline.Change{Kind: pipeline.ControlHistory, Until: l.mark.History}
	return &Change{Offset: l.meta.Next, Change: change}
}

// beginHistory makes the records below until history.
func (l *Line) beginHistory(until int64) {
	if l.meta.First.Until == 0 {
		l.meta.First.Until = until
	}
}

// atBoundary reports whether all of history is folded and it is not over. No record is folded before it is: what was due
// by then is history, whichever batch brings the next record.
func (l *Line) atBoundary() bool {
	f := &l.meta.First
	return !f.Raises() && l.meta.Next >= f.Until
}

// leaveHistory ends history once every deadline up to the watermark has fired, and removes some of the held raises that
// nothing will release.
func (l *Line) leaveHistory() {
	if f := &l.meta.First; l.atBoundary() && !l.overdue() {
		f.Over = true
		f.Gone = max(0, l.meta.Clock.Watermark-goneHorizons*l.scorer.Pack.Horizon.Milliseconds())
		l.held.giveUp(f.Gone)
		f.Waiting = int64(l.held.lane(pipeline.HeldHistory, "").count - len(l.held.gone))
	}
	n := min(len(l.held.gone), goneLimit)
	for _, key := range l.held.gone[:n] {
		if l.held.has(key) {
			l.staged.Tally.Gone++
			l.forgo(key)
		}
	}
	l.held.gone = l.held.gone[n:]
}
