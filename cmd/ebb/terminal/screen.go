package terminal

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

const (
	Wide = 110 // from this width on there is room for the hour and the tier
)

// Widest bounds the lines of a help text, in columns: longer ones are hard to read, however wide the terminal.
const Widest = 100

// Screen is an output stream and what it may show: colours, bars and tables only where a person looks.
type Screen struct {
	io.Writer
	Terminal bool
	Color    bool
	Shades   bool // 256 colours, not only the terminal's own eight
	Width    int  // columns; of a terminal
}

// NewScreen finds out what w is. NO_COLOR and TERM=dumb in the environment turn colour off.
func NewScreen(w io.Writer, environ []string) Screen {
	s := Screen{Writer: w, Width: 80}
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return s
	}
	s.Terminal = true
	if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
		s.Width = w
	}
	s.Color = useColor(environ)
	s.Shades = hasShades(environ)
	return s
}

// useColor follows the conventions: no colour where NO_COLOR is set to anything, or on a terminal without colours.
func useColor(environ []string) bool {
	return !slices.ContainsFunc(environ, func(v string) bool {
		value, set := strings.CutPrefix(v, "NO_COLOR=")
		return set && value != "" || v == "TERM=dumb"
	})
}

// hasShades reads from the environment whether the terminal has 256 colours.
func hasShades(environ []string) bool {
	return slices.ContainsFunc(environ, func(v string) bool {
		return strings.HasPrefix(v, "TERM=") && strings.Contains(v, "256color") ||
			strings.HasPrefix(v, "COLORTERM=") && len(v) > len("COLORTERM=")
	})
}

// readable is the shade of a colour that can be read on a dark background and on a light one. The terminal's own
// yellow, green and cyan are made for dark ones and fade on white.
func readable(c text.Color) text.Color {
	switch c {
	case text.FgRed:
		return text.Fg256Color(160)
	case text.FgGreen:
		return text.Fg256Color(28)
	case text.FgYellow:
		return text.Fg256Color(130)
	case text.FgCyan:
		return text.Fg256Color(31)
	default:
		return c
	}
}

// Paint colours s where colour is shown.
func (s Screen) Paint(c text.Colors, t string) string {
	if !s.Color {
		return t
	}
	if s.Shades {
		shaded := make(text.Colors, len(c))
		for i := range c {
			shaded[i] = readable(c[i])
		}
		c = shaded
	}
	return c.EscapeSeq() + t + text.Reset.EscapeSeq()
}

// Say writes lines after an indent. On a terminal a line that is too long goes on in the next one, indented further if
// it is no text of its own. A line that begins with a space is a command to copy, and is never broken.
func (s Screen) Say(indent, step, lines string) {
	for line := range strings.SplitSeq(strings.TrimRight(lines, "\n"), "\n") {
		parts := []string{line}
		if room := s.Width - len(indent) - len(step); s.Terminal && room > 20 && !strings.HasPrefix(line, " ") {
			parts = strings.Split(text.WrapSoft(line, room), "\n")
		}
		for i, part := range parts {
			if i > 0 {
				part = step + part
			}
			fmt.Fprintln(s, strings.TrimRight(indent+part, " "))
		}
	}
}

// Hang writes head and next to it the text, which a terminal continues in further lines below.
func (s Screen) Hang(head, long string) {
	lines := []string{long}
	indent := text.StringWidthWithoutEscSequences(head)
	if s.Terminal {
		lines = strings.Split(text.WrapSoft(long, max(20, s.Width-indent)), "\n")
	}
	for _, line := range lines {
		fmt.Fprintf(s, "%s%s\n", head, strings.TrimRight(line, " "))
		head = strings.Repeat(" ", indent)
	}
}

// Paragraph writes head and next to it the text, wrapped on every output.
func (s Screen) Paragraph(head, long string) {
	s.Terminal, s.Width = true, min(s.Width, Widest)
	s.Hang(head, long)
}

// Table writes rows below a title. All columns except the first are aligned right. The last row is set off if it is a
// summary.
func (s Screen) Table(title string, header []string, rows [][]string) {
	fmt.Fprintf(s, "\n%s\n", s.Paint(text.Colors{text.Bold}, title))
	w := table.NewWriter()
	w.SetStyle(table.StyleDefault)
	w.Style().Options = table.OptionsNoBordersAndSeparators
	w.Style().Format.Header = text.FormatDefault
	var configs []table.ColumnConfig
	for i := 1; i < len(header); i++ {
		configs = append(configs, table.ColumnConfig{Number: i + 1, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	w.SetColumnConfigs(configs)
	for _, row := range append([][]string{header}, rows...) {
		cells := make(table.Row, len(row))
		for i, c := range row {
			cells[i] = c
		}
		w.AppendRow(cells)
	}
	for line := range strings.Lines(w.Render() + "\n") {
		fmt.Fprintln(s, strings.TrimRight(line, " \n"))
	}
}

// Bar is a progress bar on a terminal and nothing elsewhere. A total of -1 shows a spinner with the count.
func (s Screen) Bar(total int64, what string) *progressbar.ProgressBar {
	return progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(s),
		progressbar.OptionSetVisibility(s.Terminal),
		progressbar.OptionSetDescription(what),
		progressbar.OptionSetWidth(max(10, min(40, s.Width-60))),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionUseANSICodes(true),
		progressbar.OptionEnableColorCodes(s.Color),
	)
}
