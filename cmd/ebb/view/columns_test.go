package view

import (
	"github.com/jedib0t/go-pretty/v6/text"
)

// columns is the width of a line on a terminal.
func columns(line string) int { return text.StringWidthWithoutEscSequences(line) }
