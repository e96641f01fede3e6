package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ebb/scoring/pack"
)

// pool is what partitions share, on a server that loses it now and then, or answers from an older copy.
type pool struct {
	mu     sync.Mutex
	fields map[string][]byte
	copies []map[string][]byte
	calls  int
	sound  bool
}

// exchange is worker.Config.Share.
func (p *pool) exchange() func(context.Context, map[string][]byte, string) (map[string][]byte, error) {
	if p == nil {
		return nil
	}
	return func(_ context.Context, put map[string][]byte, want string) (map[string][]byte, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.calls++; !p.sound {
			switch p.calls % 7 {
			case 1:
				p.copies = append(p.copies, maps.Clone(p.fields))
			case 3:
				return nil, errors.New("no answer")
			case 5:
				p.fields = maps.Clone(p.copies[p.calls%len(p.copies)])
			}
		}
		if p.fields == nil {
			p.fields = map[string][]byte{}
		}
		maps.Copy(p.fields, put)
		if want == "" {
			return maps.Clone(p.fields), nil
		}
		return map[string][]byte{want: p.fields[want]}, nil
	}
}

// budgetPack is the pack any with a horizon of two days, and a play with an owner.
func budgetPack(t *testing.T) *pack.Pack {
	t.Helper()
	const file = `{name: any, version: "2", horizon: 2d, overdue: 0.5, tiers: {watch: 40, at_risk: 60, critical: 80},
raise: {regular: watch}, activity: ["*"], friction: {}, playbooks: [
{when: {kind: lapse}, mid: {id: write, intent: content, owner: crm, respond_within: 1d}}]}`
	k, err := pack.Load("./any.yaml", func(string) ([]byte, error) { return []byte(file), nil }, pack.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// withinBudget refuses a day with more raises than its budget.
func withinBudget(published map[string][]string, most int) (days int, err error) {
	sent := map[string]int{}
	for key, values := range published {
		for _, v := range values {
			if !strings.HasPrefix(key, "alerts/") {
				continue
			}
			var a struct {
				Transition string
				Time       time.Time
			}
			if err := json.Unmarshal([]byte(v), &a); err != nil {
				return 0, fmt.Errorf("%s: %w", v, err)
			}
			day := a.Time.Format(time.DateOnly)
			if a.Transition != "raised" {
				continue
			}
			if sent[day]++; sent[day] > most {
				return 0, fmt.Errorf("more than %d on a day: %s", most, v)
			}
		}
	}
	return len(sent), nil
}

// TestBudgetInterleavings: whatever fails, and whatever what is shared says, no day has more raises than its budget, no alert
// comes twice, and a replay from an empty store decides all of it again.
func TestBudgetInterleavings(t *testing.T) {
	k := budgetPack(t)
	var all []*input
	for seed := range uint64(stormInputs) {
		all = append(all, stormInput(t, seed))
	}
	days, granted, rolledBack := 0, 0, 0
	for s := uint64(1); s <= 200; s++ {
		if *seed != 0 && s != *seed {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			in := *all[s%stormInputs]
			in.pack, in.newer, in.turn = k, nil, 0
			in.want = fold{recording: true, published: map[string][]string{}}
			trial := newTrial(&in, rand.New(rand.NewPCG(s, 0xebb)))
			trial.settings = settings(time.Hour)
			trial.settings.Budgets = `{"crm":[1,2]}`
			trial.asks, trial.pool = true, &pool{sound: s%4 == 0}
			run := &schedule{trial: trial}
			defer run.finish()
			err := decidedOnce(run)
			if err == nil {
				var n int
				n, err = withinBudget(in.want.published, 2)
				days += n
			}
			if err != nil {
				for _, step := range run.trail[max(0, len(run.trail)-200):] {
					t.Log(step)
				}
				t.Fatalf("seed %d: %v", s, err)
			}
			granted += strings.Count(strings.Join(in.want.published["control/"], "\n"), `"grant"`)
			rolledBack += min(run.rollbacks, 1)
		})
	}
	t.Logf("%d days with raises, %d grants, %d trials with a rollback", days, granted, rolledBack)
	if *seed == 0 && (days < 30 || granted < 200 || rolledBack < 20) {
		t.Error("the trials show too little")
	}
}
