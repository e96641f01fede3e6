package worker_test

import (
	"context"
	"slices"
	"testing"

	"ebb/pipeline"
	"ebb/scoring/pack"
)

// configured is the owners' pack: the newer one from where the log turns on.
func (in *input) configured(next int64) *pack.Pack {
	if in.newer != nil && next >= in.turn {
		return in.newer
	}
	return in.pack
}

// Controls implements pipeline.Ledger: it returns what readers of committed data see.
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

// Blank implements pipeline.Ledger.
func (t *trial) Blank(context.Context, pipeline.Identity) (bool, error) {
	t.handOver()
	return !slices.ContainsFunc(t.ledger, func(r pipeline.Outgoing) bool { return r.Topic == "control" }), nil
}

// Packs implements pipeline.Ledger.
func (t *trial) Packs(_ context.Context, hashes []string) (all []pipeline.PackBytes, err error) {
	t.handOver()
	for _, r := range t.ledger {
		if r.Topic == "packs" && slices.Contains(hashes, string(r.Key)) {
			all = append(all, pipeline.PackBytes{Hash: string(r.Key), Canonical: r.Value})
		}
	}
	return all, nil
}

// newerPack has another horizon, and declarations that the older one does not have.
func newerPack(t *testing.T) *pack.Pack {
	t.Helper()
	const text = `
name: any
version: "10"
horizon: 7d
tiers: {watch: 30, at_risk: 50, critical: 70}
activity: [visit]
friction: {failed: 2}
signals:
  visit: {types: [visit]}
  failed: {types: [failed]}
features:
  visits_20d: {kind: count, of: visit, within: 20d}
  failed_ago: {kind: since, of: failed}
factors:
  - {code: not_activated, feature: visits_20d, curve: [[0, 0.4], [3, 0]]}
kinds:
  involuntary: {opens: [{signal: failed, floor: 80, code: payment_failed_finally}], closes: [visit], expires: 3d}
`
	k, err := pack.Load("newer.yaml", func(string) ([]byte, error) { return []byte(text), nil }, pack.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// elsewhere is a Ledger of a partition whose control records the test does not look at.
type elsewhere struct{ pipeline.Ledger }

func (elsewhere) Blank(context.Context, pipeline.Identity) (bool, error) { return false, nil }
