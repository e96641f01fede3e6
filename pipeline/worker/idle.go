package worker

import (
	"time"
)

// suspicious is how far the clock may be ahead of what may be believed before the log says so.
const suspicious = time.Minute

// letPass fires what is due by the wall clock, less the lateness, where the partition is idle: everything that the log
// holds is folded and published, and for a while nothing new has come.
func (o *owner) letPass(now time.Time) error {
	if !o.silent(now) {
		return nil
	}
	wall, ahead := o.cfg.Wall.read()
	jumped := ahead > suspicious
	if jumped && !o.suspected {
		o.cfg.Logger.Warn().Dur("ahead", ahead).
			Str("do", "it counts again once events confirm it; if it is right, start ebb again").
			Msg("the clock has jumped ahead, and does not count for idle partitions")
	}
	o.suspected = jumped
	o.line.Elapse(wall.Add(-ahead).UnixMilli())
	return o.foldNothing()
}

// silent reports whether nothing has come for as long as makes a partition idle. Whoever is not sure is not idle.
func (o *owner) silent(now time.Time) bool {
	m := o.p.Stored()
	return o.cfg.Idle > 0 && m.Passed.Live && o.silence.lasts(now, o.cfg.Idle) && o.line.Next() == o.end &&
		!o.draining && !o.exhausted && o.settled()
}

// settled reports whether everything that was fetched is folded, committed and published, as far as it may be.
func (o *owner) settled() bool {
	return o.waiting == nil && o.rest == nil && o.p.CanCommit() && o.p.Unpublished().Entries == 0 &&
		!o.line.Sweeping() && !o.line.AtEdge()
}

// mayAdvance reports whether the end is reached, and the time is still to be advanced to what a person says.
func (o *owner) mayAdvance() bool { return o.toAdvance() && !o.draining && o.settled() }

func (o *owner) toAdvance() bool {
	return o.exhausted && o.poisoned == nil && o.cfg.AdvanceTo > 0 && !o.advanced
}

// advance proposes the time that a person says.
func (o *owner) advance() error {
	o.advanced = true
	o.line.Advance(o.cfg.AdvanceTo)
	return o.foldNothing()
}

// foldNothing folds a batch without records: control records that wait for none, and sweeps.
func (o *owner) foldNothing() error {
	o.idle.Empty(o.line.Next())
	o.control(o.idle)
	return o.fold(o.idle)
}

// showPassed logs, once for each idle time, that deadlines fire by the clock.
func (o *owner) showPassed() {
	if o.passing {
		return
	}
	o.passing = true
	w, _ := o.line.Watermark()
	o.cfg.Logger.Debug().Time("watermark", time.UnixMilli(w).UTC()).Int64("next", o.line.Next()).
		Msg("no records: time passes by the clock")
}

// wallNow is what a commit is stamped with.
func (o *owner) wallNow() time.Time {
	now, _ := o.cfg.Wall.read()
	return now
}
