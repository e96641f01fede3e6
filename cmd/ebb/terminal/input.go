package terminal

import (
	"context"
	"io"
	"os"

	"golang.org/x/term"
)

// Attended reports whether a person may sit at r.
func Attended(r io.Reader) bool {
	f, ok := r.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// StoppableReader reads r on a goroutine of its own, so that a read that waits for a person or a pipe ends with ctx.
// That goroutine stays in its last read until the process ends; a file needs none and is returned as it is.
func StoppableReader(ctx context.Context, r io.Reader) io.Reader {
	if f, ok := r.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			return r
		}
	}
	return &stoppableReader{ctx: ctx, r: r}
}

type stoppableReader struct {
	ctx    context.Context //nolint:containedctx // io.Reader takes no context
	r      io.Reader
	chunks chan []byte
	err    error // why chunks was closed
	rest   []byte
}

func (s *stoppableReader) Read(p []byte) (int, error) {
	if s.chunks == nil {
		s.chunks = make(chan []byte)
		go s.pump()
	}
	for len(s.rest) == 0 {
		select {
		case chunk, ok := <-s.chunks:
			if !ok {
				return 0, s.err
			}
			s.rest = chunk
		case <-s.ctx.Done():
			return 0, context.Cause(s.ctx)
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// readBytes is how much is read at a time, at most.
const readBytes = 256 << 10

func (s *stoppableReader) pump() {
	defer close(s.chunks)
	for {
		chunk := make([]byte, readBytes)
		n, err := s.r.Read(chunk)
		select {
		case s.chunks <- chunk[:n]:
		case <-s.ctx.Done():
			return
		}
		if err != nil {
			s.err = err
			return
		}
	}
}
