package main

import (
	"errors"
	"os/exec"
	"testing"
)

// TestRedisMissing: where there is no redis-server the pair says so, and what was begun of it can be stopped.
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
