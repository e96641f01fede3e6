package pipeline

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rs/zerolog"
)

// The three classes of failure at the borders. Branch on them with errors.Is.
var (
	// ErrUnavailable: the service did not answer, or its answer was lost. Whether the request took effect is
	// unknown. The owner backs off and takes the partition over again.
	ErrUnavailable = errors.New("unavailable")

	// ErrFenced: the partition has another owner now, or the store is no longer as this owner left it. Nothing that is
	// based on this owner's memory may be written any more.
	ErrFenced = errors.New("fenced")

	// ErrOutOfRange: the log no longer holds the requested offset.
	ErrOutOfRange = errors.New("offset out of range")
)

// Denied is a server that answers and refuses: the certificates or the login do not fit, or a permission is missing. It
// is ErrUnavailable, not a hard stop: it is mended outside of the program, for instance by renewing a file, and then
// work goes on. A caller logs it once and retries at growing intervals.
type Denied struct {
	Code   string // stable snake_case value; docs/security.md explains it
	Detail string // what was found
	Do     string // what makes the server accept
}

// Error joins what was found with what to do.
func (d *Denied) Error() string { return fmt.Sprintf("%s; %s", d.Detail, d.Do) }

// Is reports whether target is the class of d.
func (d *Denied) Is(target error) bool { return target == ErrUnavailable }

// Unready is a server that answers, and for the present does not do what was asked: it starts, has lost others that it
// needs, or is full of somebody else's. It is ErrUnavailable: work goes on once that has passed.
type Unready struct {
	Code   string // stable snake_case value; docs/runbook.md explains it
	Detail string // what was found, in the server's words
	Do     string // what makes it pass
}

// Error joins what was found with what to do.
func (u *Unready) Error() string { return fmt.Sprintf("%s; %s", u.Detail, u.Do) }

// Is reports whether target is the class of u.
func (u *Unready) Is(target error) bool { return target == ErrUnavailable }

// Refused is what a server that answers has said: the code, what was found and what to do. False: err is none of that.
func Refused(err error) (code, found, do string, ok bool) {
	if denied := (*Denied)(nil); errors.As(err, &denied) {
		return denied.Code, denied.Detail, denied.Do, true
	}
	if unready := (*Unready)(nil); errors.As(err, &unready) {
		return unready.Code, unready.Detail, unready.Do, true
	}
	return "", "", "", false
}

// Remedy parts what was found from what a server's refusal says to do; do is empty where err is none.
func Remedy(err error) (found, do string) {
	found = err.Error()
	if _, _, advised, ok := Refused(err); ok {
		do = advised
		found = strings.TrimSuffix(found, "; "+do)
	}
	return found, do
}

// Refusal adds to a log line, where the error is a refusal, its code and what to do.
type Refusal struct{ Err error }

// MarshalZerologObject writes the fields.
func (r Refusal) MarshalZerologObject(e *zerolog.Event) {
	if code, _, do, ok := Refused(r.Err); ok {
		e.Str("code", code).Str("do", do)
	}
}

// HardStop is a condition that no retry mends and that a person has to decide on. One partition stops, the others go
// on.
type HardStop struct {
	Code   string // stable snake_case value; a heading in docs/runbook.md
	Detail string // what was found
	Do     string // what is safe to do, with the command
}

// MarshalZerologObject writes the fields that explain in a log line why a partition has stopped.
func (h *HardStop) MarshalZerologObject(e *zerolog.Event) {
	e.Str("code", h.Code).Str("found", h.Detail).Str("do", h.Do)
}

// Error joins what was found with what to do.
func (h *HardStop) Error() string { return fmt.Sprintf("%s: %s; %s", h.Code, h.Detail, h.Do) }

// StateUnreadable is the hard stop of a state that this build cannot read.
func StateUnreadable(err error) error {
	return &HardStop{
		Code: "state_unreadable", Detail: err.Error(),
		Do: "run the version of ebb that wrote it; if it is damaged, restore a backup or run: ebb rebuild --from earliest",
	}
}
