package advice

import (
	"errors"
	"io/fs"
	"net"
	"strings"
)

// Cause is the part of a connection's error that a person needs: connection refused, not the way there.
func Cause(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}
	text := err.Error()
	for _, way := range []string{"unavailable: ", "connect: "} {
		if i := strings.LastIndex(text, way); i >= 0 {
			text = text[i+len(way):]
		}
	}
	return text
}

// FileCause is why a file could not be read, without the system call and without a second mention of the name.
func FileCause(err error) string {
	if pe, ok := err.(*fs.PathError); ok { //nolint:errorlint // only the outermost holds the name that is cut
		return pe.Err.Error()
	}
	return err.Error()
}
