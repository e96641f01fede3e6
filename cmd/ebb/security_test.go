package main

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// withoutServices are the commands that dial neither Kafka nor Redis, or only those inside the process.
func withoutServices() []string {
	return []string{
		"ebb backtest", "ebb demo", "ebb explain", "ebb health", "ebb help", "ebb packs diff", "ebb packs list",
		"ebb packs validate", "ebb simulate",
	}
}

// TestPermissionsOfEveryCommand: docs/security.md says of each command that dials Kafka or Redis what it may do there.
func TestPermissionsOfEveryCommand(t *testing.T) {
	text, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := "| `ebb run` |"
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "| `ebb ") {
			rows += line
		}
	}
	alone := withoutServices()
	commands := []*cobra.Command{newRootCommand(nil)}
	for i := 0; i < len(commands); i++ {
		c := commands[i]
		commands = append(commands, c.Commands()...)
		path := c.CommandPath()
		at := slices.Index(alone, path)
		if at >= 0 {
			alone = slices.Delete(alone, at, at+1)
		}
		if listed := strings.Contains(rows, "`"+path+"`"); !c.HasSubCommands() && listed == (at >= 0) {
			t.Errorf("%s: a row in docs/security.md: %v, dials nothing: %v", path, listed, at >= 0)
		}
	}
	if len(alone) > 0 {
		t.Errorf("there are no commands %q", alone)
	}
}
