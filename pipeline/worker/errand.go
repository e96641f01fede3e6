package worker

import (
	"context"
	"time"
)

// errandEvery is how often an owner asks each of its questions.
const errandEvery = time.Second

// errand is a question that an owner has for a service now and then. It is asked beside the owner's loop, once at a time.
type errand[T any] struct {
	underway bool
	asked    time.Time
	answer   chan T // gets one for each that is begun, which the loop takes in
}

func newErrand[T any]() errand[T] { return errand[T]{answer: make(chan T, 1)} }

// due reports whether it is time to ask.
func (e *errand[T]) due(now time.Time) bool { return !e.underway && now.Sub(e.asked) >= errandEvery }

// begin asks, for as long as a request may take.
func (e *errand[T]) begin(ctx context.Context, now time.Time, ask func(context.Context) T) {
	e.underway, e.asked = true, now
	go func() {
		ctx, cancel := context.WithTimeout(ctx, requestTimeout)
		defer cancel()
		e.answer <- ask(ctx)
	}()
}

// settle waits for the answer that is outstanding, and drops it.
func (e *errand[T]) settle() {
	if e.underway {
		<-e.answer
	}
}
