package pack_test

import (
	"testing"

	"ebb/scoring/pack"
)

// TestTakesMoney of the shipped packs, as docs/events.md says.
func TestTakesMoney(t *testing.T) {
	for name, want := range map[string][]string{
		"any": nil, "retail": {"Order Completed", "purchase"}, "marketplace": {"Order Completed"}, "saas": {"Payment Succeeded"},
		"marketplace_seller": {"Fee Charged"}, "creator": {"Order Completed", "Payment Succeeded", "Tip Sent"},
	} {
		k, err := pack.Load(name, nil, pack.Overrides{})
		if err != nil {
			t.Fatal(err)
		}
		taken := map[string]bool{}
		for _, kind := range want {
			taken[kind] = true
		}
		for _, kind := range append(k.EventTypes(), "", "Filter Applied", "Order Complete") {
			if got := k.TakesMoney([]byte(kind)); got != taken[kind] {
				t.Errorf("%s takes money from %q: %v", name, kind, got)
			}
		}
	}
}

// TestTakesMoneyOnConditions: of a signal with conditions too, but not where a property is summed.
func TestTakesMoneyOnConditions(t *testing.T) {
	const text = `name: own
version: "1"
horizon: 30d
overdue: 0.5
tiers: {watch: 40, at_risk: 60, critical: 80}
activity: [visit]
friction: {}
signals:
  big: {types: [sale], where: [{property: size, at_least: 2}]}
  points: {types: [award]}
features:
  spent: {kind: sum, of: big, within: 30d}
  won: {kind: sum, of: points, property: points, within: 30d}
`
	k, err := pack.Load("own.yaml", func(string) ([]byte, error) { return []byte("\ufeff" + text), nil }, pack.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	if !k.TakesMoney([]byte("sale")) || k.TakesMoney([]byte("award")) || k.TakesMoney([]byte("visit")) {
		t.Error("money of sales alone is taken")
	}
}
