package main

import (
	"fmt"
	"time"

	"github.com/schollz/progressbar/v3"
)

// steps shows how far a work of a known size is: a bar on a terminal, elsewhere a line every few seconds.
type steps struct {
	screen      screen
	what        string
	bar         *progressbar.ProgressBar
	total, done int64
	said        time.Time
}

func newSteps(s screen, what string) *steps { return &steps{screen: s, what: what, said: time.Now()} }

// begin starts over with total to do.
func (p *steps) begin(total int64) {
	p.end()
	p.total, p.done = total, 0
	if p.screen.terminal && total > 0 {
		p.bar = p.screen.bar(total, p.what)
	}
}

// add says that n more are done.
func (p *steps) add(n int64) {
	p.done = min(p.total, p.done+n)
	switch {
	case p.bar != nil:
		_ = p.bar.Set64(p.done) // a bar that cannot be drawn is no failure
	case p.total > 0 && time.Since(p.said) >= plainEvery:
		p.said = time.Now()
		fmt.Fprintf(p.screen, "%s, %d %%\n", p.what, 100*p.done/p.total)
	}
}

// end takes the bar away, for what is shown instead.
func (p *steps) end() {
	p.total = 0
	if p.bar != nil {
		_ = p.bar.Finish()
		p.bar = nil
	}
}
