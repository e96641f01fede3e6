package processor

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// TestSubjectsSaid: that subjects are taken for customers is in the log at once, and every ten minutes while it goes on.
func TestSubjectsSaid(t *testing.T) {
	var out bytes.Buffer
	s := subjects{log: zerolog.New(&out)}
	now := time.Unix(1_772_357_400, 0)
	for i, c := range []struct {
		wait  time.Duration
		total uint64
		lines int
	}{
		{0, 0, 0},
		{unnamedEvery, 3, 1},
		{unnamedEvery, 3, 0},
		{unnamedEvery, 900, 0},
		{subjectsRepeat - 2*unnamedEvery, 1000, 1},
		{time.Hour, 1000, 0}, // it has ended
		{unnamedEvery, 1001, 1},
	} {
		out.Reset()
		now = now.Add(c.wait)
		if s.tell(now, c.total); strings.Count(out.String(), "\n") != c.lines {
			t.Errorf("%d: %q, want %d lines", i, out.String(), c.lines)
		}
		if c.lines > 0 && !strings.Contains(out.String(), `"level":"warn"`) {
			t.Errorf("%d: no warning: %s", i, out.String())
		}
	}
}
