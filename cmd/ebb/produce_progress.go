package main

import (
	"fmt"
	"time"

	"github.com/schollz/progressbar/v3"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/terminal"
)

// progress shows how far the reading of files is: a bar on a terminal, elsewhere a line now and then if the flag
// requires it.
type progress struct {
	screen terminal.Screen
	shown  bool
	bar    *progressbar.ProgressBar // nil: none
	plain  bool
	start  time.Time
	said   time.Time
}

// newProgress shows progress as mode requires, once there is some: auto, plain or none.
func newProgress(s terminal.Screen, mode string) *progress {
	return &progress{screen: s, plain: mode == "plain", shown: mode == "auto" && s.Terminal}
}

// at shows how many bytes of how many were read (-1: unknown), and how many events are acknowledged.
func (p *progress) at(read, total, acknowledged int64) {
	if p.start.IsZero() {
		p.start, p.said = time.Now(), time.Now()
		if p.shown {
			p.bar = p.screen.Bar(total, "sending")
		}
	}
	switch {
	case p.bar != nil:
		rate := float64(acknowledged) / max(time.Since(p.start).Seconds(), 0.1)
		p.bar.Describe(fmt.Sprintf("%s events, %s/s", advice.Grouped(acknowledged), advice.Grouped(int64(rate))))
		if total >= 0 {
			_ = p.bar.Set64(min(read, total)) // a failure to draw the bar does not matter
		} else {
			_ = p.bar.Add(1)
		}
	case p.plain && time.Since(p.said) >= terminal.PlainEvery:
		p.said = time.Now()
		share := ""
		if total > 0 {
			share = fmt.Sprintf(", %d %% read", 100*min(read, total)/total)
		}
		fmt.Fprintf(p.screen, "%s events acknowledged%s\n", advice.Grouped(acknowledged), share)
	}
}

// done removes the bar.
func (p *progress) done() {
	if p.bar != nil {
		_ = p.bar.Finish()
		p.bar = nil
	}
}
