package zone

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"
)

// TestDatabase: the database is replaced with its version and its hash, and every zone of it can be read.
func TestDatabase(t *testing.T) {
	const version, hash = "2025c", "8f55634d05f8bca1f7bc7c69c5933428c69357e0bdf565e5ba224e3f88ff12e8"
	sum := sha256.Sum256(archive)
	if got := hex.EncodeToString(sum[:]); Version != version || got != hash {
		t.Errorf("version %s with hash %s, want %s with %s", Version, got, version, hash)
	}
	all := database()
	if len(all.named) < 500 || len(all.marked) != len(all.named) {
		t.Errorf("%d names and %d marks", len(all.named), len(all.marked))
	}
	for _, z := range all.named {
		if z.location().String() != z.Name || z.Mark == 0 {
			t.Errorf("%s: %v, mark %d", z.Name, z.location(), z.Mark)
		}
	}
}
