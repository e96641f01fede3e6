//go:build integration

package linetest_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// What TestMain prepares for all tests, and nothing changes afterwards.
var (
	program string // the built binary
	env     *services
)

// TestMain builds the program and starts the services once.
func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "ebb-linetest-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // left to the system's own sweep
	program = filepath.Join(dir, "ebb")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, "ebb/cmd/ebb").CombinedOutput(); err != nil {
		return 1, fmt.Errorf("build the program: %w\n%s", err, out)
	}
	env, err = startServices(ctx)
	defer func() {
		if stopErr := env.stop(ctx); err == nil {
			err = stopErr
		}
	}()
	if err != nil {
		return 1, err
	}
	return m.Run(), nil
}
