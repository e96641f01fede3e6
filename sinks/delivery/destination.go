package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Destination takes alerts. Any number of lanes may use it at the same time.
type Destination interface {
	// Send hands over one alert, which is valid until Send returns, and bounds its own time. It returns nil once the
	// destination has taken the alert. After an error it is not known whether it has; a later Send of the same id is to
	// have no second effect. Errors: *Failure, others count as connection.
	Send(ctx context.Context, a *Alert) error
}

// Failure is an attempt that failed.
type Failure struct {
	Class string        // of a closed list of the destination's, for metrics
	After time.Duration // how long the destination asks to be left alone; 0: it does not say
	Err   error
}

// ClassConnection is the class of a failure without an answer.
const ClassConnection = "connection"

// Error names the class and the cause.
func (f *Failure) Error() string { return fmt.Sprintf("%s: %v", f.Class, f.Err) }

// Unwrap is the cause.
func (f *Failure) Unwrap() error { return f.Err }

// asFailure is err as a failure with a class.
func asFailure(err error) *Failure {
	if f, ok := errors.AsType[*Failure](err); ok {
		return f
	}
	return &Failure{Class: ClassConnection, Err: err}
}
