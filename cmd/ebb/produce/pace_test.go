package produce

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestPaceHoldsTheRate(t *testing.T) {
	p := NewPace(2000)
	for range 201 {
		if err := p.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(p.start); took < 98*time.Millisecond {
		t.Errorf("201 events in %s at 2000/s", took)
	}
	reason := errors.New("told to stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(reason)
	p = &Pace{perSecond: 0.001, start: time.Now(), n: 1}
	if err := p.Wait(ctx); err != reason { //nolint:errorlint // that very value
		t.Errorf("error %v", err)
	}
}
