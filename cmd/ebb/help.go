package main

import (
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"ebb/cmd/ebb/terminal"
)

// wrapHelp fits the help of every command to the terminal; elsewhere it is 80 columns wide.
func wrapHelp(root *cobra.Command, environ []string) {
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		out := cmd.OutOrStdout()
		width := min(terminal.NewScreen(out, environ).Width, terminal.Widest)
		usages := strings.NewReplacer(".LocalFlags.FlagUsages ", fmt.Sprintf(".LocalFlags.FlagUsagesWrapped %d ", width),
			".InheritedFlags.FlagUsages ", fmt.Sprintf(".InheritedFlags.FlagUsagesWrapped %d ", width))
		cmd.SetUsageTemplate(usages.Replace(cmd.UsageTemplate()))
		about := cmd.Long
		if about == "" {
			about = cmd.Short
		}
		fmt.Fprintf(out, "%s\n\n%s", wrapParagraphs(about, width), cmd.UsageString())
	})
}

// wrapParagraphs rewraps the lines of each paragraph. An indented line stays as it is.
func wrapParagraphs(s string, width int) string {
	paragraphs := strings.Split(strings.TrimSpace(s), "\n\n")
	for i, p := range paragraphs {
		if strings.HasPrefix(p, " ") {
			continue
		}
		lines := strings.Split(text.WrapSoft(strings.Join(strings.Fields(p), " "), width), "\n")
		for j := range lines {
			lines[j] = strings.TrimRight(lines[j], " ")
		}
		paragraphs[i] = strings.Join(lines, "\n")
	}
	return strings.Join(paragraphs, "\n\n")
}
