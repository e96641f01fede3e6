package line

import (
	"math"

	"ebb/pipeline"
)

// Time passes also where no records come. A time record says how far: it moves the watermark as an event of that time
// would, and sweeps fire what is due by then. So deadlines, epochs of learning and late events are decided as by an
// event, and a replay that applies it before the same record decides the same. Who proposes one, and when, is the
// owner's matter: docs/adr/0026.

// Elapse has the next batch, which holds no records, propose a time record to the last whole minute that lies lateness
// before now, in ms since the epoch, if anything is due by then: a partition in which nothing is due writes none.
func (l *Line) Elapse(now int64) {
	l.elapsed, l.asked = pipeline.FloorDiv(now-l.settings.LatenessMillis, pipeline.MinuteMillis), false
}

// Advance has the next batch, which holds no records, propose a time record to a minute, whether anything is due by then
// or not: a person says that it is so late.
func (l *Line) Advance(minute int64) { l.elapsed, l.asked = minute, true }

// proposeTime applies the time record that Elapse or Advance asks for, in the commit of the batch. Like every control
// record it applies where the sweep has reached the watermark. The buckets up to there are loaded.
func (l *Line) proposeTime() {
	minute := l.elapsed
	if l.elapsed = 0; minute <= l.meta.Clock.Minute() || l.Sweeping() || l.AtEdge() ||
		l.beginning() || l.replaying() {
		return
	}
	if l.asked && !l.meta.Clock.Started && l.meta.Clock.Start.Earliest == 0 {
		return // of a partition without events nobody knows anything
	}
	if l.asked || l.meta.Clock.Started && l.dueBy(minute) {
		l.apply(&Change{
			Offset: l.meta.Next, Change: pipeline.Change{Kind: pipeline.ControlTime, Minute: minute}, proposed: true,
		})
		l.staged.Tally.Passed++
	}
}

// dueBy reports whether a deadline falls due, or a held raise may be released, by a minute that is still to come.
func (l *Line) dueBy(minute int64) bool {
	_, due := l.due.peek(pipeline.Due{Minute: minute, Hash: math.MaxUint64})
	return due || l.held.reviewed(l.meta.Clock.Minute(), minute) || l.grantsBy(minute)
}

// passTime moves the watermark to that of c. In a replay of a state in which c has been applied, it is there already.
func (l *Line) passTime(c *Change) {
	c.from = l.meta.Clock.Minute()
	l.meta.Clock.Pass(c.Minute*pipeline.MinuteMillis, l.settings.LatenessMillis)
	l.meta.Passed.Minute = max(l.meta.Passed.Minute, c.Minute)
	if l.guarded() && l.meta.Clock.Started {
		l.meta.Sources.Reach(l.meta.Clock.Watermark)
		c.turns = l.meta.Sources.Take()
	}
}

// announceTime adds a time record to the commit, in front of what it lets fire. One of a replay was published: it comes
// from where it stands.
func (l *Line) announceTime(c *Change) {
	if c.Minute <= c.from {
		return
	}
	e := pipeline.AtTime(c.Change, c.from, l.meta.Next)
	l.fired(e.Due)
	if c.proposed {
		l.staged.append(&e, nil)
		l.tellTurns(c.turns, e)
	}
}
