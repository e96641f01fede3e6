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

// shopPack reads testdata/shop.csv as testdata/make_vectors.py does.
func shopPack() *pack.Pack {
	return scoringtest.Must(pack.Load("any", nil, pack.Overrides{
		Activity: []string{"purchase"}, Friction: map[string]float64{"payment_failed": 1}, Horizon: 90 * 24 * time.Hour,
	}))
}

// TestTerms: the terms of every customer of a log with late events are those of the executable specification.
func TestTerms(t *testing.T) {
	var want struct {
		At         int64 `json:"at_unix"`
		Order      []int `json:"order"`
		Population struct{ Mean, Within, Between float64 }
		Customers  map[string]struct {
			Visits uint32
			Terms  map[string]float64
		}
	}
	if err := json.Unmarshal(scoringtest.Must(os.ReadFile("testdata/terms.json")), &want); err != nil {
		t.Fatal(err)
	}
	pack, rows := shopPack(), readLog(t, "testdata/shop.csv")
	var pop profile.Population
	profiles := map[string]*profile.Profile{}
	for _, i := range want.Order {
		r := rows[i]
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
	if len(want.Customers) != len(profiles) {
		t.Errorf("%d customers, want %d", len(profiles), len(want.Customers))
	}
	for id, c := range want.Customers {
		s := scoringtest.ScoreOf(pack, profiles[id], want.At*1000)
		if got := profiles[id].Visits; got != c.Visits {
			t.Errorf("%s: %d visits, want %d", id, got, c.Visits)
		}
		for i, term := range model.TermNames() {
			scoringtest.CloseTo(t, id+" "+term, s.Terms[i], c.Terms[term])
		}
	}
}

// TestLapse: every alert of a log is that of the executable specification.
func TestLapse(t *testing.T) {
	rows := readLog(t, "testdata/shop.csv")
	for _, partitions := range []int{1, 4} {
		t.Run(strconv.Itoa(partitions), func(t *testing.T) {
			want := readChanges(t, filepath.Join("testdata", fmt.Sprintf("lapse_%d.csv", partitions)))
			compareChanges(t, lapses(shopPack(), rows, partitions), want)
		})
	}
}
