package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"
)

func TestWantsColor(t *testing.T) {
	for name, test := range map[string]struct {
		environ []string
		want    bool
	}{
		"nothing set":     {nil, true},
		"terminal":        {[]string{"TERM=xterm-256color"}, true},
		"dumb terminal":   {[]string{"TERM=dumb"}, false},
		"NO_COLOR":        {[]string{"NO_COLOR=1", "TERM=xterm"}, false},
		"NO_COLOR empty":  {[]string{"NO_COLOR="}, true},
		"NO_COLORS is no": {[]string{"NO_COLORS=1"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := wantsColor(test.environ); got != test.want {
				t.Errorf("%v", got)
			}
		})
	}
}

// TestNoScreenIsPlain: a file and a buffer get neither colour nor bar.
func TestNoScreenIsPlain(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := newScreen(f, nil)
	if s.terminal || s.color || s.paint(text.Colors{text.FgRed}, "x") != "x" {
		t.Errorf("a file is taken for a terminal: %+v", s)
	}
	var b strings.Builder
	bar := newScreen(&b, nil).bar(10, "sending")
	if err := bar.Set(5); err != nil {
		t.Fatal(err)
	}
	if err := bar.Finish(); err != nil || b.Len() > 0 {
		t.Errorf("bar wrote %q: %v", b.String(), err)
	}
}

// TestHang: no line is wider than the terminal, none begins at its edge, and elsewhere nothing is broken.
func TestHang(t *testing.T) {
	const long = "1,168 of 2,801 raised alerts (42 %) were about a customer who had left; 1,633 were false alarms"
	for name, test := range map[string]struct {
		screen screen
		want   string
	}{
		"terminal": {screen{terminal: true, width: 60}, "right     1,168 of 2,801 raised alerts (42 %) were about a\n" +
			"          customer who had left; 1,633 were false alarms\n"},
		"file": {screen{width: 60}, "right     " + long + "\n"},
	} {
		var b strings.Builder
		test.screen.Writer = &b
		test.screen.hang("right     ", long)
		if b.String() != test.want {
			t.Errorf("%s:\n%s", name, b.String())
		}
	}
}

func TestLoggerFormats(t *testing.T) {
	line := func(format string, s screen) string {
		var b strings.Builder
		s.Writer = &b
		logger := newLogger(LogConfig{Level: "info", Format: format}, s)
		logger.Debug().Msg("not shown")
		logger.Warn().Str("topic", "events").Msg("topic is gone")
		return b.String()
	}
	for name, got := range map[string]string{"auto": line("auto", screen{}), "json on a terminal": line("json", screen{terminal: true})} {
		var fields map[string]any
		if err := json.Unmarshal([]byte(got), &fields); err != nil || fields["level"] != "warn" || fields["topic"] != "events" || fields["message"] != "topic is gone" || fields["time"] == nil {
			t.Errorf("%s: %q: %v", name, got, err)
		}
	}
	for name, got := range map[string]string{"auto on a terminal": line("auto", screen{terminal: true}), "console": line("console", screen{})} {
		if !strings.Contains(got, "WRN topic is gone topic=events\n") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 7: "7", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -999: "-999", math.MinInt64: "-9,223,372,036,854,775,808"} {
		if got := grouped(n); got != want {
			t.Errorf("%d is grouped as %s", n, got)
		}
	}
}
