package ports_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"ebb/pipeline/linetest/ports"
)

// TestMain is also the second process of a test: it prints its ports and holds them until its input ends.
func TestMain(m *testing.M) {
	if os.Getenv("EBB_TEST_ASKS") == "" {
		os.Exit(m.Run())
	}
	for range 60 {
		found, err := ports.Free(context.Background(), 7)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		for _, p := range found {
			fmt.Fprintln(os.Stdout, p)
		}
	}
	fmt.Fprintln(os.Stdout, "all")
	_, _ = bufio.NewReader(os.Stdin).ReadByte()
}

// TestFree: processes that request ports at the same time get different ones, while nothing listens on any of them yet.
func TestFree(t *testing.T) {
	owner := map[string]int{}
	for process := range 4 {
		asker := exec.CommandContext(t.Context(), os.Args[0])
		asker.Env = append(os.Environ(), "EBB_TEST_ASKS=yes")
		asker.Stderr = os.Stderr
		in, err := asker.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := asker.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := asker.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() {
			_ = in.Close()
			if err := asker.Wait(); err != nil {
				t.Error(err)
			}
		}()
		lines := bufio.NewScanner(out)
		for lines.Scan() && lines.Text() != "all" {
			if other, taken := owner[lines.Text()]; taken {
				t.Errorf("port %s is given to processes %d and %d", lines.Text(), other, process)
			}
			owner[lines.Text()] = process
		}
	}
	if len(owner) != 4*60*7 {
		t.Errorf("%d ports, want %d", len(owner), 4*60*7)
	}
}
