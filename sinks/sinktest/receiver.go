package sinktest

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"time"

	"ebb/sinks/delivery"
)

// Answer is what becomes of one attempt.
type Answer int

// Answers.
const (
	Takes       Answer = iota // the alert takes effect, and the sender learns it
	TakesMutely               // it takes effect, and the answer is lost
	TakesLate                 // it takes effect, and the answer comes after the sender has given up
	Refuses                   // no effect, and the sender learns that
	Breaks                    // no effect, and no answer
	Hangs                     // no effect, and no answer in time
	Busy                      // no effect; the sender is to come back in a second
	NumAnswers
)

// Effect is an alert that has taken effect.
type Effect struct {
	ID   string
	Body []byte
}

// Receiver is the far end of a destination, as those who run one are told to write it: what has an id that it knows has
// no second effect. It outlives the destinations that lead to it, and is itself the plainest one.
type Receiver struct {
	mu       sync.Mutex
	behave   func(id string) Answer
	effects  []Effect
	known    map[string]bool
	attempts int
}

var _ delivery.Destination = (*Receiver)(nil)

// NewReceiver makes a receiver that takes everything.
func NewReceiver() *Receiver { return &Receiver{known: map[string]bool{}} }

// Behave decides what becomes of the attempts from now on. One goroutine at a time calls answer; nil: everything is
// taken.
func (r *Receiver) Behave(answer func(id string) Answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.behave = answer
}

// Take receives an attempt, and says what the destination has to do about it.
func (r *Receiver) Take(id string, body []byte) Answer {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attempts++
	a := Takes
	if r.behave != nil {
		a = r.behave(id)
	}
	if a <= TakesLate && !r.known[id] {
		r.known[id] = true
		r.effects = append(r.effects, Effect{id, bytes.Clone(body)})
	}
	return a
}

// Effects lists what has taken effect, in order.
func (r *Receiver) Effects() []Effect {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Effect(nil), r.effects...)
}

// Attempts is how many there were.
func (r *Receiver) Attempts() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.attempts
}

// Send implements delivery.Destination.
func (r *Receiver) Send(ctx context.Context, a *delivery.Alert) error {
	switch answer := r.Take(a.ID, a.Body); answer {
	case Takes:
		return nil
	case TakesLate, Hangs:
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
		}
		return &delivery.Failure{Class: "timeout", Err: context.DeadlineExceeded}
	case Busy:
		return &delivery.Failure{Class: "busy", After: time.Second, Err: errors.New("busy")}
	default:
		return errors.New("no")
	}
}
