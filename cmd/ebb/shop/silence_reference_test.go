//go:build reference

package shop_test

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"ebb/cmd/ebb/silence"
)

// TestSilencesOfCdnow counts the figures that TestSilences holds the shop to.
func TestSilencesOfCdnow(t *testing.T) {
	customers := map[string]*silence.Customer{}
	var ended []silence.Silence
	var begin, end int64
	purchases(t, func(customer string, at int64) {
		if begin == 0 {
			begin = at
		}
		end = at
		c := customers[customer]
		if c == nil {
			c = &silence.Customer{}
			customers[customer] = c
		}
		if one, ok := c.Active(at); ok {
			ended = append(ended, one)
		}
	})
	shares := silencesOf(begin, end)
	for _, one := range ended {
		shares.Add(one)
	}
	for _, c := range customers {
		one, _ := c.Open()
		shares.Add(one)
	}
	for class := range silence.Classes {
		for i, got := range shares.Of(class) {
			want := cdnow[class][i]
			t.Logf("%-10v silent for %3d days: %.3f of %d are not back", class, shares.Lengths[i]/day, got.Of(), got.All)
			if got.All != want.of || math.Abs(got.Of()-want.share) > 0.0006 {
				t.Errorf("TestSilences has %.3f of %d", want.share, want.of)
			}
		}
	}
}

// purchases reads the log: EBB_TEST_SHARED has it, or the folder beside the repository.
func purchases(t *testing.T, each func(customer string, at int64)) {
	t.Helper()
	shared := os.Getenv("EBB_TEST_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "..", "shared")
	}
	f, err := os.Open(filepath.Join(shared, "data", "cdnow.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	plain, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	rows := csv.NewReader(plain)
	if _, err := rows.Read(); err != nil { // the header
		t.Fatal(err)
	}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		seconds, err := strconv.ParseInt(row[1], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		each(row[0], seconds*1000)
	}
}
