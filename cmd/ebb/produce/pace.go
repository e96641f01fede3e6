package produce

import (
	"context"
	"time"
)

// Pace keeps a rate: the n-th event is due n/perSecond after the start.
type Pace struct {
	perSecond float64 // 0: no limit
	start     time.Time
	n         int64
}

// NewPace starts now; perSecond 0: no limit.
func NewPace(perSecond float64) *Pace { return &Pace{perSecond: perSecond, start: time.Now()} }

// Wait returns when the next event is due, or the reason why ctx ended.
func (p *Pace) Wait(ctx context.Context) error {
	if p.perSecond == 0 {
		return nil
	}
	due := p.start.Add(time.Duration(float64(p.n) / p.perSecond * float64(time.Second)))
	p.n++
	early := time.Until(due)
	if early < time.Millisecond {
		return nil
	}
	t := time.NewTimer(early)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
