//go:build reference

package scoring_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"ebb/scoring"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// shared is the folder with the reference and the public logs: EBB_TEST_SHARED, or beside the repository.
func shared(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("EBB_TEST_SHARED"); dir != "" {
		return dir
	}
	for dir := "."; len(dir) < 64; dir = filepath.Join(dir, "..") {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "..", "shared")
		}
	}
	t.Fatal("no go.mod above the test")
	return ""
}

// sets is what counts as activity and friction in each public log.
var sets = map[string]pack.Overrides{
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

// TestReferenceTerms: terms of real customers of five logs, and the moments of their populations.
func TestReferenceTerms(t *testing.T) {
	var golden map[string]goldenSet
	err := json.Unmarshal(scoringtest.Must(os.ReadFile(filepath.Join(shared(t), "reference", "golden3.json"))), &golden)
	if err != nil {
		t.Fatal(err)
	}
	for name := range sets {
		t.Run(name, func(t *testing.T) {
			want := golden[name]
			if len(want.Customers) == 0 {
				t.Fatal("not in the golden file")
			}
			compareSet(t, name, &want)
		})
	}
}

func compareSet(t *testing.T, name string, want *goldenSet) {
	t.Helper()
	o := sets[name]
	o.Horizon = time.Duration(want.Horizon * 24 * float64(time.Hour))
	pack := scoringtest.Must(pack.Load("any", nil, o))
	cut := int64(want.Cut * 1000)
	var pop profile.Population
	profiles := map[string]*profile.Profile{}
	for _, r := range readLog(t, filepath.Join(shared(t), "data", name+".csv.gz")) {
		if r.ms > cut {
			break
		}
		if profiles[r.customer] == nil {
			profiles[r.customer] = &profile.Profile{}
		}
		scoringtest.Observe(
			pack,
			profiles[r.customer],
			&pop,
			scoring.Observation{Time: r.ms, Signal: pack.Signal([]byte(r.kind))},
		)
	}
	mean, within, between := pop.Moments()
	scoringtest.CloseTo(t, "mean", mean, want.Population.Mean)
	scoringtest.CloseTo(t, "within", within, want.Population.Within)
	scoringtest.CloseTo(t, "between", between, want.Population.Between)
	for _, c := range want.Customers {
		p := profiles[c.ID]
		if p.Visits != c.Visits {
			t.Errorf("%s: %d visits, want %d", c.ID, p.Visits, c.Visits)
		}
		s := scoringtest.ScoreOf(pack, p, cut)
		scoringtest.CloseTo(t, c.ID+" sum", s.Sum(), c.Sum)
		for i, term := range model.TermNames() {
			scoringtest.CloseTo(t, c.ID+" "+term, s.Terms[i], c.Terms[term])
		}
	}
}

// TestReferenceLapse: every alert of a real shop, with one partition and with four.
func TestReferenceLapse(t *testing.T) {
	rows := readLog(t, filepath.Join(shared(t), "data", "online_retail.csv.gz"))
	pack := scoringtest.Must(pack.Load("any", nil, sets["online_retail"]))
	for _, partitions := range []int{1, 4} {
		t.Run(strconv.Itoa(partitions), func(t *testing.T) {
			want := readChanges(
				t,
				filepath.Join(shared(t), "reference", fmt.Sprintf("lapse3_online_retail_%d.csv.gz", partitions)),
			)
			compareChanges(t, lapses(pack, rows, partitions), want)
		})
	}
}
