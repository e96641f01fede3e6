package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/rs/zerolog"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// screen is an output stream with what may be done on it: colour, bars and tables only where a person looks.
type screen struct {
	io.Writer
	terminal bool
	color    bool
	width    int // columns; of a terminal
}

// newScreen looks at what w is. NO_COLOR and TERM=dumb in the environment turn colour off.
func newScreen(w io.Writer, environ []string) screen {
	s := screen{Writer: w, width: 80}
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return s
	}
	s.terminal = true
	if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
		s.width = w
	}
	s.color = wantsColor(environ)
	return s
}

// isTerminal reports whether a person may sit at r.
func isTerminal(r io.Reader) bool {
	f, ok := r.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// wantsColor reads the conventions: NO_COLOR set to anything, or a terminal that can do nothing.
func wantsColor(environ []string) bool {
	return !slices.ContainsFunc(environ, func(v string) bool {
		value, set := strings.CutPrefix(v, "NO_COLOR=")
		return set && value != "" || v == "TERM=dumb"
	})
}

// paint colours s where colour is shown.
func (s screen) paint(c text.Colors, t string) string {
	if !s.color {
		return t
	}
	return c.EscapeSeq() + t + text.Reset.EscapeSeq()
}

// hang writes head and beside it what may be long: on a terminal that goes on below itself.
func (s screen) hang(head, long string) {
	lines := []string{long}
	indent := text.StringWidthWithoutEscSequences(head)
	if s.terminal {
		lines = strings.Split(text.WrapSoft(long, max(20, s.width-indent)), "\n")
	}
	for _, line := range lines {
		fmt.Fprintf(s, "%s%s\n", head, strings.TrimRight(line, " "))
		head = strings.Repeat(" ", indent)
	}
}

// bar is a progress bar on a terminal and nothing elsewhere. A total of -1 shows a spinner with the count.
func (s screen) bar(total int64, what string) *progressbar.ProgressBar {
	return progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(s),
		progressbar.OptionSetVisibility(s.terminal),
		progressbar.OptionSetDescription(what),
		progressbar.OptionSetWidth(max(10, min(40, s.width-60))),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionUseANSICodes(true),
		progressbar.OptionEnableColorCodes(s.color),
	)
}

// newLogger writes JSON lines, or lines for people where the format or the terminal asks for it.
func newLogger(cfg LogConfig, s screen) zerolog.Logger {
	level, err := zerolog.ParseLevel(cfg.Level)
	if err != nil {
		panic("BUG: log level passed the check: " + cfg.Level)
	}
	var w io.Writer = s
	if cfg.Format == "console" || cfg.Format == "auto" && s.terminal {
		w = zerolog.ConsoleWriter{Out: s, NoColor: !s.color, TimeFormat: time.TimeOnly}
	}
	return zerolog.New(w).Level(level).With().Timestamp().Logger()
}

// grouped writes a count with its thousands apart: 1,234,567.
func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}
