package line

import (
	"math"

	"ebb/pipeline"
	"ebb/scoring/alert"
)

// fire looks at the customer at each of its deadlines and probes up to minute, when its event arrives.
func (l *Line) fire(c *customer, minute int64) {
	for c.profile.Armed != 0 && c.profile.Armed <= minute {
		l.wake(c)
	}
	l.probe(c, minute*pipeline.MinuteMillis)
}

// wake looks at the customer at its armed minute.
func (l *Line) wake(c *customer) {
	l.staged.Tally.Woken++
	minute := c.profile.Armed
	l.probe(c, minute*pipeline.MinuteMillis)
	if l.waits(c, minute) {
		return
	}
	decisions := l.packs.scorers[c.profile.PackEpoch].Wake(l.look(c))
	for i := range decisions {
		l.decided(c, &decisions[i], alert.Cause{Deadline: true, Time: minute * pipeline.MinuteMillis})
	}
	l.retire(c, minute)
}

// sweep fires deadlines in order up to limit, as far as their customers are loaded, and notes how far it came.
func (l *Line) sweep(limit pipeline.Due) {
	if !l.meta.Clock.Started || l.due.loaded == math.MinInt64 {
		return
	}
	if end := pipeline.BucketEnd(l.due.loaded); end.Compare(limit) < 0 {
		limit = end
	}
	for n := 0; l.looks > 0; l.looks-- {
		if n++; n%ahead == 1 {
			next := l.due.sorted
			l.cache.warm(l.cache.warmFind(len(next), func(n int) uint64 { return next[n].Hash }))
		}
		item, ok := l.due.peek(limit)
		if !ok {
			l.fired(limit)
			return
		}
		slot := l.cache.find(item.Hash, item.key)
		if slot < 0 {
			return // the next batch loads its profile
		}
		l.due.drop()
		l.fired(item.Due)
		l.place = place{offset: -1, due: item.Due}
		c := l.cache.at(slot)
		armed, probing := c.profile.Armed, l.probeMinute(c)
		if armed != item.Minute && probing != item.Minute || c.profile.Empty() {
			continue
		}
		l.probe(c, item.Minute*pipeline.MinuteMillis)
		if c.profile.Armed == item.Minute {
			l.wake(c)
		}
		l.arm(c, armed, probing)
		l.touch(c)
	}
}

// fired moves the position of fired deadlines, and drops the buckets that lie wholly below it.
func (l *Line) fired(to pipeline.Due) {
	if to.Compare(l.meta.Clock.Fired) <= 0 {
		return
	}
	from := pipeline.BucketOf(l.meta.Clock.Fired.Minute)
	l.meta.Clock.Fired = to
	l.swept(to.Minute)
	for b := from; pipeline.BucketEnd(b).Compare(to) <= 0; b++ {
		l.staged.sweep(b)
	}
}

// sweepTo is how far a sweep may fire: to the watermark. In the replay of a rolled-back state it may not pass the
// published sweep, so that each deadline fires as before, by a sweep or by an event; nor the place where a storm opens.
func (l *Line) sweepTo() pipeline.Due {
	to := pipeline.Due{Minute: l.meta.Clock.Minute(), Hash: math.MaxUint64}
	if l.replaying() && l.mark.Fired.Compare(to) < 0 {
		to = l.mark.Fired
	}
	if s := l.stormAhead(); s != nil && s.Fired.Compare(to) < 0 {
		to = s.Fired
	}
	return to
}

// Sweeping reports whether there is something to do without waiting for a record: deadlines to fire, history to leave, or
// held raises to remove.
func (l *Line) Sweeping() bool { return l.overdue() || l.atBoundary() || len(l.held.gone) > 0 }

// overdue reports whether there are deadlines to fire.
func (l *Line) overdue() bool { return l.meta.Clock.Started && l.due.pending(l.sweepTo()) }

// AtEdge reports whether no further record may be folded before a sweep has reached the end of an epoch (atBarrier),
// the watermark before a control record applies (Control) or after a source has turned, or history is over (atBoundary),
// or, in a replay at the published offset, the published sweep; nor before what applies without a record has applied.
// Otherwise a record would fire its customer's deadline, and what a sweep fired and published before the rollback would
// be decided again under another offset.
func (l *Line) AtEdge() bool {
	return l.atBarrier() || l.atBoundary() || l.controlled && l.Sweeping() || l.restAhead() || l.wanted != nil ||
		l.meta.Sources.Turned() && l.overdue() ||
		!l.replaying() && l.meta.Clock.Fired.Compare(l.mark.Fired) < 0
}

// arm notes in its bucket when to look at the customer again, if that is another minute than before: at its deadline,
// and at its probe. They are separate, so that probes neither move deadlines nor keep a customer from being removed.
func (l *Line) arm(c *customer, armed, probing int64) {
	l.note(c, c.profile.Armed, armed)
	l.note(c, l.probeMinute(c), probing)
}

func (l *Line) note(c *customer, minute, before int64) {
	if minute == before || minute == 0 {
		return
	}
	key := l.cache.key(c)
	l.staged.arm(minute, key)
	if pipeline.BucketOf(minute) <= l.due.loaded {
		l.due.add(pipeline.Due{Minute: minute, Hash: c.hash}, key)
	}
	l.staged.Tally.Armed++
}
