package pack_test

import (
	"strings"
	"testing"

	"ebb/scoring/pack"
	"ebb/scoring/scoringtest"
)

// TestOrdersOfTheValue: orders are those of the same money over the same window; all else is refused.
func TestOrdersOfTheValue(t *testing.T) {
	const text = "name: own\nversion: 1\nhorizon: 30d\nactivity: [sale]\nsignals: {sold: {types: [sale]}}\nfeatures:\n" +
		"  spend: {kind: sum, of: sold, within: 90d}\n  points: {kind: sum, of: sold, property: points, within: 90d}\n" +
		"  orders: {kind: count, of: sold, within: 90d, priced: true}\n  sales: {kind: count, of: sold, within: 90d}\n" +
		"  recent: {kind: count, of: sold, within: 30d, priced: true}\n"
	for value, want := range map[string]string{
		"feature: spend, orders: orders":  "",
		"feature: spend":                  "",
		"feature: spend, orders: nothing": `$.value.orders: no feature "nothing" is declared`,
		"feature: points, orders: orders": "$.value.orders: points is no sum of money",
		"feature: sales, orders: orders":  "$.value.orders: sales is no sum of money",
		"feature: spend, orders: sales":   "$.value.orders: sales is no count of events with money",
		"feature: spend, orders: points":  "$.value.orders: points is no count of events with money",
		"feature: spend, orders: recent":  "$.value.orders: recent is within 30d and spend within 90d",
	} {
		k, err := scoringtest.LoadText(text+"value: {"+value+", high: 2, mid: 1}\n", pack.Overrides{})
		switch {
		case want == "" && err == nil:
			if _, err := pack.LoadCanonical(k.Canonical()); err != nil {
				t.Errorf("%s: %v", value, err)
			}
		case want == "" || err == nil || !strings.Contains(err.Error(), want):
			t.Errorf("%s: error %v, want %q", value, err, want)
		}
	}
	for feature, want := range map[string]string{
		"{kind: sum, of: sold, within: 90d, priced: true}": "$.features.f.priced: a sum has no priced",
		"{kind: since, of: sold, priced: true}":            "$.features.f.priced: a since has no priced",
	} {
		if _, err := scoringtest.LoadText(text+"  f: "+feature+"\n", pack.Overrides{}); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", feature, err, want)
		}
	}
}

// TestPricedAlone: whoever only counts events with money takes their money, so that one currency is its customer's.
func TestPricedAlone(t *testing.T) {
	k := scoringtest.PackOf(t, "1", "signals: {sold: {types: [sale]}}",
		"features: {orders: {kind: count, of: sold, within: 90d, priced: true}}")
	if !k.TakesMoney([]byte("sale")) || k.TakesMoney([]byte("buy")) {
		t.Error("money of sales alone is taken")
	}
}
