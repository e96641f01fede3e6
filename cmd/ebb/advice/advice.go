package advice

import (
	"fmt"
	"syscall"
)

// UsageError is a command line that cannot be carried out.
type UsageError struct{ error }

func (e UsageError) Unwrap() error { return e.error }

// Usage marks err as a fault of the command line.
func Usage(err error) error { return UsageError{err} }

// Advised is an error with what to do about it.
type Advised struct {
	error
	Do string // one or more lines, commands among them
}

func (e Advised) Unwrap() error { return e.error }

// Add adds what to do to err.
func Add(err error, format string, args ...any) error {
	return Advised{err, fmt.Sprintf(format, args...)}
}

// Stopped is the signal that cut the work short, as the cause of a cancelled context.
type Stopped struct{ Signal syscall.Signal }

func (e Stopped) Error() string {
	if e.Signal == syscall.SIGINT {
		return "stopped by Ctrl-C"
	}
	return "stopped by SIGTERM"
}
