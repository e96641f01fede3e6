package delivery

import (
	"time"
)

// stallAfter is how long attempts fail in a row until the lane is said to stall: a few repeats are no news.
const stallAfter = 10 * time.Second

// trouble is what a lane knows of a destination that does not take its alerts.
type trouble struct {
	since    time.Time // of the first attempt that failed; zero: the latest succeeded
	attempts int       // that have failed since
	class    string    // of the latest failure
	told     string    // the class that the log was last told of; "": it was told of none
}

// delivered ends the trouble.
func (l *Lane) delivered() {
	l.pauses.Reset()
	l.resume, l.burying = time.Time{}, false
	t := l.trouble
	if t.since.IsZero() {
		return
	}
	l.trouble = trouble{}
	l.cfg.Metrics.stalled(l.cfg.Partition, time.Time{})
	l.show(Running, "")
	if t.told != "" {
		l.cfg.Logger.Info().Stringer("stalled_for", time.Since(t.since).Round(time.Second)).Int("attempts", t.attempts).
			Msg("deliveries go on")
	}
}

// failed notes a failed attempt, and says when the next may be. The log gets a line where the lane begins to stall, and
// where the reason becomes another.
func (l *Lane) failed(f *Failure) {
	now, pause := time.Now(), l.pauses.NextBackOff()
	l.resume = now.Add(max(pause, min(f.After, longestAsked)))
	t := &l.trouble
	if t.since.IsZero() {
		t.since = now
		l.cfg.Metrics.stalled(l.cfg.Partition, now)
	}
	t.attempts++
	t.class = f.Class
	l.cfg.Logger.Debug().Err(f).Int("attempts", t.attempts).Time("again_at", l.resume).Msg("attempt failed")
	if now.Sub(t.since) < stallAfter {
		return
	}
	l.show(Stalled, f.Error())
	if t.told != t.class {
		t.told = t.class
		l.cfg.Logger.Error().Err(f).Str("class", f.Class).Time("since", t.since).Int("attempts", t.attempts).
			Str("do", "docs/runbook.md, Deliveries stall").Msg("deliveries stall: the destination does not take an alert")
	}
}
