package processor

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"ebb/pipeline/line"
	"ebb/pipeline/worker"
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
			u.tell(now, types, worker.Folded{Events: 1 << 40, Unnamed: 1})
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

// TestUnnamedWarns: where the pack names none of the events, or few of many, the line is a warning; it comes at once.
func TestUnnamedWarns(t *testing.T) {
	for _, c := range []struct {
		name string
		all  worker.Folded
		want string
	}{
		{"all", worker.Folded{Events: 3, Unnamed: 3}, "warn"},
		{"all but one of few", worker.Folded{Events: 999, Unnamed: 998}, "info"},
		{"half of many", worker.Folded{Events: 1000, Unnamed: 500}, "info"},
		{"more than half of many", worker.Folded{Events: 1000, Unnamed: 501}, "warn"},
	} {
		var out bytes.Buffer
		u := unnamed{log: zerolog.New(&out), said: map[string]bool{}}
		now := time.Unix(1_772_357_400, 0)
		u.tell(now, []line.TypeCount{{Type: "a", Events: 1}}, worker.Folded{Events: 1 << 40, Unnamed: 1})
		out.Reset()
		u.tell(now.Add(unnamedEvery), []line.TypeCount{{Type: "a", Events: c.all.Unnamed}}, c.all)
		switch got := out.String(); {
		case c.want == "warn" && !bytes.Contains(out.Bytes(), []byte(`"level":"warn"`)):
			t.Errorf("%s: no warning: %q", c.name, got)
		case c.want == "info" && got != "":
			t.Errorf("%s: said at once: %q", c.name, got)
		}
		out.Reset()
		u.tell(now.Add(2*unnamedRepeat), []line.TypeCount{{Type: "a", Events: c.all.Unnamed + 1}}, c.all)
		if !bytes.Contains(out.Bytes(), []byte(`"level":"`+c.want+`"`)) {
			t.Errorf("%s: later: %q, want %s", c.name, out.String(), c.want)
		}
	}
}
