package rebuild

import (
	"bytes"
	"strings"
	"testing"

	"ebb/scoring/pack"
)

// TestReplayable: the state of another version of the core is not emptied, for this build could not build it again.
func TestReplayable(t *testing.T) {
	k, err := pack.Load("any", nil, pack.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	if err := replayable(k.Canonical()); err != nil {
		t.Error(err)
	}
	if err := replayable([]byte("damaged")); err != nil {
		t.Errorf("the replay says what is wrong with it: %v", err)
	}
	other := bytes.Replace(k.Canonical(), []byte(`{"core":3,`), []byte(`{"core":1,`), 1)
	if err := replayable(other); err == nil || !strings.Contains(err.Error(), "scored by version 1") {
		t.Errorf("another core: %v", err)
	}
}
