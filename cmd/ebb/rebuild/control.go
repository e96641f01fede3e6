package rebuild

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/connect"
	"ebb/pipeline"
)

// controlPatience is how long the control records are waited for behind an open transaction.
const controlPatience = time.Minute

// decidable refuses a partition whose control records do not lead to what its published offset was decided by. A replay
// of it would stop with control_lost, and by then the state that could go on without them would be gone.
func (g *Group) decidable(ctx context.Context, n int32, mark *pipeline.Mark) error {
	if mark.Pack == "" {
		return nil // of a group that has announced none
	}
	ctx, cancel := context.WithTimeout(ctx, controlPatience)
	defer cancel()
	k := &g.cfg.Kafka
	control, err := connect.FindControl(ctx, g.Kafka, g.cfg)
	if err != nil {
		return fmt.Errorf("look up topic %s: %w", k.Control, err)
	}
	ledger := control.Ledger(g.Kafka, g.cfg)
	records, err := ledger.Controls(ctx, pipeline.Identity{
		Group: k.Group, Input: k.Input, Partition: int(n), Partitions: int(g.topic.Partitions),
		Cluster: g.topic.Cluster, Topic: g.topic.ID,
	})
	if err != nil {
		return fmt.Errorf("read control records: %w", err)
	}
	pack, settings := newest(records, mark.Offset)
	if pack == mark.Pack && settings == mark.Settings {
		return ofThisCore(ctx, ledger, pack)
	}
	return advice.Add(
		fmt.Errorf(
			"offset %d was published under pack %.12s, settings %s; the control records in %s lead to %.12s, %s: the state was left as it is",
			mark.Offset,
			mark.Pack,
			cmp.Or(mark.Settings, "none"),
			control.Topic,
			cmp.Or(pack, "none"),
			cmp.Or(settings, "none"),
		),
		"the topic kafka.control has lost records, or is another one: put it back, or restore a backup of Redis; "+
			"where neither can be had, start over under a new kafka.group, and expect alerts that were sent before",
	)
}

// newest are the pack and the settings, as their hashes, that apply at an offset of the group's present life.
func newest(records []pipeline.Control, offset int64) (pack, settings string) {
	for i := range records {
		c := &records[i]
		if c.First {
			pack, settings = "", "" // what is before it is of another group of this name
		}
		switch {
		case c.Offset >= offset:
		case c.Kind == pipeline.ControlPack:
			pack = c.Pack.Hash
		case c.Kind == pipeline.ControlSettings:
			settings = c.Settings.Hash()
		}
	}
	return pack, settings
}
