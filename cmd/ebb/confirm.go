package main

import (
	"bufio"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/terminal"
)

// confirmed prompts for a yes before going on.
func confirmed(cmd *cobra.Command) error {
	w := cmd.ErrOrStderr()
	fmt.Fprint(w, "Type yes to go on: ")
	answer, err := bufio.NewReader(terminal.StoppableReader(cmd.Context(), cmd.InOrStdin())).ReadString('\n')
	if strings.TrimSpace(answer) == "yes" {
		return nil
	}
	if err != nil {
		fmt.Fprintln(w)
	}
	return advice.Usage(errors.New("not confirmed, nothing was changed; --yes goes on without asking"))
}
