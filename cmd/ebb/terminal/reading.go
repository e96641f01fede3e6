package terminal

import (
	"fmt"
	"time"

	"github.com/schollz/progressbar/v3"

	"ebb/cmd/ebb/advice"
)

// Reading shows how far the reading of a log is: a bar on a terminal, elsewhere nothing.
type Reading struct {
	screen Screen
	what   string
	began  time.Time
	bar    *progressbar.ProgressBar // nil: none
}

// NewReading shows nothing yet.
func NewReading(s Screen) *Reading { return &Reading{screen: s} }

// At shows what a log is read for, how many events it had so far (-1: they are not counted), and how many bytes of how
// many were read (-1: unknown). A failure to draw the bar does not matter.
func (r *Reading) At(what string, events, stored, size int64) {
	if r.bar == nil || r.what != what {
		r.End()
		r.what, r.began, r.bar = what, time.Now(), r.screen.Bar(size, what)
	}
	if events >= 0 {
		rate := float64(events) / max(time.Since(r.began).Seconds(), 0.1)
		r.bar.Describe(fmt.Sprintf("%s events, %s/s", advice.Grouped(events), advice.Grouped(int64(rate))))
	}
	if size >= 0 {
		_ = r.bar.Set64(stored)
	} else {
		_ = r.bar.Add(1)
	}
}

// End removes the bar, to make room for other output.
func (r *Reading) End() {
	if r.bar != nil {
		_ = r.bar.Finish()
		r.bar = nil
	}
}
