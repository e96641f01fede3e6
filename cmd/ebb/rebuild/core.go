package rebuild

import (
	"context"
	"errors"
	"fmt"

	"ebb/cmd/ebb/advice"
	"ebb/pipeline"
	"ebb/scoring/pack"
)

// ofThisCore refuses a partition whose published offset was decided with a pack, by its hash, that another version of the
// score's core scored with: a replay would stop with core_changed. A pack that is lost or damaged is left to the replay.
func ofThisCore(ctx context.Context, ledger pipeline.Ledger, hash string) error {
	found, err := ledger.Packs(ctx, []string{hash})
	if err != nil {
		return fmt.Errorf("read packs: %w", err)
	}
	for _, k := range found {
		if _, err := pack.LoadCanonical(k.Canonical); errors.Is(err, pack.ErrOtherCore) {
			return advice.Add(
				fmt.Errorf("what was published cannot be replayed: %w: the state was left as it is", err),
				"go on with the version of ebb that wrote it, or begin with this one under a new kafka.group and a new "+
					"kafka.alerts, with kafka.start: earliest",
			)
		}
	}
	return nil
}
