package worker

import (
	"sync"
	"time"
)

// Wall is this machine's clock, as far as it may be taken for the time that passes: it was right when the process began,
// and again when an event had its time. Since then it counts no faster than the process's own, monotonic, clock. So a
// clock that jumps ahead, or a machine that was suspended, lets no deadline fire before events confirm the new time, or
// ebb is started again. One that jumps back counts as it is. Any goroutine may use it.
type Wall struct {
	now func() time.Time

	mu    sync.Mutex
	right time.Time // what the clock said when it was last known to be right
	since time.Time // when that was, by the monotonic clock
}

// NewWall is the clock that now reads: time.Now, but for tests.
func NewWall(now func() time.Time) *Wall {
	w := &Wall{now: now}
	w.confirm()
	return w
}

// read is what the clock says, and how far it is ahead of what may be believed.
func (w *Wall) read() (now time.Time, ahead time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now = w.now()
	return now, max(0, time.Duration(now.UnixMilli()-w.right.UnixMilli())*time.Millisecond-time.Since(w.since))
}

// confirm notes that the clock is right.
func (w *Wall) confirm() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.right, w.since = w.now(), time.Now()
}
