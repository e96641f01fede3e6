package main

import (
	"fmt"
	"time"

	"github.com/schollz/progressbar/v3"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/eventlog"
	"ebb/cmd/ebb/terminal"
)

// progress shows how far the reading of files is: a bar on a terminal, a line now and then elsewhere if asked for.
type progress struct {
	screen terminal.Screen
	bar    *progressbar.ProgressBar
	plain  bool
	total  int64 // bytes as stored; -1: unknown
	before int64 // bytes of the files that are done
	start  time.Time
	said   time.Time
}

// newProgress shows what mode says: auto, plain or none.
func newProgress(s terminal.Screen, mode string, total int64) *progress {
	now := time.Now()
	p := &progress{screen: s, plain: mode == "plain", total: total, start: now, said: now}
	if mode == "auto" && s.Terminal {
		p.bar = s.Bar(total, "sending")
	}
	return p
}

// at shows the place in f and how many events are acknowledged.
func (p *progress) at(f *eventlog.File, acknowledged func() int64) {
	switch {
	case p.bar != nil:
		n := acknowledged()
		p.bar.Describe(fmt.Sprintf("%s events, %s/s", advice.Grouped(n), advice.Grouped(int64(float64(n)/max(time.Since(p.start).Seconds(), 0.1)))))
		if p.total >= 0 {
			_ = p.bar.Set64(min(p.before+f.Stored(), p.total)) // a bar that cannot be drawn is no failure
		} else {
			_ = p.bar.Add(1)
		}
	case p.plain && time.Since(p.said) >= terminal.PlainEvery:
		p.said = time.Now()
		share := ""
		if p.total > 0 {
			share = fmt.Sprintf(", %d %% read", 100*min(p.before+f.Stored(), p.total)/p.total)
		}
		fmt.Fprintf(p.screen, "%s events acknowledged%s\n", advice.Grouped(acknowledged()), share)
	}
}

func (p *progress) fileDone(f *eventlog.File) { p.before += f.Stored() }

// done takes the bar away.
func (p *progress) done() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
