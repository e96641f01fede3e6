package pipeline

import (
	"errors"
	"fmt"
	"strings"
)

// Outage is a service that answers, and cannot do what is asked before a person has changed something there. It is
// ErrUnavailable, not a hard stop: work goes on by itself once that is done.
type Outage struct {
	Err error
	Do  string // what lets work go on, with the command
}

// Error joins what was found and what to do.
func (o *Outage) Error() string { return fmt.Sprintf("%v; %s", o.Err, o.Do) }

// Unwrap is what was found.
func (o *Outage) Unwrap() error { return o.Err }

// Is reports whether target is the class of o.
func (o *Outage) Is(target error) bool { return target == ErrUnavailable }

// Remedy parts what was found from what an outage says to do; do is empty where err is none.
func Remedy(err error) (found, do string) {
	found = err.Error()
	if o, ok := errors.AsType[*Outage](err); ok {
		do = o.Do
		found = strings.TrimSuffix(found, "; "+do)
	}
	return found, do
}
