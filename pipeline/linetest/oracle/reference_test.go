//go:build reference

package oracle_test

import (
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"testing"
	"time"

	"ebb/pipeline/linetest/oracle"
)

// The fold agrees with the executable specification, row for row.
func TestFoldAgreesWithReference(t *testing.T) {
	for _, partitions := range []int{1, 4} {
		t.Run(strconv.Itoa(partitions), func(t *testing.T) {
			records := make([][]oracle.Record, partitions)
			for i, row := range rows(t, "data/online_retail.csv.gz") {
				seconds, err := strconv.ParseInt(row[1], 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				p := oracle.Partition([]byte(row[0]), partitions)
				records[p] = append(records[p], oracle.Record{
					Offset: int64(len(records[p])), Value: flat(strconv.Itoa(i), row[0], row[2], time.Unix(seconds, 0).UTC()),
				})
			}
			r := oracle.Fold(records, oracle.Settings{Horizon: 90, Activity: map[string]bool{"purchase": true}})
			compare(t, rows(t, fmt.Sprintf("reference/lapse3_online_retail_%d.csv.gz", partitions)), r.Alerts)
		})
	}
}

func compare(t *testing.T, want [][]string, got []oracle.Alert) {
	t.Helper()
	sort.SliceStable(got, func(i, j int) bool {
		if got[i].Customer != got[j].Customer {
			return got[i].Customer < got[j].Customer
		}
		return got[i].Seconds < got[j].Seconds
	})
	if len(got) != len(want) {
		t.Fatalf("%d alerts, want %d", len(got), len(want))
	}
	for i, w := range want {
		odds, err := strconv.ParseFloat(w[4], 64)
		if err != nil {
			t.Fatal(err)
		}
		g := got[i]
		if g.Customer != w[0] || g.Transition != w[1] || g.Tier != w[2] || strconv.FormatInt(g.Seconds, 10) != w[3] ||
			math.Abs(g.LogOdds-odds) > 1e-6 {
			t.Errorf("row %d: %+v, want %v", i, g, w)
		}
	}
}

// rows of a gzip'd CSV in the shared folder, without its header.
func rows(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open(filepath.Join(shared(t), name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	c := csv.NewReader(z)
	if _, err := c.Read(); err != nil {
		t.Fatal(err)
	}
	all, err := c.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// shared is EBB_TEST_SHARED, or the folder beside the repository.
func shared(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("EBB_TEST_SHARED"); dir != "" {
		return dir
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "..", "shared")
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
}
