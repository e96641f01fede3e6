package worker

import (
	"time"

	"ebb/pipeline"
)

// What history has raised is released at a bounded rate, so that whoever acts on alerts is not flooded on the first day.
// The rate is the group's, and each partition has its part of it. It is kept by our clock, or by event time where that is
// later, in small releases. None is made up for: after a pause, releases go on at the rate. What is held for another
// reason is released as soon as it may be.

const (
	defaultShare = 100   // one in so many waiting raises is released in an hour, unless the rate is configured
	leastPerHour = 10    // of a group, by default
	perHourMost  = 60    // releases, unless they become larger than
	mostReleased = 1_000 // which are loaded and published together
)

// askRelease asks the line for what a person wants, else for the next release, if it is time.
func (o *owner) askRelease(now time.Time) {
	if o.draining || o.full() || !o.line.MayChange() {
		return
	}
	at := now.UnixMilli()
	if watermark, ok := o.line.Watermark(); ok {
		at = max(at, watermark)
	}
	if o.doAsked(at) || !o.line.MayRelease() {
		return
	}
	for reason := pipeline.HeldHistory; reason < pipeline.NumHoldReasons; reason++ {
		waiting := o.line.Waiting(reason)
		if waiting == 0 {
			continue
		}
		most := mostReleased
		if f := o.line.First(); reason == pipeline.HeldHistory {
			most = releasable(f, o.perHour(f), at)
		}
		if n := min(waiting, most); n > 0 {
			o.line.Release(reason, n, at)
			return
		}
	}
	o.askBudget(now, at)
}

// showHistory logs once that history is over.
func (o *owner) showHistory(f *pipeline.FirstStart) {
	if o.history && f.Over {
		o.cfg.Logger.Info().Int64("offset", o.line.Next()).Int64("initial", f.Waiting).Int64("per_hour", o.perHour(f)).
			Msg("history is over: those at risk by it are raised in order of priority, whoever is new at once; " +
				"ebb_initial_gone_total counts those silent for more than two horizons")
	}
	o.history = !f.Raises()
}

// perHour is how many of a partition's raises are released in an hour, at least one.
func (o *owner) perHour(f *pipeline.FirstStart) int64 {
	of, n := int64(o.cfg.Line.Identity.Partitions), int64(o.cfg.InitialPerHour)
	if n == 0 {
		return max(ceilDiv(f.Waiting, defaultShare), partOf(leastPerHour, of, int64(o.cfg.Line.Identity.Partition)))
	}
	return partOf(n, of, int64(o.cfg.Line.Identity.Partition))
}

// partOf is the part of n that the i-th of so many gets, at least 1.
func partOf(n, of, i int64) int64 {
	if i < n%of {
		return n/of + 1
	}
	return max(n/of, 1)
}

// releasable is how many raises are released at an instant: as many each time, at such distances that no hour has more
// than perHour. A clock that was set back begins anew.
func releasable(f *pipeline.FirstStart, perHour, at int64) int {
	n := min(max(perHour/perHourMost, 1), mostReleased)
	distance := ceilDiv(pipeline.HourMillis, perHour/n)
	if gap := at - f.At; f.Releases > 0 && -distance < gap && gap < distance {
		return 0
	}
	return int(n)
}

func ceilDiv(a, b int64) int64 { return (a + b - 1) / b }
