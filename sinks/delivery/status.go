package delivery

import "time"

// Phase is what a lane does.
type Phase string

// Phases.
const (
	TakingOver Phase = "taking_over" // it asks Kafka where it stands
	Running    Phase = "running"     // it delivers
	Stalled    Phase = "stalled"     // the destination does not take an alert
	Stopped    Phase = "stopped"     // a person has to decide
)

// Status is the state of a lane for people.
type Status struct {
	Phase  Phase
	Reason string // why it does not run
	Next   int64  // offset of the first alert that is not delivered
	Behind int64  // records from there to the end of the log
	Known  bool   // Next and Behind are

	sending time.Time // since when an attempt is under way; zero: none is
}

// Status is the lane's present state. Any goroutine may call it.
func (l *Lane) Status() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.status
}

// hung is for how long an attempt has been under way; 0: none is. Any goroutine may call it.
func (l *Lane) hung(now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.status.sending.IsZero() {
		return 0
	}
	return now.Sub(l.status.sending)
}

func (l *Lane) show(p Phase, reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status.Phase, l.status.Reason = p, reason
}

func (l *Lane) sending(since time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status.sending = since
}
