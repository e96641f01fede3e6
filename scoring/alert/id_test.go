package alert_test

import (
	"testing"

	"pgregory.net/rapid"

	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/scoringtest"
)

func TestAlertID(t *testing.T) {
	base := alert.Alert{
		Decision: scoring.Decision{
			Transition: scoring.Raised,
			Episode:    1,
			Sequence:   2,
			At:         1_700_000_040_000,
			Since:      1_700_000_000_000,
		},
		Tenant:   []byte("ab"),
		Customer: []byte("c"),
	}
	if got := base.ID().String(); got != "473178ce2e8302181bb47fc2087ce871" {
		t.Errorf("id %s: ids are stored and compared, they do not change", got)
	}
	seen := map[alert.ID]bool{base.ID(): true}
	for _, change := range []func(a *alert.Alert){
		func(a *alert.Alert) { a.Tenant, a.Customer = []byte("a"), []byte("bc") },
		func(a *alert.Alert) { a.Tenant = nil },
		func(a *alert.Alert) { a.Customer = []byte("d") },
		func(a *alert.Alert) { a.Transition = scoring.Recovered },
		func(a *alert.Alert) { a.Since++ }, // another silence
		func(a *alert.Alert) { a.Sequence = 1 },
	} {
		a := base
		change(&a)
		if seen[a.ID()] {
			t.Errorf("%+v has the id of another", a)
		}
		seen[a.ID()] = true
	}
	for _, change := range []func(a *alert.Alert){
		func(a *alert.Alert) { a.Transition = scoring.Recovered },
		func(a *alert.Alert) { a.Sequence++ },
	} {
		a := base
		if change(&a); a.EpisodeID() != base.EpisodeID() {
			t.Errorf("%+v has another episode", a)
		}
	}
	other := base
	if other.Since++; other.EpisodeID() == base.EpisodeID() || base.EpisodeID() == base.ID() {
		t.Error("another silence has the same episode, or an alert the id of its episode")
	}
	a := base
	a.At, a.Score.At = a.At+5, 5
	a.Episode, a.Cause = 7, alert.Cause{Deadline: true, Time: 5}
	if a.ID() != base.ID() {
		t.Error("the id depends on more than what was decided about whom")
	}
}

// TestNoTwoAlertsShareAnID: also where a source's clock counts only days, and episodes begin and end within one.
func TestNoTwoAlertsShareAnID(t *testing.T) {
	pack := scoringtest.PackOf(t, "1", scoringtest.Lapsing()...)
	types := append(pack.EventTypes(), "view", "view")
	unique := func(t rapid.TB, events []scoringtest.Happening) (found int) {
		seen := map[alert.ID]scoring.Decision{}
		for _, d := range scoringtest.Decided(pack, events, 400) {
			a := alert.Alert{Decision: d, Customer: []byte("c")}
			id := a.ID()
			if was, ok := seen[id]; ok {
				t.Fatalf(
					"%v %v %d.%d at %d has the id of %d.%d",
					d.Kind,
					d.Transition,
					d.Episode,
					d.Sequence,
					d.At,
					was.Episode,
					was.Sequence,
				)
			}
			seen[id] = d
		}
		return len(seen)
	}
	for name, events := range map[string][]scoringtest.Happening{
		"at once": {{Type: "ticket"}, {Type: "solved"}, {Type: "dispute"}, {Type: "decided"}},
		"late": {
			{At: 5 * scoringtest.Day, Type: "ticket"},
			{At: 10 * scoringtest.Day, Type: "solved"},
			{At: 5 * scoringtest.Day, Type: "dispute"},
			{At: 11 * scoringtest.Day, Type: "decided"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if n := unique(t, events); n != 4 {
				t.Errorf("%d alerts, want 4", n)
			}
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		var events []scoringtest.Happening
		for range rapid.IntRange(1, 12).Draw(t, "events") {
			events = append(
				events,
				scoringtest.Happening{
					At:   rapid.Int64Range(0, 4).Draw(t, "day") * 20 * scoringtest.Day,
					Type: rapid.SampledFrom(types).Draw(t, "type"),
				},
			)
		}
		unique(t, events)
	})
}
