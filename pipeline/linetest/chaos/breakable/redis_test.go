package breakable

import (
	"errors"
	"os/exec"
	"testing"
)

// TestRedisMissing: without redis-server the pair returns an error, and what it had started can be stopped.
func TestRedisMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	p, err := NewRedisPair(t.Context(), NewNetwork(), t.TempDir())
	if !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("error %v", err)
	}
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
}
