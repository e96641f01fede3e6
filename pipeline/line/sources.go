package line

import (
	"ebb/pipeline"
	"ebb/pipeline/sources"
)

// A source that falls silent is told from customers who do (package sources). Its state is a function of the records: it
// turns where the watermark passes the end of an hour, or by an event, and each deadline is decided by how it stood at
// that deadline's minute, whoever fires it. After a turn no further record is folded before the sweep has reached the
// watermark (settled), so that no more than one record's turns have to be kept.

// guarded reports whether sources are judged.
func (l *Line) guarded() bool { return l.settings.Guard != 0 }

// hear notes the life of an event's source, once the event has moved the watermark, and returns the source's number. A
// backfilled event of the past shows no life.
func (l *Line) hear(e *pipeline.Event, source uint64) (number uint8) {
	if !l.guarded() || !l.meta.Clock.Started {
		return 0
	}
	t := &l.meta.Sources
	t.Reach(l.meta.Clock.Watermark)
	if e.Backfill && e.Time < l.meta.Clock.Watermark { // somebody sends the past
		number = t.Number(source, e.Source)
	} else {
		number = t.Heard(source, e.Source, l.meta.Clock.Watermark)
	}
	if turns := t.Take(); len(turns) > 0 { // at few events; an entry costs more than all else here
		l.tellTurns(turns, pipeline.Entry{Offset: e.Offset, Due: l.meta.Clock.Fired})
	}
	return number
}

// tellTurns announces which sources have turned, at the position of what they turned by, unless that was published before
// the state was rolled back.
func (l *Line) tellTurns(turns []sources.Turn, by pipeline.Entry) {
	for i := range turns {
		by.Kind, by.Change = pipeline.EntryControl, pipeline.TurnOf(&turns[i])
		if !l.mark.Covers(&by) {
			l.staged.append(&by, nil)
			l.staged.Told = append(l.staged.Told, by.Change)
		}
	}
}

// Sources calls f with the name of each guarded source and whether it is stalled.
func (l *Line) Sources(f func(name string, stalled bool)) { l.meta.Sources.Now(f) }

// thaw takes into account how long the customer's source has been stalled up to a minute, and reports whether it is then.
func (l *Line) thaw(c *customer, minute int64) (stalled bool) {
	moved, stalled := l.meta.Sources.Thaw(&c.profile, minute)
	if moved {
		l.touch(c)
	}
	return stalled
}

// settled reports whether the sweep has reached the watermark since a source turned; it sweeps for that.
func (l *Line) settled() bool {
	if !l.meta.Sources.Turned() {
		return true
	}
	l.sweep(l.sweepTo())
	if l.overdue() {
		return false
	}
	l.meta.Sources.Settle()
	return true
}

// waits reports whether a customer is not to be looked at at its armed minute; see sources.Table.Waits.
func (l *Line) waits(c *customer, minute int64) bool {
	moved, waits := l.meta.Sources.Waits(&c.profile, minute)
	if moved {
		l.touch(c)
	}
	return waits
}
