//go:build reference

package scoring_test

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"ebb/scoring"
)

// shared is the folder with the reference and the public logs: EBB_TEST_SHARED, or beside the repository.
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
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = parent
	}
}

type row struct {
	customer string
	ms       int64
	kind     string
}

func readLog(t *testing.T, path string) []row {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(bufio.NewReader(f))
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(z)
	r.ReuseRecord = true
	var rows []row
	for {
		rec, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if rec[0] == "customer_id" {
			continue
		}
		seconds, err := strconv.ParseFloat(rec[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row{rec[0], int64(math.Round(seconds * 1000)), rec[2]})
	}
	return rows
}

// sets says what is activity and friction in each public log.
var sets = map[string]scoring.Overrides{
	"cdnow":         {Activity: []string{"purchase"}, Friction: map[string]float64{}},
	"online_retail": {Activity: []string{"purchase"}, Friction: map[string]float64{}},
	"bitcoin_otc":   {Activity: []string{"rating_given"}, Friction: map[string]float64{"negative_received": 1}},
	"mathoverflow":  {Activity: []string{"answer", "comment_question", "comment_answer"}, Friction: map[string]float64{}},
	"email_eu":      {Activity: []string{"sent"}, Friction: map[string]float64{}},
}

type goldenSet struct {
	Cut        float64 `json:"cut_unix"`
	Horizon    float64 `json:"horizon_days"`
	Population struct {
		Mean    float64 `json:"mean_ln_gap"`
		Within  float64 `json:"within"`
		Between float64 `json:"between"`
	} `json:"population"`
	Customers []struct {
		ID     string             `json:"customer_id"`
		Visits uint32             `json:"visits"`
		Terms  map[string]float64 `json:"terms"`
		Sum    float64            `json:"sum"`
	} `json:"customers"`
}

func TestReferenceTerms(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(shared(t), "reference", "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	var golden map[string]goldenSet
	if err := json.Unmarshal(b, &golden); err != nil {
		t.Fatal(err)
	}
	for name, want := range golden {
		t.Run(name, func(t *testing.T) {
			o := sets[name]
			o.Horizon = time.Duration(want.Horizon * 24 * float64(time.Hour))
			pack, err := scoring.Load("retail", nil, o)
			if err != nil {
				t.Fatal(err)
			}
			cut := int64(want.Cut * 1000)
			var pop scoring.Population
			profiles := map[string]*scoring.Profile{}
			for _, r := range readLog(t, filepath.Join(shared(t), "data", name+".csv.gz")) {
				if r.ms > cut {
					break
				}
				p := profiles[r.customer]
				if p == nil {
					p = &scoring.Profile{}
					profiles[r.customer] = p
				}
				pack.Observe(p, &pop, scoring.Observation{Time: r.ms, Signal: pack.Signal([]byte(r.kind))})
			}
			mean, within, between := pop.Moments()
			closeTo(t, "mean", mean, want.Population.Mean)
			closeTo(t, "within", within, want.Population.Within)
			closeTo(t, "between", between, want.Population.Between)
			if len(want.Customers) == 0 {
				t.Fatal("no customers in the golden file")
			}
			for _, c := range want.Customers {
				p := profiles[c.ID]
				if p.Visits != c.Visits {
					t.Errorf("%s: %d visits, want %d", c.ID, p.Visits, c.Visits)
				}
				s := pack.Score(p, cut)
				closeTo(t, c.ID+" sum", s.Sum(), c.Sum)
				for i, name := range scoring.TermNames() {
					closeTo(t, c.ID+" "+name, s.Terms[i], c.Terms[name])
				}
			}
		})
	}
}

func closeTo(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-6) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}
