package contracts_test

import (
	"slices"
	"testing"

	"ebb/pipeline"
	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/feature"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// day is in ms.
const day = scoringtest.Day

// begin is 2026-03-01T09:30:00Z.
const begin = int64(1_772_357_400_000)

// bought is an order that the story's customer completes.
func bought(k *pack.Pack, at int64) *scoring.Observation {
	properties := make([]feature.Property, len(k.Properties()))
	return &scoring.Observation{
		Time: at, Signal: k.Signal([]byte("Order Completed"), properties...), Properties: properties,
		Value: 4990, HasValue: true, Currency: profile.Currency{'E', 'U', 'R'},
	}
}

// story is what ebb publishes of a customer who orders for 49.90 EUR each week, stays away for a hundred days, and
// comes back.
func story(t *testing.T) (*pack.Pack, []alert.Alert) {
	t.Helper()
	k := scoringtest.Must(pack.Load("retail", nil, pack.Overrides{}))
	scorer, pop := scoring.NewScorer(k), profile.Population{}
	c := profile.Customer{Profile: new(profile.Profile)}
	var all []alert.Alert
	note := func(decisions []scoring.Decision, cause *alert.Cause) {
		for _, d := range decisions {
			d.Score.Values, d.Facts = slices.Clone(d.Score.Values), slices.Clone(d.Facts)
			all = append(all, alert.Alert{Decision: d, Tenant: []byte("shop-de"), Customer: []byte("c-42"), Cause: *cause})
		}
	}
	for i, at := range []int64{0, 7, 14, 21, 28, 35, 42, 49, 56, 63, 163} {
		o := bought(k, begin+at*day)
		for c.Armed != 0 && c.Armed <= o.Time/pipeline.MinuteMillis {
			minute := c.Armed
			note(scorer.Wake(&c), &alert.Cause{Deadline: true, Time: minute * pipeline.MinuteMillis})
		}
		note(scorer.Observe(&c, &pop, o), &alert.Cause{
			EventID: []byte(
				"o-1001",
			),
			EventType: []byte("Order Completed"),
			Partition: 3,
			Offset:    int64(88_200 + i),
			Time:      o.Time,
		})
	}
	if len(all) < 3 || all[0].Transition != scoring.Raised || all[1].Transition != scoring.Escalated {
		t.Fatalf("%d alerts", len(all))
	}
	return k, all
}
