package scoring_test

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"encoding/binary"
	"encoding/csv"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ebb/scoring"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// row is one event of a log in the format of the public sets.
type row struct {
	customer string
	ms       int64
	kind     string
}

// table reads a CSV file, gzipped or not, without its heading.
func table(t *testing.T, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = bufio.NewReader(f)
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(r); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := csv.NewReader(r).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) < 2 {
		t.Fatalf("%s holds no rows", path)
	}
	return rows[1:]
}

func readLog(t *testing.T, path string) []row {
	t.Helper()
	records := table(t, path)
	rows := make([]row, len(records))
	for i, r := range records {
		rows[i] = row{r[0], int64(math.Round(parseNumber(t, r[1]) * 1000)), r[2]}
	}
	return rows
}

func parseNumber(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// change is one transition as in the reference's output.
type change struct {
	customer, transition, tier string
	ms                         int64
	logOdds                    float64
}

func readChanges(t *testing.T, path string) []change {
	t.Helper()
	var all []change
	for _, r := range table(t, path) {
		all = append(all, change{r[0], r[1], r[2], int64(parseNumber(t, r[3]) * 1000), parseNumber(t, r[4])})
	}
	return all
}

// lapses folds a log in time order into partitions by customer, lateness 0: deadlines before a customer's own event
// fire before it, those after its last one fire at the end.
func lapses(pack *pack.Pack, rows []row, partitions int) []change {
	populations, newest := make([]profile.Population, partitions), make([]int64, partitions)
	profiles := map[string]*profile.Profile{}
	var all []change
	note := func(customer string, d *scoring.Decision) {
		all = append(all, change{customer, d.Transition.String(), d.Tier.String(), d.At, d.Score.Sum()})
	}
	wake := func(customer string, p *profile.Profile, until int64) {
		for p.Armed != 0 && p.Armed <= until/60_000 {
			if d, ok := scoringtest.Wake(pack, p); ok {
				note(customer, &d)
			}
		}
	}
	for _, r := range rows {
		p := profiles[r.customer]
		if p == nil {
			p = &profile.Profile{}
			profiles[r.customer] = p
		}
		home := int(murmur2(r.customer)) % partitions
		newest[home] = max(newest[home], r.ms)
		wake(r.customer, p, r.ms)
		o := scoring.Observation{Time: r.ms, Signal: pack.Signal([]byte(r.kind))}
		if d, ok := scoringtest.Observe(pack, p, &populations[home], o); ok {
			note(r.customer, &d)
		}
	}
	for customer, p := range profiles {
		wake(customer, p, newest[int(murmur2(customer))%partitions])
	}
	slices.SortStableFunc(all, func(a, b change) int {
		return cmp.Or(strings.Compare(a.customer, b.customer), cmp.Compare(a.ms, b.ms))
	})
	return all
}

// murmur2 is the hash by which Kafka's clients place a key, made positive.
func murmur2(key string) uint32 {
	const m = 0x5bd1e995
	h := uint32(0x9747b28c) ^ uint32(len(key))
	b := []byte(key)
	for ; len(b) >= 4; b = b[4:] {
		k := binary.LittleEndian.Uint32(b) * m
		h = h*m ^ (k^k>>24)*m
	}
	if len(b) > 0 {
		var rest [4]byte
		copy(rest[:], b)
		h = (h ^ binary.LittleEndian.Uint32(rest[:])) * m
	}
	h = (h ^ h>>13) * m
	return (h ^ h>>15) & math.MaxInt32
}

// compareChanges requires the same rows. It accepts a minute's difference where the log-odds are within 1e-6 of a
// threshold, in at most 5 rows of 10,000.
func compareChanges(t *testing.T, got, want []change) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d alerts, want %d", len(got), len(want))
	}
	rounded := 0
	for i, w := range want {
		g := got[i]
		if g.customer != w.customer || g.transition != w.transition || g.tier != w.tier ||
			math.Abs(g.logOdds-w.logOdds) > 1e-6 {
			t.Fatalf("row %d: %+v, want %+v", i, g, w)
		}
		// The reference prints whole seconds.
		if off := g.ms/1000 - w.ms/1000; off != 0 {
			near := slices.ContainsFunc([]float64{2. / 3, 1.5, 4}, func(odds float64) bool {
				return math.Abs(w.logOdds-math.Log(odds)) < 1e-6
			})
			if rounded++; !near || off < -60 || off > 60 {
				t.Fatalf("row %d: %+v, want %+v", i, g, w)
			}
		}
	}
	t.Logf("%d of %d rows a minute off", rounded, len(want))
	if rounded*10_000 > 5*len(want) {
		t.Errorf("%d of %d rows are a minute off", rounded, len(want))
	}
}
