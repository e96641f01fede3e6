package terminal

import (
	"fmt"
	"time"

	"github.com/schollz/progressbar/v3"
)

// Steps shows how far a work of a known size is: a bar on a terminal, elsewhere a line every few seconds.
type Steps struct {
	screen Screen
	what   string
	total  int64
	bar    *progressbar.ProgressBar // nil: none
	ended  bool
	said   time.Time
}

// PlainEvery is the time between two lines of plain progress.
const PlainEvery = 5 * time.Second

// NewSteps shows nothing yet.
func NewSteps(s Screen) *Steps { return &Steps{screen: s, said: time.Now()} }

// At shows how many steps of a work are done. It starts again for another work, or one of another size.
func (p *Steps) At(what string, done, total int64) {
	if what != p.what || total != p.total {
		p.End()
		p.what, p.total, p.ended = what, total, false
		if p.screen.Terminal && total > 0 {
			p.bar = p.screen.Bar(total, what)
		}
	}
	switch {
	case p.bar != nil:
		_ = p.bar.Set64(done) // a failure to draw the bar does not matter
	case total > 0 && !p.ended && time.Since(p.said) >= PlainEvery:
		p.said = time.Now()
		fmt.Fprintf(p.screen, "%s, %d %%\n", what, 100*done/total)
	}
}

// End removes the bar, to make room for other output, and shows no more of this work.
func (p *Steps) End() {
	p.ended = true
	if p.bar != nil {
		_ = p.bar.Finish()
		p.bar = nil
	}
}
