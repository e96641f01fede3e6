package main

import (
	"errors"
	"os/exec"
	"testing"
)

// TestRedisMissing: without redis-server the pair returns an error, and what it had started can be stopped.
func TestRedisMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	p, err := newRedisPair(t.Context(), newNetwork(), t.TempDir())
	if !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("error %v", err)
	}
	if err := p.stop(); err != nil {
		t.Error(err)
	}
}
