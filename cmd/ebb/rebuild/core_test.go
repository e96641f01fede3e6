package rebuild

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"ebb/pipeline"
	"ebb/scoring/pack"
)

// packs is a ledger of packs alone.
type packs struct{ pipeline.Ledger }

func (packs) Packs(_ context.Context, hashes []string) ([]pipeline.PackBytes, error) {
	k, err := pack.Load("any", nil, pack.Overrides{})
	if err != nil || hashes[0] == "lost" {
		return nil, err
	}
	canonical := k.Canonical()
	if hashes[0] == "another core's" {
		canonical = bytes.Replace(canonical, []byte(`{"core":3,`), []byte(`{"core":1,`), 1)
	}
	return []pipeline.PackBytes{{Hash: hashes[0], Canonical: canonical}}, nil
}

// TestOfThisCore: the state of another version of the core is not emptied, for this build could not build it again.
func TestOfThisCore(t *testing.T) {
	for _, hash := range []string{"this core's", "lost"} {
		if err := ofThisCore(t.Context(), packs{}, hash); err != nil {
			t.Errorf("%s: %v", hash, err)
		}
	}
	if err := ofThisCore(
		t.Context(),
		packs{},
		"another core's",
	); err == nil ||
		!strings.Contains(err.Error(), "scored by version 1") {
		t.Errorf("another core's: %v", err)
	}
}
