package kafkasource_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"ebb/pipeline/kafkasource"
)

func take(t *testing.T, dir, group string) *kafkasource.Slot {
	t.Helper()
	s, err := kafkasource.TakeSlot(dir, "host", group)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Release() })
	return s
}

func TestSlotsAreDistinct(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "here")
	a, b := take(t, dir, "group"), take(t, dir, "group")
	if a.Instance() != "host-0" || b.Instance() != "host-1" {
		t.Errorf("%s and %s", a.Instance(), b.Instance())
	}
	if other := take(t, dir, "another"); other.Instance() != "host-0" {
		t.Errorf("another group's is %s", other.Instance())
	}
	if err := a.Release(); err != nil {
		t.Fatal(err)
	}
	if c := take(t, dir, "group"); c.Instance() != "host-0" {
		t.Errorf("after the first was released: %s", c.Instance())
	}
}

// TestSlotOfKilledProcess: it is free at once. The other process is this test again, with an environment that makes it
// hold a slot.
func TestSlotOfKilledProcess(t *testing.T) {
	if dir := os.Getenv("EBB_TEST_HOLD_SLOT"); dir != "" {
		fmt.Fprintln(os.Stdout, take(t, dir, "group").Instance())
		<-t.Context().Done()
		return
	}
	dir := t.TempDir()
	holder := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSlotOfKilledProcess$")
	holder.Env = append(os.Environ(), "EBB_TEST_HOLD_SLOT="+dir)
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "host-0\n" {
		t.Fatalf("the other process holds %q, %v", line, err)
	}
	if s := take(t, dir, "group"); s.Instance() != "host-1" {
		t.Errorf("beside the other process: %s", s.Instance())
	}
	if err := holder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = holder.Wait()
	if s := take(t, dir, "group"); s.Instance() != "host-0" {
		t.Errorf("after the other process was killed: %s", s.Instance())
	}
}

func TestSlotDirectoryUnusable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := kafkasource.TakeSlot(file, "host", "group"); err == nil {
		t.Error("a file is accepted as directory")
	}
}
