package line

import (
	"testing"

	"ebb/pipeline"
	"ebb/scoring"
	"ebb/scoring/pack"
)

// TestTooLate counts an event that is older than every window as too late, and one that has a window left as late alone.
func TestTooLate(t *testing.T) {
	k, err := pack.Load("trial.yaml", func(string) ([]byte, error) {
		return []byte("name: trial\nversion: 1\nhorizon: 30d\nactivity: [visit]\nsignals: {slip: {types: [slip]}}\n" +
			"features: {slips: {kind: count, of: slip, within: 7d}}\n"), nil
	}, pack.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	s := newShelf(t, k, 0, 0)
	s.put(t, []pipeline.Record{
		visit("", "a", "visit", 0), visit("", "b", "visit", 0), visit("", "c", "visit", 0), visit("", "c", "slip", 40),
		visit("", "a", "visit", 40), visit("", "b", "visit", 40), visit("", "c", "slip", 20), visit("", "c", "slip", 38),
	})
	s.settle(t)
	if s.tally.TooLate != 1 || s.tally.Late != 2 {
		t.Errorf("%d too late, %d late", s.tally.TooLate, s.tally.Late)
	}
}

// TestLateVisitCorrects: a lapse that a visit from before its raise shows to be wrong is corrected in public, and
// nothing converts afterwards.
func TestLateVisitCorrects(t *testing.T) {
	k, err := pack.Load("trial.yaml", func(string) ([]byte, error) {
		return []byte(
			"name: trial\nversion: 1\nhorizon: 30d\nactivity: [visit, order]\nsignals: {order: {types: [order]}}\n" +
				"converts: order\n",
		), nil
	}, pack.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	var records []pipeline.Record
	for day := range 10 {
		records = append(records, visit("", "c", "visit", float64(7*day)))
	}
	for _, other := range []string{"x", "y", "z"} {
		records = append(records, visit("", other, "visit", 200))
	}
	records = append(records, visit("", "c", "visit", 70), visit("", "c", "order", 201))
	s := newShelf(t, k, 0, 0)
	s.put(t, records)
	s.settle(t)
	a := s.tally.Alerts
	if a[scoring.Raised] == 0 || a[scoring.Corrected] != 1 || a[scoring.Converted] != 0 {
		t.Errorf("%v raised, corrected and so on", a)
	}
}
