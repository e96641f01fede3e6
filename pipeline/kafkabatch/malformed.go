package kafkabatch

import (
	"errors"
	"fmt"

	"ebb/pipeline"
)

// ErrMalformed says that a broker's bytes could not be understood. It comes together with pipeline.ErrUnavailable: what
// the damaged answer stood for is unknown, and asking again is all that can be done.
var ErrMalformed = errors.New("malformed answer")

// Malformed says what could not be understood.
func Malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %w: %s", pipeline.ErrUnavailable, ErrMalformed, fmt.Sprintf(format, args...))
}
