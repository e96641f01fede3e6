package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/check"
	"ebb/cmd/ebb/terminal"
)

// Findings shows what was found, and the verdict.
func Findings(s terminal.Screen, r *check.Result) error {
	verdict := "ready to run"
	if !r.OK {
		verdict = advice.Plural(r.Problems, "problem")
	}
	if r.Warnings > 0 {
		verdict += ", " + advice.Plural(r.Warnings, "warning")
	}
	body := plainFindings(r.Checks)
	if s.Terminal {
		body = tableOfFindings(s, r.Checks)
		verdict = s.Paint(verdictColors(r.OK), verdict)
	}
	_, err := fmt.Fprintf(s, "%s\n%s\n", body, verdict)
	return err
}

func verdictColors(ok bool) text.Colors {
	if ok {
		return text.Colors{text.FgGreen, text.Bold}
	}
	return text.Colors{text.FgRed, text.Bold}
}

// plainFindings is a line per finding, and another for each line of its remedy.
func plainFindings(findings []check.Finding) string {
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "%-8s %s: %s\n", f.Status, f.Check, f.Found)
		for line := range strings.Lines(f.Do) {
			fmt.Fprintf(&b, "         -> %s\n", strings.TrimRight(line, "\n"))
		}
	}
	return b.String()
}

// tableOfFindings is a table of what was found, wrapped to the terminal's width, with the remedies below it.
func tableOfFindings(s terminal.Screen, findings []check.Finding) string {
	marks := map[string]string{
		check.OK:      s.Paint(text.Colors{text.FgGreen}, "✓"),
		check.Warning: s.Paint(text.Colors{text.FgYellow}, "!"),
		check.Problem: s.Paint(text.Colors{text.FgRed, text.Bold}, "✗"),
	}
	longest := 0
	for _, f := range findings {
		longest = max(longest, len(f.Check))
	}
	t := table.NewWriter()
	t.SetStyle(table.StyleDefault)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	t.Style().Box.PaddingLeft, t.Style().Box.PaddingRight = "", "  "
	t.SuppressTrailingSpaces()
	for _, f := range findings {
		t.AppendRow(table.Row{marks[f.Status], f.Check, text.WrapSoft(f.Found, max(30, s.Width-longest-5))})
	}
	return t.Render() + "\n" + remedies(s, findings)
}

// remedies lists what to do, each remedy once. The first line is wrapped; a command below it is not, so that it can be
// copied whole.
func remedies(s terminal.Screen, findings []check.Finding) string {
	var order []string
	checks := map[string][]string{}
	for _, f := range findings {
		if f.Do == "" {
			continue
		}
		if checks[f.Do] == nil {
			order = append(order, f.Do)
		}
		if !slices.Contains(checks[f.Do], f.Check) {
			checks[f.Do] = append(checks[f.Do], f.Check)
		}
	}
	var b strings.Builder
	for _, do := range order {
		first, command, _ := strings.Cut(do, "\n")
		fmt.Fprintf(&b, "\n%s\n", s.Paint(text.Colors{text.Bold}, strings.Join(checks[do], ", ")))
		for line := range strings.Lines(text.WrapSoft(first, s.Width-4)) {
			fmt.Fprintf(&b, "  %s\n", strings.TrimRight(line, " \n"))
		}
		if command != "" {
			fmt.Fprintf(&b, "  %s\n", s.Paint(text.Colors{text.FgCyan}, command))
		}
	}
	return b.String()
}
