package pipeline_test

import (
	"context"
	"slices"

	"ebb/pipeline"
	"ebb/scoring"
)

// configured is the pack that owners have: the newer one from where the log turns on.
func (in *input) configured(next int64) *scoring.Pack {
	if in.newer != nil && next >= in.turn {
		return in.newer
	}
	return in.pack
}

// Controls is pipeline.Ledger's: what readers of committed data see.
func (t *trial) Controls(_ context.Context, id pipeline.Identity) (all []pipeline.Control, err error) {
	t.handOver()
	for _, r := range t.ledger {
		if r.Topic != "control" {
			continue
		}
		c, err := pipeline.ReadControl(r.Value)
		if err != nil {
			return nil, err
		}
		if c.Of(id) {
			all = append(all, c)
		}
	}
	return all, nil
}

// Packs is pipeline.Ledger's.
func (t *trial) Packs(_ context.Context, hashes []string) (all []pipeline.PackBytes, err error) {
	t.handOver()
	for _, r := range t.ledger {
		if r.Topic == "packs" && slices.Contains(hashes, string(r.Key)) {
			all = append(all, pipeline.PackBytes{Hash: string(r.Key), Canonical: r.Value})
		}
	}
	return all, nil
}
