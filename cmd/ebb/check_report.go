package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// checkResult is what --json prints.
type checkResult struct {
	OK       bool      `json:"ok"`
	Problems int       `json:"problems"`
	Warnings int       `json:"warnings"`
	Checks   []finding `json:"checks"`
}

// report prints the findings and returns an error if there is a problem; a wrong configuration is one of its own kind.
func (c *checking) report(s screen, config bool) error {
	r := checkResult{Checks: c.findings}
	for _, f := range c.findings {
		switch f.Status {
		case statusProblem:
			r.Problems++
		case statusWarning:
			r.Warnings++
		}
	}
	r.OK = r.Problems == 0
	if err := c.print(s, &r); err != nil {
		return err
	}
	switch {
	case r.OK:
		return nil
	case config:
		return fmt.Errorf("%w: %w", errReported, configProblems{})
	}
	return errReported
}

func (c *checking) print(s screen, r *checkResult) error {
	if c.flags.json {
		e := json.NewEncoder(s)
		e.SetEscapeHTML(false)
		return e.Encode(r)
	}
	verdict := "ready to run"
	if !r.OK {
		verdict = plural(r.Problems, "problem")
	}
	if r.Warnings > 0 {
		verdict += ", " + plural(r.Warnings, "warning")
	}
	body := plainFindings(r.Checks)
	if s.terminal {
		body = tableOfFindings(s, r.Checks)
	}
	_, err := fmt.Fprintf(s, "%s\n%s\n", body, verdict)
	return err
}

// plainFindings is a line per finding, and one more for each line of what to do.
func plainFindings(findings []finding) string {
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "%-8s %s: %s\n", f.Status, f.Check, f.Found)
		for line := range strings.Lines(f.Do) {
			fmt.Fprintf(&b, "         -> %s\n", strings.TrimRight(line, "\n"))
		}
	}
	return b.String()
}

// tableOfFindings wraps the findings to the terminal's width. What to do stands below what was found and is not wrapped
// where it is a command, so that it can be copied whole.
func tableOfFindings(s screen, findings []finding) string {
	marks := map[string]string{
		statusOK:      s.paint(text.Colors{text.FgGreen}, "✓"),
		statusWarning: s.paint(text.Colors{text.FgYellow}, "!"),
		statusProblem: s.paint(text.Colors{text.FgRed, text.Bold}, "✗"),
	}
	longest := 0
	for _, f := range findings {
		longest = max(longest, len(f.Check))
	}
	width := max(30, s.width-longest-6)
	t := table.NewWriter()
	t.SetStyle(table.StyleDefault)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	t.Style().Box.PaddingLeft, t.Style().Box.PaddingRight = "", "  "
	for _, f := range findings {
		found := text.WrapSoft(f.Found, width)
		for line := range strings.Lines(f.Do) {
			found += "\n" + s.paint(text.Colors{text.FgCyan}, "→ "+text.WrapSoft(strings.TrimRight(line, "\n"), width-2))
		}
		t.AppendRow(table.Row{marks[f.Status], f.Check, found})
	}
	return t.Render() + "\n"
}
