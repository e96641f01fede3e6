package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/connect"
	"ebb/cmd/ebb/rebuild"
	"ebb/pipeline/kafkawire"
)

// forgetShadow removes what is kept of a shadow: its keys in Redis and its group's offsets. Its published alerts stay.
func (a *app) forgetShadow(cmd *cobra.Command, f *packsShadowFlags) error {
	if !config.LegalShadow(f.forget) {
		return advice.Usage(fmt.Errorf("--forget takes the name of a shadow, found %q", f.forget))
	}
	cfg, err := a.config(f.overrides()...)
	if err != nil {
		return err
	}
	own := cfg.Shadow(f.forget)
	ctx := cmd.Context()
	group, err := rebuild.Open(ctx, own)
	if err != nil {
		return err
	}
	defer group.Close()
	if !f.yes {
		fmt.Fprintf(
			cmd.ErrOrStderr(),
			"This removes the state of group %s in Redis at %s and its offsets in Kafka; started again, it begins at the "+
				"oldest record.\n",
			own.Kafka.Group,
			strings.Join(cfg.Redis.Addresses, ", "),
		)
		if err := confirmed(cmd); err != nil {
			return err
		}
	}
	if err := group.AwaitEmpty(ctx, sayWaiting(cmd, own)); err != nil {
		if errors.Is(err, kafkawire.GroupDenied) {
			err = connect.NotAllowed("group "+own.Kafka.Group, kafkawire.Delete)
		}
		return err
	}
	removed, offsets, err := group.Forget(ctx)
	if err != nil {
		return err
	}
	if f.json {
		return json.NewEncoder(cmd.OutOrStdout()).
			Encode(map[string]any{"group": own.Kafka.Group, "removed_keys": removed, "removed_offsets": offsets})
	}
	if removed+offsets == 0 {
		fmt.Fprintf(cmd.OutOrStdout(), "nothing was kept of the shadow %s\n", f.forget)
		return nil
	}
	fmt.Fprintf(
		cmd.OutOrStdout(),
		"shadow %s forgotten: %s in Redis, %s in Kafka\n",
		f.forget,
		advice.Count(int64(removed), "key"),
		advice.Plural(offsets, "offset"),
	)
	return nil
}
