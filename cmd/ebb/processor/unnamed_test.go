package processor

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"ebb/pipeline/line"
)

// TestUnnamedSaidAtOnce: a type that the pack does not name is in the log within a minute, at the start and later; more
// of the same waits, and no end of types does not fill the log.
func TestUnnamedSaidAtOnce(t *testing.T) {
	var out bytes.Buffer
	u := unnamed{log: zerolog.New(&out), said: map[string]bool{}}
	now := time.Unix(1_772_357_400, 0)
	looks := func(wait time.Duration, types ...line.TypeCount) int {
		before := bytes.Count(out.Bytes(), []byte("\n"))
		for end := now.Add(wait); now.Before(end); {
			now = now.Add(unnamedEvery)
			u.tell(now, types)
		}
		return bytes.Count(out.Bytes(), []byte("\n")) - before
	}
	if n := looks(time.Minute); n != 0 {
		t.Errorf("%d lines of nothing", n)
	}
	if n := looks(time.Minute, line.TypeCount{Type: "order_completed", Events: 3}); n != 1 {
		t.Errorf("%d lines of the first type, want 1", n)
	}
	if n := looks(time.Minute, line.TypeCount{Type: "order_completed", Events: 9}); n != 0 {
		t.Errorf("%d lines of more of it within a minute, want 0", n)
	}
	renamed := []line.TypeCount{{Type: "order_completed", Events: 9}, {Type: "order.completed", Events: 1}}
	if n := looks(time.Minute, renamed...); n != 1 {
		t.Errorf("%d lines of another type, want 1", n)
	}
	renamed[1].Events++
	if n := looks(unnamedRepeat, renamed...); n != 1 {
		t.Errorf("%d lines of more of it in %s, want 1", n, unnamedRepeat)
	}
	before := bytes.Count(out.Bytes(), []byte("\n"))
	for i := range 100 {
		looks(unnamedEvery, line.TypeCount{Type: fmt.Sprint("type ", i), Events: uint64(100 + i)})
	}
	if n := bytes.Count(out.Bytes(), []byte("\n")) - before; n > unnamedTold+5 {
		t.Errorf("%d lines in 50 minutes of ever new types", n)
	}
}
