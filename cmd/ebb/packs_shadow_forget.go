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
	"ebb/pipeline/kafkawire"
)

// forgetShadow removes what is kept of a shadow: its keys in Redis and its group's offsets. What it has published stays.
func (a *app) forgetShadow(cmd *cobra.Command, f *packsShadowFlags) error {
	if !config.LegalShadow(f.forget) {
		return advice.Usage(fmt.Errorf("--forget takes the name of a shadow, found %q", f.forget))
	}
	cfg, err := a.config(f.overrides()...)
	if err != nil {
		return err
	}
	r := &rebuilding{cfg: cfg.Shadow(f.forget)}
	defer r.Close()
	if err := r.open(cmd.Context()); err != nil {
		return err
	}
	if !f.yes {
		fmt.Fprintf(cmd.ErrOrStderr(), "This removes the state of group %s in Redis at %s and its offsets in Kafka; started again, it begins at the oldest record.\n",
			r.cfg.Kafka.Group, strings.Join(cfg.Redis.Addresses, ", "))
		if err := askYes(cmd); err != nil {
			return err
		}
	}
	offsets := 0
	if err = r.awaitEmptyGroup(cmd); err == nil {
		offsets, err = r.forget(cmd)
	}
	if errors.Is(err, kafkawire.GroupDenied) {
		err = connect.NotAllowed("group "+r.cfg.Kafka.Group, kafkawire.Delete)
	}
	if err != nil {
		return err
	}
	removed, err := r.Redis.Empty(cmd.Context(), r.cfg.Kafka.Group, int(r.topic.Partitions))
	if err != nil {
		return fmt.Errorf("empty state: %w", err)
	}
	if f.json {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"group": r.cfg.Kafka.Group, "removed_keys": removed, "removed_offsets": offsets})
	}
	if removed+offsets == 0 {
		fmt.Fprintf(cmd.OutOrStdout(), "nothing was kept of the shadow %s\n", f.forget)
		return nil
	}
	fmt.Fprintf(cmd.OutOrStdout(), "shadow %s forgotten: %s in Redis, %s in Kafka\n", f.forget, advice.Count(int64(removed), "key"), advice.Plural(offsets, "offset"))
	return nil
}

// forget deletes the group's offsets, before its state: of a group that has neither, or state alone, nothing is believed. It
// returns how many there were.
func (r *rebuilding) forget(cmd *cobra.Command) (offsets int, err error) {
	ctx, group, input := cmd.Context(), r.cfg.Kafka.Group, r.cfg.Kafka.Input
	for n := range r.topic.Partitions {
		committed, err := r.Kafka.Committed(ctx, group, input, n)
		if err != nil {
			return 0, err
		}
		if committed.Exists {
			offsets++
		}
	}
	if offsets == 0 {
		return 0, nil
	}
	return offsets, r.Kafka.DeleteOffsets(ctx, group, input, r.topic.Partitions)
}
