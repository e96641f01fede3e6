//go:build reference

package scoring_test

import (
	"compress/gzip"
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"ebb/scoring"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// TestSecondPurchase: on a real log, second_purchase is said of customers with exactly one purchase, counted beside the
// pack, and of nobody else.
func TestSecondPurchase(t *testing.T) {
	f := scoringtest.Must(os.Open(filepath.Join(shared(t), "data", "online_retail.csv.gz")))
	defer f.Close()
	rows := scoringtest.Must(csv.NewReader(scoringtest.Must(gzip.NewReader(f))).ReadAll())[1:]
	k := scoringtest.Must(pack.Load("retail", nil, pack.Overrides{}))
	s, pop := scoring.NewScorer(k), profile.Population{}
	customers, purchases := map[string]*profile.Customer{}, map[string]int{}
	second, once, wonBack := 0, 0, 0
	check := func(id string, decisions []scoring.Decision) {
		for _, d := range decisions {
			if d.Play == 0 {
				continue
			}
			if purchases[id] == 1 {
				once++
			}
			play := k.Play(d.Play)
			if play.ID == "second_purchase" {
				if second++; purchases[id] != 1 {
					t.Errorf("%s has made %d purchases, %v", id, purchases[id], d.Transition)
				}
			}
			if gone := d.Score.Silence > 2*90; gone && d.Kind == profile.Lapse && d.Transition != scoring.Reminded {
				if wonBack++; play.ID != "win_back" && play.Intent != pack.IntentNone {
					t.Errorf("%s, silent for %.0f days, has %s", id, d.Score.Silence, play.ID)
				}
			}
		}
	}
	wake := func(id string, minute int64) {
		for c := customers[id]; c.Armed != 0 && c.Armed <= minute; {
			check(id, s.Wake(c))
		}
	}
	end := int64(0)
	for _, row := range rows {
		id, at := row[0], 1000*scoringtest.Must(strconv.ParseInt(row[1], 10, 64))
		if customers[id] == nil {
			customers[id] = &profile.Customer{Profile: &profile.Profile{}}
		}
		wake(id, at/60_000)
		if row[2] == "purchase" {
			purchases[id]++
		}
		check(id, s.Observe(customers[id], &pop, &scoring.Observation{
			Time: at, Signal: k.Signal([]byte(row[2])), HasValue: true,
			Value: int64(100 * scoringtest.Must(strconv.ParseFloat(row[3], 64))),
		}))
		end = max(end, at)
	}
	for id := range customers {
		wake(id, end/60_000)
	}
	t.Logf("%d with second_purchase, of %d to customers with one purchase; %d beyond two horizons", second, once, wonBack)
	if second == 0 || wonBack == 0 {
		t.Error("nobody to be judged by")
	}
}
