//go:build reference

package main

import (
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ebb/scoring"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// logsFolder holds the public logs: in EBB_TEST_SHARED, or beside the repository.
func logsFolder() string {
	if dir := os.Getenv("EBB_TEST_SHARED"); dir != "" {
		return filepath.Join(dir, "data")
	}
	return filepath.Join("..", "..", "..", "shared", "data")
}

// TestTheCoreIsTheCore: with the core's constants the variants' engine ranks customers as the core itself does.
func TestTheCoreIsTheCore(t *testing.T) {
	for i := range publicLogs {
		p := &publicLogs[i]
		t.Run(p.name, func(t *testing.T) {
			l, err := p.read(logsFolder())
			if err != nil {
				t.Fatal(err)
			}
			got := l.measure(constants())
			for d, want := range coreAUC(t, l) {
				if math.Abs(got[d]-want) > 2e-4 {
					t.Errorf("%s: AUC %.5f, the core's is %.5f", l.dates[d], got[d], want)
				}
			}
		})
	}
}

// coreAUC is the AUC of package scoring at each date.
func coreAUC(t *testing.T, l *eventLog) (found []float64) {
	t.Helper()
	k, err := pack.Load("any", nil, pack.Overrides{
		Activity: []string{"activity"}, Friction: map[string]float64{"friction": 1}, Horizon: time.Duration(l.horizon*24) * time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	scorer, pop := scoring.NewScorer(k), profile.Population{}
	customers := make([]profile.Customer, l.customers)
	signals := map[bool]pack.Signal{true: k.Signal([]byte("activity")), false: k.Signal([]byte("friction"))}
	i := 0
	for d, cut := range l.cuts {
		for ; i < len(l.events) && l.events[i].at <= cut; i++ {
			e := &l.events[i]
			if customers[e.customer].Profile == nil {
				customers[e.customer].Profile = &profile.Profile{}
			}
			scorer.Observe(&customers[e.customer], &pop, &scoring.Observation{Time: int64(math.Round(e.at * 86.4e6)), Signal: signals[e.activity]})
		}
		var scores []float64
		var churned []bool
		for id := range customers {
			c := &customers[id]
			if c.Profile == nil || c.Visits == 0 || float64(c.Last) <= (cut-l.active)*86.4e6 {
				continue
			}
			score := scorer.Eval.Score(c, int64(cut*86.4e6))
			scores = append(scores, score.Sum())
			next := l.stayed[d][id]
			churned = append(churned, next == 0 || next > cut+l.horizon)
		}
		found = append(found, auc(scores, churned))
	}
	return found
}
