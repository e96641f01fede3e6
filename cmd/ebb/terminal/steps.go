package terminal

import (
	"fmt"
	"time"

	"github.com/schollz/progressbar/v3"
)

// PlainEvery is the time between two lines of plain progress.
const PlainEvery = 5 * time.Second

// Steps shows how far a work of a known size is: a bar on a terminal, elsewhere a line every few seconds.
type Steps struct {
	Screen      Screen
	What        string
	bar         *progressbar.ProgressBar
	total, done int64
	said        time.Time
}

func NewSteps(s Screen, what string) *Steps { return &Steps{Screen: s, What: what, said: time.Now()} }

// Begin starts over with total to do.
func (p *Steps) Begin(total int64) {
	p.End()
	p.total, p.done = total, 0
	if p.Screen.Terminal && total > 0 {
		p.bar = p.Screen.Bar(total, p.What)
	}
}

// Add says that n more are done.
func (p *Steps) Add(n int64) {
	p.done = min(p.total, p.done+n)
	switch {
	case p.bar != nil:
		_ = p.bar.Set64(p.done) // a bar that cannot be drawn is no failure
	case p.total > 0 && time.Since(p.said) >= PlainEvery:
		p.said = time.Now()
		fmt.Fprintf(p.Screen, "%s, %d %%\n", p.What, 100*p.done/p.total)
	}
}

// End takes the bar away, for what is shown instead.
func (p *Steps) End() {
	p.total = 0
	if p.bar != nil {
		_ = p.bar.Finish()
		p.bar = nil
	}
}
