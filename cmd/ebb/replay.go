package main

import (
	"encoding/json"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/replay"
	"ebb/cmd/ebb/terminal"
	"ebb/cmd/ebb/view"
)

// replayFlags is the command line of replay.
type replayFlags struct {
	packFlags
	into string
	most int
	json bool
}

func newReplayCommand(a *app) *cobra.Command {
	var f replayFlags
	cmd := &cobra.Command{
		Use:   "replay",
		Short: "Decide everything once more, and compare with what was published",
		Long: `Fold the whole input once more, from where the group began up to its committed offsets, with the same control records and packs,
and compare each alert with the published one, byte for byte: those that are missing, those that were not published, those that
are not the same, and those that were published more than once. With the build that published them nothing may differ; with another one the difference shows what it
would have decided.

Nothing of the group is changed, and it may go on meanwhile. The state is built in memory, that of one partition at a time: some
300 bytes for each of its customers, and 100 for each alert of the group.

Exit code 0 says that nothing differs, 1 that something does, 2 that they could not be compared.`,
		Example: "  ebb replay -c ebb.yaml\n" +
			"  ebb replay --into ebb.alerts.replay      # keep the replay's alerts in a topic\n" +
			"  ebb replay --json | jq '.differences[] | select(.difference == \"changed\")'",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			same, err := a.replay(cmd, &f)
			switch {
			case err != nil:
				return troubledError{err}
			case !same:
				return errReported
			}
			return nil
		},
	}
	f.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.into, "into", "", "write the replay's alerts to this `TOPIC`, which exists")
	flags.IntVar(&f.most, "most", 10, "show `N` differences of each kind")
	flags.BoolVar(&f.json, "json", false, "print one object")
	return cmd
}

// replay reports whether nothing differs.
func (a *app) replay(cmd *cobra.Command, f *replayFlags) (same bool, err error) {
	cfg, err := a.config(f.overrides()...)
	if err != nil {
		return false, err
	}
	screen := terminal.NewScreen(cmd.ErrOrStderr(), a.environ)
	steps := terminal.NewSteps(screen)
	defer steps.End()
	report, err := replay.Run(cmd.Context(), &replay.Options{
		Config: cfg, Into: f.into, Most: f.most, Waiting: waitsOn(screen), Progress: steps.At,
	})
	if err != nil {
		return false, err
	}
	steps.End()
	out := terminal.NewScreen(cmd.OutOrStdout(), a.environ)
	if f.json {
		return report.Equal(), json.NewEncoder(out).Encode(report)
	}
	return report.Equal(), view.Replay(out, report)
}
