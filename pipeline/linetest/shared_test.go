//go:build integration && reference

package linetest_test

import (
	"compress/gzip"
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"ebb/pipeline/linetest/services"
)

// shared opens a file of the shared folder: EBB_TEST_SHARED, or the folder beside the repository. Its absence is a
// failure.
func shared(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open(filepath.Join(services.Setting("EBB_TEST_SHARED", filepath.Join(root(t), "..", "shared")), name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(z).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

// root is the folder of go.mod.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
	}
	t.Fatal("no go.mod above the test")
	return ""
}

// publicLog reads one of the public event logs.
func publicLog(t *testing.T, set string) []row {
	t.Helper()
	var rows []row
	for _, fields := range shared(t, "data/"+set+".csv.gz") {
		rows = append(rows, row{fields[0], number(t, fields[1]), fields[2]})
	}
	return rows
}

func number(t *testing.T, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
