package scoringtest

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files of this package")

// Golden compares got with a file of testdata, or writes it.
func Golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, have := strings.Split(string(Must(os.ReadFile(path))), "\n"), strings.Split(string(got), "\n")
	if len(want) != len(have) {
		t.Errorf("%s: %d lines, want %d", name, len(have), len(want))
	}
	for i := range min(len(want), len(have)) {
		if want[i] != have[i] {
			t.Fatalf("%s, line %d:\n%s\nwant\n%s", name, i+1, have[i], want[i])
		}
	}
}
