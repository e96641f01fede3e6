package terminal

import (
	"fmt"
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
			if got := useColor(test.environ); got != test.want {
				t.Errorf("%v", got)
			}
		})
	}
}

func TestHasShades(t *testing.T) {
	for name, test := range map[string]struct {
		environ []string
		want    bool
	}{
		"nothing set":    {nil, false},
		"eight colours":  {[]string{"TERM=xterm"}, false},
		"256 colours":    {[]string{"TERM=screen-256color"}, true},
		"true colour":    {[]string{"TERM=alacritty", "COLORTERM=truecolor"}, true},
		"empty variable": {[]string{"TERM=linux", "COLORTERM="}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := hasShades(test.environ); got != test.want {
				t.Errorf("%v", got)
			}
		})
	}
}

// TestColorsAreReadable measures the contrast of each colour with white and with black, as WCAG defines it: below 3,
// text is hard to read. The terminal's own yellow on white has 1.7.
func TestColorsAreReadable(t *testing.T) {
	luminance := func(r, g, b float64) float64 {
		linear := func(v float64) float64 { return math.Pow((v/255+0.055)/1.055, 2.4) }
		return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
	}
	for name, c := range map[string]text.Color{
		"red":    text.FgRed,
		"green":  text.FgGreen,
		"yellow": text.FgYellow,
		"cyan":   text.FgCyan,
	} {
		painted := Screen{Color: true, Shades: true}.Paint(text.Colors{c, text.Bold}, "x")
		var shade int
		if _, err := fmt.Sscanf(painted, "\x1b[38;5;%d;1mx", &shade); err != nil {
			t.Fatalf("%s: %q: %v", name, painted, err)
		}
		part := func(n int) float64 { return []float64{0, 95, 135, 175, 215, 255}[(shade-16)/n%6] }
		l := luminance(part(36), part(6), part(1))
		if dark, light := (l+0.05)/0.05, 1.05/(l+0.05); dark < 3.5 || light < 3.5 {
			t.Errorf("%s has a contrast of %.1f on black and of %.1f on white", name, dark, light)
		}
	}
	if got := (Screen{Color: true}).Paint(text.Colors{text.FgYellow}, "x"); !strings.HasPrefix(got, "\x1b[33m") {
		t.Errorf("a terminal of eight colours is sent %q", got)
	}
}

// TestSay: prose is broken at the terminal's width and goes on after its indent, commands are not broken, and a file
// gets every line whole.
func TestSay(t *testing.T) {
	const lines = "start it, or name another with --brokers, which is a list\n  kafka-configs.sh --bootstrap-server " +
		"127.0.0.1:9092 --alter\nthe end\n"
	for name, test := range map[string]struct {
		screen       Screen
		indent, step string
		want         string
	}{
		"advice": {
			Screen{Terminal: true, Width: 40},
			"  ", "",
			"  start it, or name another with\n  --brokers, which is a list\n    kafka-configs.sh --bootstrap-server " +
				"127.0.0.1:9092 --alter\n  the end\n",
		},
		"message": {
			Screen{Terminal: true, Width: 40},
			"", "  ",
			"start it, or name another with\n  --brokers, which is a list\n  kafka-configs.sh --bootstrap-server " +
				"127.0.0.1:9092 --alter\nthe end\n",
		},
		"file":   {Screen{Width: 40}, "", "  ", lines},
		"narrow": {Screen{Terminal: true, Width: 10}, "", "  ", lines},
	} {
		var b strings.Builder
		test.screen.Writer = &b
		test.screen.Say(test.indent, test.step, lines)
		if b.String() != test.want {
			t.Errorf("%s:\n%s", name, b.String())
		}
	}
}

// TestNoScreenIsPlain: a file and a buffer get neither colours nor bars.
func TestNoScreenIsPlain(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := NewScreen(f, nil)
	if s.Terminal || s.Color || s.Paint(text.Colors{text.FgRed}, "x") != "x" {
		t.Errorf("a file is taken for a terminal: %+v", s)
	}
	var b strings.Builder
	bar := NewScreen(&b, nil).Bar(10, "sending")
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
		screen Screen
		want   string
	}{
		"terminal": {Screen{Terminal: true, Width: 60}, "right     1,168 of 2,801 raised alerts (42 %) were about a\n" +
			"          customer who had left; 1,633 were false alarms\n"},
		"file": {Screen{Width: 60}, "right     " + long + "\n"},
	} {
		var b strings.Builder
		test.screen.Writer = &b
		test.screen.Hang("right     ", long)
		if b.String() != test.want {
			t.Errorf("%s:\n%s", name, b.String())
		}
	}
}
