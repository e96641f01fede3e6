//go:build integration

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestChaos is a minute of many faults drawn from a fresh seed, which it prints first. "task chaos" is the long
// campaign. With SEED=..., MINUTES=1 and -every 1500ms it draws the same faults.
func TestChaos(t *testing.T) {
	program := filepath.Join(t.TempDir(), "ebb")
	if out, err := exec.Command("go", "build", "-o", program, "ebb/cmd/ebb").CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	o, err := readOptions(
		[]string{"-seed", "0", "-minutes", "1", "-every", "1500ms", "-program", program, "-shared", sharedFolder(t)},
		os.Stderr,
	)
	if err != nil {
		t.Fatal(err)
	}
	say := newStatus(os.Stderr)
	say.line("seed %d", o.seed)
	r, err := carryOut(t.Context(), &o, say)
	if err != nil {
		t.Fatalf("seed %d: %v", o.seed, err)
	}
	if err := r.write(os.Stderr, false); err != nil {
		t.Fatal(err)
	}
	if !r.passed() {
		t.Errorf("seed %d: %v, %d findings; logs: %s", o.seed, &r.verdict, len(r.Findings), r.Logs)
	}
	if r.faults() < 20 || r.Alerts < 1000 || r.Takeovers < 20 || r.Resumed == 0 {
		t.Errorf("seed %d: the run was too tame: %d faults, %d alerts, %d takeovers, %d of them with alerts to publish",
			o.seed, r.faults(), r.Alerts, r.Takeovers, r.Resumed)
	}
	if took := time.Duration(r.CatchUp) * time.Millisecond; took > 2*time.Minute {
		t.Errorf("seed %d: caught up %v after the last fault", o.seed, took)
	}
}

// sharedFolder is EBB_TEST_SHARED, or the folder beside the repository. Its absence is a failure.
func sharedFolder(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("EBB_TEST_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared")
	}
	dir, err := filepath.Abs(dir)
	if err == nil {
		_, err = os.Stat(filepath.Join(dir, "testenv", "native"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
