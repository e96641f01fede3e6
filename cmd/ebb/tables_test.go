package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ebb/cmd/ebb/inspect"
	"ebb/cmd/ebb/probes"
	"ebb/cmd/ebb/terminal"
	"ebb/cmd/ebb/view"
	"ebb/scoring/alert"
	"ebb/scoring/pack"
	"ebb/scoring/scoringtest"
)

// tooWide lists the lines that a terminal would break.
func tooWide(shown string, width int) (lines []string) {
	for line := range strings.Lines(shown) {
		if displayWidth(strings.TrimRight(line, "\n")) > width {
			lines = append(lines, line)
		}
	}
	return lines
}

// TestTablesFitTheTerminal: cells are wrapped in their columns, so that no line breaks, and nothing is lost.
func TestTablesFitTheTerminal(t *testing.T) {
	published, err := os.ReadFile(filepath.Join("..", "..", "scoring", "alert", "testdata", "alerts.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	k := scoringtest.Weekly().Pack
	e, err := inspect.Explain(
		[]byte(firstLine(published)),
		map[string]*alert.Renderer{pack.Short(k.Hash): alert.NewRenderer(k)},
	)
	if err != nil {
		t.Fatal(err)
	}
	ready := &probes.Readiness{Group: "ebb", Partitions: []probes.PartitionState{
		{Partition: 0, State: "running", Next: 1_234_567_890, Lag: new(int64(12))},
		{
			Partition: 11,
			State:     "stopped",
			Reason:    "redis_evicts: maxmemory-policy is allkeys-lru, and what is evicted is lost; set it to noeviction",
		},
	}}
	for name, show := range map[string]func(terminal.Screen) error{
		"explain": func(s terminal.Screen) error { return view.Explanation{Screen: s}.Alert(e, false) },
		"health":  func(s terminal.Screen) error { view.Readiness(s, ready); return nil },
	} {
		words := func(s terminal.Screen) string {
			var b strings.Builder
			s.Writer = &b
			if err := show(s); err != nil {
				t.Fatal(err)
			}
			return b.String()
		}
		file := words(terminal.Screen{Width: 80})
		for _, width := range []int{80, 160} {
			terminal := words(terminal.Screen{Terminal: true, Width: width})
			if wide := tooWide(terminal, width); len(wide) > 0 {
				t.Errorf("%s at %d columns:\n%s", name, width, strings.Join(wide, ""))
			}
			for word := range strings.FieldsSeq(file) {
				if !strings.Contains(terminal, strings.Trim(word, "─┬┼┴┌┐└┘├┤")) {
					t.Errorf("%s at %d columns has lost %q", name, width, word)
				}
			}
		}
		if !strings.Contains(file, "│") || len(tooWide(file, 80)) == 0 {
			t.Errorf("%s is no table that an 80 column terminal would break:\n%s", name, file)
		}
	}
}
