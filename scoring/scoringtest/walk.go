package scoringtest

import (
	"pgregory.net/rapid"

	"ebb/scoring"
	"ebb/scoring/feature"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// Walk is one customer on its way through a pack.
type Walk struct {
	Scorer, Judge *scoring.Scorer
	Customer      profile.Customer
	Pop           profile.Population
	Types         []string
	Now           int64
}

// NewWalk begins with a customer without events whom the pack may alert about.
func NewWalk(pack *pack.Pack) *Walk {
	w := &Walk{Scorer: scoring.NewScorer(pack), Judge: scoring.NewScorer(pack), Types: pack.EventTypes(), Now: Begin}
	p := Eligible()
	w.Customer.Profile = &p
	return w
}

// Event draws the next event, up to a month later or somewhat late.
func (w *Walk) Event(t *rapid.T) {
	w.Now += rapid.Int64Range(0, 30*Day).Draw(t, "later")
	if rapid.IntRange(0, 3).Draw(t, "soon") > 0 {
		w.Now -= w.Now % (6 * 3_600_000)
	}
	at := w.Now - rapid.SampledFrom([]int64{0, 0, 0, Day / 2, 3 * Day}).Draw(t, "late")
	pack := w.Scorer.Pack
	var properties []feature.Property
	for range pack.Properties() {
		v := feature.Property{Kind: feature.PropertyKind(rapid.IntRange(0, 4).Draw(t, "kind"))}
		switch v.Kind {
		case feature.PropertyNumber:
			v.Number = rapid.SampledFrom([]int64{0, 1000, 2000, 4500, 6000, 40_000, 90_000}).Draw(t, "number")
		case feature.PropertyText:
			v.Hash = rapid.Uint64Range(1, 20).Draw(t, "text")
		case feature.PropertyBool:
			v.Number = rapid.Int64Range(0, 1).Draw(t, "bool")
		default:
		}
		properties = append(properties, v)
	}
	w.Observe(at, rapid.SampledFrom(w.Types).Draw(t, "type"), properties, rapid.Int64Range(-500, 50_000).Draw(t, "value"))
}

// Observe applies the customer's silence, then an event.
func (w *Walk) Observe(at int64, eventType string, properties []feature.Property, value int64) {
	for w.Customer.Armed != 0 && w.Customer.Armed <= at/60_000 {
		w.Scorer.Wake(&w.Customer)
	}
	w.Scorer.Observe(&w.Customer, &w.Pop, &scoring.Observation{
		Time:       at,
		Signal:     w.Scorer.Pack.Signal([]byte(eventType), properties...),
		Properties: properties,
		HasValue:   true,
		Value:      value,
	})
}
