package line

import (
	"ebb/pipeline"
)

// A partition's customers share the outcomes of their probes (model.Calibration), and sweeps may be late. Yet the
// content of an alert must not depend on the time of a sweep. So the outcomes are used an epoch at a time, and epochs
// close at barriers. With W the watermark and E the end of the open epoch:
//
//   - The record that takes W to E or beyond is the last to be folded until the sweep has fired every deadline before
//     E. Then the epoch closes, its counts are added to the table, the curves are computed once, and folding goes on.
//   - Outcomes are counted in the open epoch. Decisions use the curves of the last closed epoch.
//
// So the records alone determine in which epoch a probe is counted, and which curves a decision uses:
//
//   - By an event at offset X: the epoch that is open at X. It is the epoch of W as of the records before X, since no
//     barrier before X is still open, and no later one has been reached.
//   - By a deadline in minute m: it fires by a sweep, or by its customer's next event, and both give m's own epoch. A
//     sweep passes E only where the epoch closes, so it fires m before E in the one epoch and after E in the other. If
//     an event comes before the sweep, m is at most W, or a sweep could not have fired it at all. If W had left m's
//     epoch before the event, the sweep at the barrier would have fired m. So the epoch open at the event is m's. A
//     deadline between W and the event's own time can be fired only by that event.
//   - A late event may arm a minute of a closed epoch. The same event fires it, so it counts as the event's.
//
// Counts are whole numbers, so within an epoch no order matters. Table and counts are part of Meta: a rolled-back state
// holds them as they were, and passes the same barriers again. During a replay a sweep does not pass the published
// position (Line.sweepTo). That does not block a barrier: if records after it were published, its sweep was too. If the
// published sweep stopped before E, there are no records left below the published offset, or a build without barriers
// folded them. Then the barrier waits for that offset.

// atBarrier reports whether the open epoch is over: no further record may be folded before the sweep has closed it.
// Epochs begin when the clock starts.
func (l *Line) atBarrier() bool {
	if l.meta.Clock.Watermark < l.meta.Learnt.End*pipeline.MinuteMillis || !l.meta.Clock.Started {
		return false
	}
	if l.meta.Learnt.End == 0 {
		l.scorer.Pack.Model.Advance(&l.meta.Learnt, l.meta.Clock.Minute())
		return false
	}
	return !l.replaying() || l.mark.Fired.Minute >= l.meta.Learnt.End
}

// passBarrier takes the line over a barrier within a batch, if everything that is due before it is loaded. False: the
// rest of the batch has to wait for sweeps of its own.
func (l *Line) passBarrier() bool {
	for end := l.meta.Learnt.End; l.atBarrier(); end = l.meta.Learnt.End {
		l.sweep(pipeline.Due{Minute: end})
		if l.meta.Learnt.End == end {
			return false
		}
	}
	return true
}

// within is the minute up to which a batch needs its due buckets: the watermark as of before it, and if its events
// reach as far, the end of the open epoch (passBarrier). Clocks that are years ahead may give events farther away.
func (l *Line) within(reach int64) int64 {
	minute := l.meta.Clock.Minute()
	if l.meta.Learnt.End != 0 && reach >= l.meta.Learnt.End {
		return max(minute, l.meta.Learnt.End)
	}
	return minute
}

// swept closes the epochs that a sweep up to the beginning of a minute has passed.
func (l *Line) swept(minute int64) {
	if l.meta.Learnt.End != 0 && minute >= l.meta.Learnt.End && l.scorer.Pack.Model.Advance(&l.meta.Learnt, minute) {
		l.curves = l.meta.Learnt.Curves()
	}
}

// probe updates the customer's probes as of an instant. The table is the newest pack's, so customers of another pack
// are not probed.
func (l *Line) probe(c *customer, until int64) {
	if c.profile.PackEpoch != l.epoch {
		return
	}
	l.meta.Sources.EachProbe(&c.profile, until, func(minute int64) { l.thaw(c, minute) }, func(at int64) {
		l.scorer.Eval.Probe(l.look(c), at, &l.meta.Learnt)
	})
}

// probeMinute is the minute of the next update of the customer's probes; 0: none.
func (l *Line) probeMinute(c *customer) int64 {
	if c.profile.PackEpoch != l.epoch {
		return 0
	}
	return l.scorer.Pack.Model.ProbeMinute(&c.profile)
}
