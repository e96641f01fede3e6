package scoringtest

import (
	"slices"

	"ebb/scoring"
	"ebb/scoring/feature"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// Happening is an event of a customer's life, in ms from its beginning.
type Happening struct {
	At         int64
	Type       string
	Properties map[string]feature.Property
	Texts      map[string]string // by the name of the fact
}

// Decided are the decisions on one customer of a pack with these events, up to so many days after the last. The pack
// may alert about the customer from the first on.
func Decided(pack *pack.Pack, events []Happening, days int64) (all []scoring.Decision) {
	return DecidedLate(pack, events, 0, days)
}

// DecidedLate is Decided where deadlines fire so many ms before each event.
func DecidedLate(pack *pack.Pack, events []Happening, lateness, days int64) (all []scoring.Decision) {
	scorer, pop := scoring.NewScorer(pack), profile.Population{}
	p := Eligible()
	c := profile.Customer{Profile: &p}
	note := func(decisions []scoring.Decision) {
		for _, d := range decisions {
			d.Score.Values, d.Facts = slices.Clone(d.Score.Values), slices.Clone(d.Facts)
			all = append(all, d)
		}
	}
	wake := func(until int64) {
		for c.Armed != 0 && c.Armed <= until/60_000 {
			note(scorer.Wake(&c))
		}
	}
	last := int64(0)
	for _, e := range events {
		wake(Begin + e.At - lateness)
		var properties []feature.Property
		for _, path := range pack.Properties() {
			properties = append(properties, e.Properties[path])
		}
		var texts [][]byte
		for i := range pack.Carry {
			texts = append(texts, []byte(e.Texts[pack.Carry[i].Name]))
		}
		note(scorer.Observe(&c, &pop, &scoring.Observation{
			Time: Begin + e.At, Signal: pack.Signal([]byte(e.Type), properties...), Properties: properties, Texts: texts,
		}))
		last = max(last, Begin+e.At)
	}
	wake(last + days*Day)
	return all
}
