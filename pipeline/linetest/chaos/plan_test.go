package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The same seed draws the same faults, another seed others, and a long plan has every kind of them.
func TestPlan(t *testing.T) {
	plan := func(seed uint64) []fault { return newPlan(seed, time.Hour, time.Second, nil) }
	if diff := cmp.Diff(plan(7), plan(7)); diff != "" {
		t.Errorf("two plans of one seed:\n%s", diff)
	}
	if cmp.Equal(plan(7), plan(8)) {
		t.Error("two seeds draw one plan")
	}
	drawn := map[kind]int{}
	for _, f := range plan(7) {
		drawn[f.Kind]++
		if f.For < 0 || f.For > 20*time.Second || f.Member >= members {
			t.Errorf("fault %+v", f)
		}
		if f.Kind == freeze && f.For <= session {
			t.Errorf("stopped for %v, within a session", f.For)
		}
	}
	for _, k := range allKinds() {
		if drawn[k] == 0 {
			t.Errorf("no %s in %v", k, drawn)
		}
	}
}

func TestPlanOnly(t *testing.T) {
	only, err := kindsOf([]string{"SIGSTOP", "cut"})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range newPlan(1, 10*time.Minute, time.Second, only) {
		if f.Kind != freeze && f.Kind != cut {
			t.Errorf("fault %+v", f)
		}
	}
	if _, err := kindsOf([]string{"earthquake"}); err == nil {
		t.Error("an unknown kind is taken")
	}
}
