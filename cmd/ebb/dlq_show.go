package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/deadletter"
	"ebb/cmd/ebb/terminal"
	"ebb/cmd/ebb/view"
	"ebb/pipeline/kafkawire"
)

func newDLQShowCommand(a *app) *cobra.Command {
	var f dlqFlags
	var limit int
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Print quarantined records, byte for byte",
		Long: `Print quarantined records: code and reason, the place in the input where each stood, its own headers and timestamp, key and
value. Text is printed as it is, anything else in hex. With --json it is an object a line with keys, values and headers in
base64, which is exact for any bytes.`,
		Example: "  ebb dlq show --code not_json\n" +
			"  ebb dlq show --partition 3 --offsets 88213\n" +
			"  ebb dlq show --json | jq -r 'select(.replayed | not) | .value' | base64 -d",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.json && !cmd.Flags().Changed("limit") {
				limit = 0
			}
			return a.dlqShow(cmd, &f, limit)
		},
	}
	f.add(cmd)
	f.addUndelivered(cmd)
	cmd.Flags().IntVar(&limit, "limit", 20, "`N` records at most; 0: all, as with --json unless set")
	return cmd
}

// errEnough ends a walk that has found what it looked for.
var errEnough = errors.New("enough")

func (a *app) dlqShow(cmd *cobra.Command, f *dlqFlags, limit int) error {
	selected, err := f.selection(time.Now())
	if err == nil && limit < 0 {
		err = fmt.Errorf("--limit must be 0 or more, found %d", limit)
	}
	if err != nil {
		return advice.Usage(err)
	}
	d, err := a.openDLQ(cmd, f, kafkawire.Read)
	if err != nil {
		return err
	}
	defer d.close()
	out := bufio.NewWriterSize(cmd.OutOrStdout(), 64<<10)
	screen := terminal.NewScreen(cmd.OutOrStdout(), a.environ)
	shown := 0
	_, err = d.Walk(cmd.Context(), selected, func(r *deadletter.Letter) error {
		if limit > 0 && shown == limit {
			return errEnough
		}
		shown++
		d.steps.End()
		if f.json {
			return json.NewEncoder(out).Encode(r.Record())
		}
		_, err := out.WriteString(view.Letter(screen, r))
		return err
	})
	more := errors.Is(err, errEnough)
	if more {
		err = nil
	}
	if err = errors.Join(err, out.Flush()); err != nil {
		return err
	}
	d.steps.End()
	d.sayHeldUp()
	switch {
	case more:
		fmt.Fprintf(cmd.ErrOrStderr(), "there are more; --limit 0 shows all\n")
	case shown == 0:
		fmt.Fprintf(cmd.ErrOrStderr(), "no such record in %s\n", d.Name)
	}
	return nil
}
