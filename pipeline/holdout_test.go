package pipeline_test

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"ebb/pipeline"
	"ebb/scoring/alert"
)

var tenth = pipeline.Holdout{Share: alert.Whole / 10, Salt: "ebb", EpochMillis: 90 * pipeline.DayMillis}

func stateKey(tenant, customer string) []byte {
	return pipeline.AppendKey(nil, []byte(tenant), []byte(customer))
}

// TestAssignIsForGood: who is held out is a contract with whoever draws it again, and with what is published.
func TestAssignIsForGood(t *testing.T) {
	var heldOut []string
	for _, tenant := range []string{"", "shop-de"} {
		for n := range 40 {
			customer := fmt.Sprint("c-", n)
			if a := tenth.Assign(stateKey(tenant, customer), 228); a.Arm == alert.HeldOut {
				heldOut = append(heldOut, tenant+"/"+customer)
			}
		}
	}
	if got := fmt.Sprint(heldOut); got != "[/c-12 /c-27 /c-36 shop-de/c-0 shop-de/c-2 shop-de/c-12 shop-de/c-15]" {
		t.Errorf("held out: %s", got)
	}
	a := tenth.Assign(stateKey("", "c-1"), 228)
	if want := (alert.Assignment{Arm: a.Arm, Epoch: 228, Share: 100_000}); a != want {
		t.Errorf("%+v, want %+v", a, want)
	}
}

// TestAssignIsFair: the held-out share is as configured, for each salt, tenant and epoch, and these draw independently of
// each other: a tenth of those who are held out by one are by another.
func TestAssignIsFair(t *testing.T) {
	const customers = 20_000
	other := tenth
	other.Salt = "ebc"
	for _, share := range []int{alert.Whole / 100, alert.Whole / 10, alert.Whole / 2} {
		by, changed := tenth, other
		by.Share, changed.Share = share, share
		alone, both := map[string]int{}, map[string]int{}
		for n := range customers {
			customer := fmt.Sprint("customer-", n)
			first := by.Assign(stateKey("", customer), 1).Arm == alert.HeldOut
			for name, a := range map[string]alert.Assignment{
				"next epoch": by.Assign(stateKey("", customer), 2), "tenant": by.Assign(stateKey("t", customer), 1),
				"salt": changed.Assign(stateKey("", customer), 1),
			} {
				if a.Arm == alert.HeldOut {
					alone[name]++
					if first {
						both[name]++
					}
				}
			}
		}
		p := float64(share) / alert.Whole
		near := func(n int, p float64) bool {
			return math.Abs(float64(n)-customers*p) < 4*math.Sqrt(customers*p*(1-p))
		}
		for name, n := range alone {
			if !near(n, p) || !near(both[name], p*p) {
				t.Errorf("share %v, another %s: %d of %d held out, %d in both", p, name, n, customers, both[name])
			}
		}
	}
}

// TestAssignTellsPartsApart: what tenant and customer are together is not mixed up.
func TestAssignTellsPartsApart(t *testing.T) {
	half := tenth
	half.Share = alert.Whole / 2
	same := 0
	for n := range 1000 {
		a := half.Assign(stateKey("ab", fmt.Sprint("c", n)), 1)
		b := half.Assign(stateKey("a", fmt.Sprint("bc", n)), 1)
		if a.Arm == b.Arm {
			same++
		}
	}
	if same < 400 || same > 600 {
		t.Errorf("%d of 1000 arms are the same", same)
	}
}

func TestEpochs(t *testing.T) {
	const day = pipeline.DayMillis
	for at, want := range map[int64]uint32{-5: 1, 0: 1, 90*day - 1: 1, 90 * day: 2, 180 * day: 3} {
		got := tenth.Epoch(at)
		if got != want || at >= 0 && (tenth.Ends(got) <= at || tenth.Ends(got-1) > at) {
			t.Errorf("%d: epoch %d, want %d, from %d to %d", at, got, want, tenth.Ends(got-1), tenth.Ends(got))
		}
	}
}

// TestRulesOfHoldout: each part of a holdout draws other arms, so each names other rules.
func TestRulesOfHoldout(t *testing.T) {
	share, salt, epoch := tenth, tenth, tenth
	share.Share++
	salt.Salt += "x"
	epoch.EpochMillis++
	seen := map[uint32]bool{}
	for _, h := range []pipeline.Holdout{tenth, share, salt, epoch} {
		seen[h.Rules()] = true
	}
	if again := tenth; len(seen) != 4 || again.Rules() != tenth.Rules() {
		t.Error(seen)
	}
	if n := testing.AllocsPerRun(100, func() { tenth.Rules() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestSettingsWithoutHoldout are named as they were before there were any.
func TestSettingsWithoutHoldout(t *testing.T) {
	b, err := json.Marshal(pipeline.Settings{Rules: 1, Holdout: pipeline.Holdout{}})
	if want := `{"rules":1,"max_record_bytes":0,"lateness_ms":0,"retention_ms":0}`; err != nil || string(b) != want {
		t.Errorf("%s, %v", b, err)
	}
}
