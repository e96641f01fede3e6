package backtest

import "time"

// timeline is how far a log has come.
type timeline struct {
	events int64
	late   int64 // of them, more than a day older than the newest before them
	first  int64 // event times, ms since the epoch
	newest int64
}

// reach notes the time of the next event, and reports whether it is the newest so far.
func (t *timeline) reach(at int64) (newer bool) {
	if t.events == 0 {
		t.first, t.newest = at, at-1
	}
	t.events++
	if newer = at > t.newest; newer {
		t.newest = at
	} else if t.newest-at > millisPerDay {
		t.late++
	}
	return newer
}

// Late is how many events so far were more than a day older than the newest before them, and the time of that newest
// event.
func (t *timeline) Late() (events int64, newest time.Time) { return t.late, instant(t.newest) }
