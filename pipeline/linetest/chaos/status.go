package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// status shows how far the run is: on a terminal in a line that is rewritten, elsewhere in a line now and then.
type status struct {
	w        io.Writer
	terminal bool

	mu    sync.Mutex
	began time.Time
	now   string
}

func newStatus(w io.Writer) *status {
	f, ok := w.(*os.File)
	return &status{w: w, terminal: ok && term.IsTerminal(int(f.Fd())), began: time.Now()}
}

// line writes a line that stays.
func (s *status) line(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear := ""
	if s.terminal {
		clear = "\r\x1b[K"
	}
	fmt.Fprintf(s.w, clear+"%s %s\n", clock(s.began), fmt.Sprintf(format, args...))
}

// phase names what begins.
func (s *status) phase(what string) {
	s.mu.Lock()
	s.now = what
	s.mu.Unlock()
	s.line("%s", what)
}

// watch shows figures of the run until the returned function is called.
func (s *status) watch(ctx context.Context, r *run) func() {
	every := 15 * time.Second
	if s.terminal {
		every = time.Second
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		var processed int64
		for {
			select {
			case <-ticker.C:
				processed = max(processed, r.processed(ctx))
				s.show(r.figures(processed))
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() { cancel(); <-done }
}

func (s *status) show(figures string) {
	if !s.terminal {
		s.line("%s", figures)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.w, "\r\x1b[K%s %s: %s", clock(s.began), s.now, figures)
}

func clock(since time.Time) string {
	d := time.Since(since).Truncate(time.Second)
	return fmt.Sprintf("%02d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

// processed is how far the group's offsets have come; 0 while Kafka is away.
func (r *run) processed(ctx context.Context) (n int64) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	committed, err := r.topics.committed(ctx)
	if err != nil {
		return 0
	}
	for _, o := range committed {
		n += o
	}
	return n
}

// figures is one line about the run so far. Offsets also count aborted records and the ends of transactions.
func (r *run) figures(processed int64) string {
	alerts, doubled, wrong := r.reader.seen()
	r.inject.mu.Lock()
	now, done := maps.Clone(r.inject.now), 0
	for _, n := range r.inject.counts {
		done += n
	}
	r.inject.mu.Unlock()
	return fmt.Sprintf("%d written, offsets %d, %d alerts, %d doubled, %d out of order, %d faults; now: %s",
		r.feed.sent.Load(), processed, alerts, doubled, wrong, done, counts(now))
}
